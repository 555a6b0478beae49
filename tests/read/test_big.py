"""Memory does not grow with a file, a line or a backlog."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import header, line, result, said
from tests.lengths import length, shortened
from tests.read.settled import THEN, talk, turn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MB = 1_000_000
MOST = 200 * MB  # four times the line, and what an empty engine takes
LONG = 50 * MB
GROWTH = 8 * MB  # what is kept up to a bound is half of it
TURNS = length(20_000, 2_000)  # of three lines


def run_over(folder: Path, lines: Iterable[bytes]) -> dict[str, Any]:
    """Write one transcript of these lines, have a process follow it, return what it took."""
    sessions = folder / "world" / "sessions"
    sessions.mkdir(parents=True)
    with (sessions / "a.jsonl").open("wb") as file:
        file.writelines(lines)
    done = subprocess.run(
        [sys.executable, "-m", "tests.read.big", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    taken: dict[str, Any] = json.loads(done.stdout)
    assert taken["waiting"] == 0
    assert taken["largest"] < 1 << 20
    return taken


def padded(entry: bytes, mark: bytes, filling: bytes) -> bytes:
    before, after = entry.split(mark)
    return before + filling + after


@pytest.mark.parametrize(
    "filling", [b"x" * LONG, "é".encode() * (LONG // 2), b"\\n" * (LONG // 2)], ids=["ASCII", "é", "escapes"]
)
def test_a_text_of_50_mb_in_one_line(tmp_path: Path, filling: bytes) -> None:
    long = padded(line(said("user", "MARK", THEN + 90)), b"MARK", filling)
    taken = run_over(tmp_path, [*talk("a", "one", "two"), long, turn("last", 20)])
    assert taken["messages"] == 4
    assert taken["peak"] < MOST


def test_an_image_of_50_mb_in_one_line(tmp_path: Path) -> None:
    image = {"type": "image", "mimeType": "image/png", "data": "MARK"}
    entry = said("user", "", THEN + 90, content=[image])
    long = padded(line(entry), b"MARK", b"iVBO" * (LONG // 4))
    taken = run_over(tmp_path, [*talk("a", "one", "two"), long, turn("last", 20)])
    assert taken["messages"] == 4
    assert taken["peak"] < MOST


def test_a_line_of_50_mb_that_is_no_json(tmp_path: Path) -> None:
    taken = run_over(tmp_path, [*talk("a", "one", "two"), b"x" * LONG + b"\n", turn("last", 20)])
    assert (taken["messages"], taken["broken"]) == (3, 1)
    assert taken["peak"] < MOST


def test_a_torn_line_of_50_mb_at_the_end(tmp_path: Path) -> None:
    """Without its newline it is not read, however long it is."""
    taken = run_over(tmp_path, [*talk("a", "one", "two"), b'{"type":"message","x":"' + b"x" * LONG])
    assert taken["messages"] == 2
    assert taken["peak"] < MOST // 2


def test_a_line_of_70_mb_is_counted_and_passed_over(tmp_path: Path) -> None:
    long = padded(line(said("user", "MARK", THEN + 90)), b"MARK", b"x" * (70 * MB))
    taken = run_over(tmp_path, [*talk("a", "one", "two"), long, turn("last", 20)])
    assert (taken["messages"], taken["broken"]) == (3, 1)
    assert taken["peak"] < MOST // 2


@shortened
def test_a_transcript_of_60_000_lines(tmp_path: Path) -> None:
    """And a quarter of it, which takes as much memory."""

    def lines(turns: int) -> Iterable[bytes]:
        yield line(header("a", THEN))
        for number in range(turns):
            at = THEN + number
            call = (f"c{number}", "ls")
            yield line(said("user", f"question {number}", at, f"a{number}"))
            yield line(said("assistant", f"answer {number}", at + 0.3, f"b{number}", calls=[call]))
            yield line({**result(call[0], "x" * 400, at + 0.6), "id": f"c{number}"})

    peaks = []
    for turns in (TURNS // 4, TURNS):
        taken = run_over(tmp_path / str(turns), lines(turns))
        assert taken["messages"] == 2 * turns
        peaks.append(taken["peak"])
    assert peaks[1] < MOST
    assert peaks[1] - peaks[0] < GROWTH
