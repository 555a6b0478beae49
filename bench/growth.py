"""What one append costs in a long transcript, beside one in a short one: read, kept, delivered."""

import os
import random
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

from bench.corpus import THEN, TURN, transcript
from bench.counting import counted
from bench.engines import Bare, bare, settings
from bench.rows import Row, Target, row
from tests.harness import line, said

NAME = "growth"
LONG, SHORT = 200_000_000, 20_000  # bytes
APPENDS = 200
MS = 1e3
RATIO = Target(1.2, of="ratio")


def run(scale: float, folder: Path) -> list[Row]:
    size, appends = max(10 * SHORT, round(LONG * scale)), max(10, round(APPENDS * min(1.0, scale)))
    sessions = folder / "sessions"
    sessions.mkdir(parents=True)
    long, short = sessions / "long.jsonl", sessions / "short.jsonl"
    for path, wanted in ((long, size), (short, SHORT)):
        with path.open("wb") as file:
            file.writelines(transcript(path.stem, wanted // TURN))
    with bare(settings(folder / "state"), sessions) as engine:
        engine.hasty(hasty=True)
        engine.catch_up()
        engine.hasty(hasty=False)
        reading: dict[Path, list[float]] = {long: [], short: []}
        whole: dict[Path, list[float]] = {long: [], short: []}
        for number in _shuffled(appends):
            for path in (long, short) if number % 2 else (short, long):
                read, delivered = _append(engine, path, number)
                reading[path].append(read)
                whole[path].append(read + delivered)
        counts = {
            f"{name} {key}": value
            for name, path in (("long", long), ("short", short))
            for key, value in _counts(engine, path, appends).items()
        }
    beside = f"one to a transcript of {SHORT // 1000} kB"
    what = f"an append to a transcript of {size / 1e6:.3g} MB"
    return [
        row(
            NAME,
            what,
            statistics.median(whole[long]),
            "ms",
            beside=beside,
            other=statistics.median(whole[short]),
            target=RATIO,
            counts=counts,
        ),
        row(
            NAME,
            f"{what}, to read it",
            statistics.median(reading[long]),
            "ms",
            beside=beside,
            other=statistics.median(reading[short]),
        ),
    ]


def _append(engine: Bare, path: Path, number: int) -> tuple[float, float]:
    with path.open("ab") as file:
        file.write(_line(number))
    begun = time.perf_counter()
    engine.engine.follow.hint(os.fsencode(path))
    engine.read()
    read = time.perf_counter()
    engine.deliver()
    return (read - begun) * MS, (time.perf_counter() - read) * MS


def _counts(engine: Bare, path: Path, number: int) -> dict[str, int]:
    """Of one append, its reading apart from its delivery."""
    appended = _line(number)
    with path.open("ab") as file:
        file.write(appended)
    with counted(engine.database.connection) as reading:
        engine.engine.follow.hint(os.fsencode(path))
        engine.read()
    with counted(engine.database.connection) as delivering:
        engine.deliver()
    return {
        "opens": reading.opens,
        "reads": reading.reads,
        "bytes read beyond the appended": reading.read_bytes - len(appended),
        "transactions to read": reading.transactions,
        "transactions to deliver": delivering.transactions,
    }


def _line(number: int) -> bytes:
    return line(said("user", "word " * 40, THEN + 10**7 + number, f"d{number:07d}"))


def _shuffled(count: int) -> Iterable[int]:
    return random.Random(1).sample(range(count), count)  # noqa: S311 - the same order in every run
