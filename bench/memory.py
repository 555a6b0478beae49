"""Memory at most, for a transcript of very long lines and for a backlog that nobody takes."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench import backfill, corpus
from bench.processes import MB, daemon, end, peak, rest, server, start, variables
from bench.rows import Row, Target, row
from bench.start import IMPORTS
from tests.harness import header, line, said

NAME = "memory"
LONG = 2_000_000_000  # bytes
LINE = 50_000_000
MARK = b"MARK"
LONG_TARGET, BACKLOG_TARGET = Target(200.0), Target(120.0)
DECODE = (
    "import sys, msgspec\n"
    "line = open(sys.argv[1], 'rb').read()\n"
    "msgspec.json.decode(line)\n"
    "print(flush=True)\n"
    "sys.stdin.read()\n"
)
WAIT = f"{IMPORTS}\nprint(flush=True)\nimport sys\nsys.stdin.read()\n"


def run(scale: float, folder: Path) -> list[Row]:
    length = round(LINE * min(1.0, 20 * scale))
    return [
        _long(folder / "long", length, max(2, round(LONG * scale) // length)),
        _backlog(folder / "backlog", scale),
    ]


def _long(folder: Path, length: int, count: int) -> Row:
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    alone = folder / "line.json"
    with (sessions / "a.jsonl").open("wb") as file:
        for number, each in enumerate(_lines(length, count)):
            file.write(each)
            if number == 1:
                alone.write_bytes(each)
    with (
        server(keeps_dates=True) as opensync,
        daemon(variables(folder / "home", sessions, opensync.url), "--backfill") as running,
    ):
        opensync.wait_for(count)
        rest(running.pid)
        most = peak(running.pid)
    return row(
        NAME,
        f"a transcript of {count * length / 1e9:.3g} GB in lines of {length / MB:.3g} MB",
        most,
        "MB",
        beside="msgspec's decoder over one such line",
        other=_peak_of(DECODE, str(alone)),
        target=LONG_TARGET,
        counts={"messages": count, "bytes": count * length},
    )


def _lines(length: int, count: int) -> Iterator[bytes]:
    yield line(header("memory", corpus.THEN))
    filling = b"All work and no play makes a long line. " * (length // 40)
    for number in range(count):
        before, after = line(said("user", MARK.decode(), corpus.THEN + number, f"a{number}")).split(MARK)
        yield before + filling + after


def _backlog(folder: Path, scale: float) -> Row:
    """The history of `backfill` stands for a week's."""
    sessions = folder / "sessions"
    count = max(3, round(backfill.SESSIONS * scale))
    size = corpus.history(sessions, count, backfill.TURNS)
    with (
        socket.socket() as unanswered,
        daemon(variables(folder / "home", sessions, _nobody(unanswered)), "--backfill") as running,
    ):
        rest(running.pid)
        most = peak(running.pid)
    return row(
        NAME,
        f"a backlog of {size / MB:.3g} MB, the server down",
        most,
        "MB",
        beside="the bare imports",
        other=_peak_of(WAIT),
        target=BACKLOG_TARGET,
        counts={"sessions": count, "bytes": size},
    )


def _nobody(unanswered: socket.socket) -> str:
    """The URL of a port that is taken, where nobody listens."""
    unanswered.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{unanswered.getsockname()[1]}"


def _peak_of(program: str, *arguments: str) -> float:
    process = start("-c", program, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the comparison failed")
        return peak(process.pid)
    finally:
        end(process)
