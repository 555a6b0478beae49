"""From the start of the process to following many known files, beside `find` over them."""

import operator
import statistics
import subprocess
import time
from pathlib import Path

from bench.crowd import FILES, crowd
from bench.processes import daemon, imported, resident, seconds, server, variables
from bench.rows import Row, Target, row

NAME = "start"
ROUNDS = 5
IMPORTS = imported(["pi_opensync.__main__", "pi_opensync.cli.app", "pi_opensync.cli.watch"])
WHOLE, BEYOND = Target(1.0), Target(10.0, of="ratio")
MANY = 100_000
MANY_WHOLE, A_FILE = Target(2.0), Target(1.0)
KB = 1000.0


def run(scale: float, folder: Path) -> list[Row]:
    count = max(20, round(FILES * scale))
    with server() as opensync:
        sessions, home = crowd(folder, count, opensync.url)
        settings = variables(home, sessions, opensync.url)
        imports, ready, found, status = [], [], [], []
        for _ in range(rounds(scale)):
            imports.append(seconds("-c", IMPORTS))
            found.append(_find(sessions))
            with daemon(settings) as running:
                ready.append(running.ready_after)
            status.append(seconds("-m", "pi_opensync", "status", variables=settings))
        sent = opensync.notes().requests
    whole, bare, find = (statistics.median(times) for times in (ready, imports, found))
    beyond = max(0.0, statistics.median(map(operator.sub, ready, imports)))
    counts = {"files": count, "requests": sum(sent.values())}
    what = f"{count} known files"
    return [
        row(NAME, what, whole, "s", beside="the bare imports", other=bare, target=WHOLE, counts=counts),
        row(NAME, f"{what}, beyond the imports", beyond, "s", beside="find", other=find, target=BEYOND),
        row(NAME, f"`status` with {what}", statistics.median(status), "s", beside="find", other=find),
        *_many(scale, folder / "many"),
    ]


def rounds(scale: float) -> int:
    return max(1, round(ROUNDS * min(1.0, 10 * scale)))


def _many(scale: float, folder: Path) -> list[Row]:
    """A crowd that was there before the first start: known, and followed."""
    few, many = max(20, round(MANY * scale / 10)), max(200, round(MANY * scale))
    memory: dict[int, float] = {}
    ready: list[float] = []
    for count in (few, many):
        with server() as opensync:
            sessions, home = crowd(folder / str(count), count, opensync.url, read=False)
            settings = variables(home, sessions, opensync.url)
            for _ in range(rounds(scale) if count == many else 1):
                with daemon(settings) as running:
                    ready.append(running.ready_after)
                    memory[count] = resident(running.pid)
    found = _find(folder / str(many) / "sessions")
    path = len(str(folder / str(many) / "sessions" / "--project-00--" / "000000.jsonl"))
    what = f"{many} known files"
    return [
        row(
            NAME,
            f"{what}, not read",
            statistics.median(ready[1:]),
            "s",
            beside="find",
            other=found,
            target=MANY_WHOLE,
        ),
        row(
            NAME,
            f"memory a file, of {what}",
            KB * (memory[many] - memory[few]) / (many - few),
            "kB",
            beside="its path",
            other=path / KB,
            target=A_FILE,
        ),
    ]


def _find(folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(  # noqa: S603 - a command line of ours
        ["find", str(folder), "-name", "*.jsonl", "-printf", "%s %T@\n"],  # noqa: S607 - the system's own
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun
