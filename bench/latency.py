"""From pi's append returning to the request arriving, beside a process that keeps nothing of what it sends.

The relay hears the same events and sends the same bytes; it reads no cursor and writes nothing down.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench import peers
from bench.peers import slow_disk
from bench.processes import Server, daemon, end, server, start, variables
from bench.rows import Row, Target, percentile, row
from pi_opensync.store.database import open_database
from tests.harness import header, line, said, session_id

NAME = "latency"
APPENDS = 1000
A_SECOND = 20
A_SECOND_SLOW = 5  # where one append may take longer than the pause to the next
WARM = 10  # appends that are not counted
MS = 1e6  # ns
P50, P99, P50_SLOW = Target(5.0), Target(25.0), Target(10.0)
WAIT = 3.0  # ms that a slow disk takes longer
SHIPPER = """\
@version: 3.38
options {{ keep-hostname(yes); use-dns(no); stats-freq(0); flush-lines(1); }};
source transcripts {{ file("{path}" follow-freq(0.01) flags(no-parse)); }};
destination server {{ http(url("{url}/lines") method("POST") body("$MSG\\n") batch-lines(0) workers(1)); }};
log {{ source(transcripts); destination(server); }};
"""


def run(scale: float, folder: Path) -> list[Row]:
    count = max(20, round(APPENDS * scale))
    relayed = _relay(folder / "relay", count)
    delivered = _daemon(folder / "daemon", count)
    kept = _transactions(folder / "store", count)
    more = [*_on_a_slow_disk(folder / "slow", count), *_shipped(folder / "shipper", count, delivered)]
    beside = "an event, its line read, the same request, nothing kept"
    return [
        row(
            NAME,
            "p50",
            statistics.median(delivered),
            "ms",
            target=P50,
            beside=beside,
            other=statistics.median(relayed),
        ),
        row(
            NAME,
            "p99",
            percentile(delivered, 0.99),
            "ms",
            target=P99,
            beside=beside,
            other=percentile(relayed, 0.99),
        ),
        row(
            NAME,
            "p50, again",
            statistics.median(delivered),
            "ms",
            beside="a transaction that keeps one value",
            other=statistics.median(kept),
            counts={"appends": count, "arrived": len(delivered)},
        ),
        *more,
    ]


def _on_a_slow_disk(folder: Path, count: int) -> list[Row]:
    """Where each wait for the disk takes some ms longer, beside the same without."""
    under = slow_disk(WAIT)
    if under is None:
        return []
    count = max(20, count // 4)
    slow, quick = (
        _daemon(folder / name, count, prefix, A_SECOND_SLOW)
        for name, prefix in (("slow", under), ("quick", ()))
    )
    return [
        row(
            NAME,
            f"p50 on a disk of {WAIT:g} ms a wait",
            statistics.median(slow),
            "ms",
            target=P50_SLOW,
            beside="the disk as it is",
            other=statistics.median(quick),
        )
    ]


def _shipped(folder: Path, count: int, delivered: list[float]) -> list[Row]:
    """Beside syslog-ng, which sends each line as it stands and keeps its place only now and then."""
    program = peers.program("syslog-ng")
    if program is None:
        return []
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    path = sessions / "a.jsonl"
    path.write_bytes(line(header("latency", time.time())))
    settings = folder / "syslog-ng.conf"
    with server() as opensync:
        settings.write_text(SHIPPER.format(path=path, url=opensync.url))
        own = [f"--{name}={folder}/{name}" for name in ("persist-file", "pidfile", "control")]
        shipper = subprocess.Popen(  # noqa: S603 - a command line of ours
            [program, "--foreground", "--no-caps", f"--cfgfile={settings}", *own],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _until_it_sends(path, opensync)
            written = _append(path, count)
            arrivals = _settled(opensync)
        finally:
            end(shipper)
    came = {name: arrivals.get(f"line-{name.rpartition('-')[2]}") for name in written}
    shipped = [(at - written[name]) / MS for name, at in came.items() if at is not None]
    return [
        row(
            NAME,
            "p50, beside a shipper",
            statistics.median(delivered),
            "ms",
            beside="syslog-ng, line by line",
            other=statistics.median(shipped),
            counts={"appends shipped": count, "of them arrived": len(shipped)},
        )
    ]


def _settled(opensync: Server) -> dict[str, int]:
    """What arrived, once for a second nothing more did: a shipper may lose some."""
    arrived = 0
    while len(arrivals := opensync.notes().arrivals) > arrived:
        arrived = len(arrivals)
        time.sleep(1.0)
    return arrivals


def _until_it_sends(path: Path, opensync: Server) -> None:
    with path.open("ab") as file:
        file.write(line(said("user", "the first", time.time() - 3600)))
    opensync.wait_for(1)


def _daemon(folder: Path, count: int, under: Sequence[str] = (), a_second: float = A_SECOND) -> list[float]:
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    with (
        server() as opensync,
        daemon(variables(folder / "home", sessions, opensync.url), "--backfill", under=under),
    ):
        path = sessions / "a.jsonl"
        path.write_bytes(line(header("latency", time.time())))
        written = _append(path, count, a_second)
        arrivals = opensync.wait_for(count + WARM).arrivals
    return [(arrivals[name] - at) / MS for name, at in written.items()]


def _relay(folder: Path, count: int) -> list[float]:
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    path = sessions / "a.jsonl"
    path.write_bytes(line(header("latency", time.time())))
    with server() as opensync:
        relay = start("-m", "bench.relay", str(path), opensync.url, stdout=subprocess.PIPE)
        try:
            if relay.stdout is None or not relay.stdout.readline():
                raise RuntimeError("the relay did not start")
            written = _append(path, count)
            arrivals = opensync.wait_for(count + WARM).arrivals
        finally:
            end(relay)
    return [(arrivals[name] - at) / MS for name, at in written.items()]


def _append(path: Path, count: int, a_second: float = A_SECOND) -> dict[str, int]:
    """Append at a steady pace; returns when each append had returned, by its message's id."""
    written: dict[str, int] = {}
    begun = time.monotonic()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        for number in range(count + WARM):
            time.sleep(max(0.0, begun + number / a_second - time.monotonic()))
            at = time.time()
            os.write(descriptor, line(said("user", f"number {number} " + "word " * 40, at)))
            if number >= WARM:
                written[f"{session_id('latency')}-user-{round(at * 1000)}"] = time.monotonic_ns()
    finally:
        os.close(descriptor)
    return written


def _transactions(folder: Path, count: int) -> list[float]:
    """What it takes the store to keep one value; before a request two transactions must be on disk."""
    times: list[float] = []
    database = open_database(folder)
    for number in range(count):
        begun = time.perf_counter_ns()
        with database.transaction():
            database.set_meta("kept", number)
        times.append((time.perf_counter_ns() - begun) / MS)
    database.close()
    return times
