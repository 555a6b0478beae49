"""From pi's append returning to the request arriving, beside a process that keeps nothing of what it sends.

The relay hears the same events and sends the same bytes; it reads no cursor and writes nothing down.
"""

import os
import statistics
import subprocess
import time
from pathlib import Path

from bench.processes import daemon, end, server, start, variables
from bench.rows import Row, Target, percentile, row
from pi_opensync.store.database import open_database
from tests.harness import header, line, said, session_id

NAME = "latency"
APPENDS = 1000
A_SECOND = 20
WARM = 10  # appends that are not counted
MS = 1e6  # ns
P50, P99 = Target(5.0), Target(25.0)


def run(scale: float, folder: Path) -> list[Row]:
    count = max(20, round(APPENDS * scale))
    relayed = _relay(folder / "relay", count)
    delivered = _daemon(folder / "daemon", count)
    kept = _transactions(folder / "store", count)
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
    ]


def _daemon(folder: Path, count: int) -> list[float]:
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    with server() as opensync, daemon(variables(folder / "home", sessions, opensync.url), "--backfill"):
        path = sessions / "a.jsonl"
        path.write_bytes(line(header("latency", time.time())))
        written = _append(path, count)
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


def _append(path: Path, count: int) -> dict[str, int]:
    """Append at a steady pace; returns when each append had returned, by its message's id."""
    written: dict[str, int] = {}
    begun = time.monotonic()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        for number in range(count + WARM):
            time.sleep(max(0.0, begun + number / A_SECOND - time.monotonic()))
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
