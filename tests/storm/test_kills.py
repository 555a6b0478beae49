"""The real daemon, killed at random moments while transcripts grow and the server misbehaves."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from tests import forked
from tests.harness import World, header, line, result, said, usage
from tests.lengths import length, shortened
from tests.standin.backend import OpenSync
from tests.standin.faults import FAULTS_THAT_ANSWER, random_faults
from tests.standin.server import running
from tests.storm import victim

pytestmark = [pytest.mark.slow, shortened]

KILLS = length(200, 100)
SETTLED_WITHIN = 120.0


@pytest.mark.parametrize("batch_keeps_dates", [False, True])
def test_the_dashboard_survives_any_number_of_kills(tmp_path: Path, *, batch_keeps_dates: bool) -> None:
    chance = random.Random(20)  # noqa: S311 - a seed makes a run repeatable
    opensync = OpenSync(now=time.time, key=victim.key(), batch_keeps_dates=batch_keeps_dates)
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    with running(opensync) as server:
        server.faults = random_faults(chance, 0.2, FAULTS_THAT_ANSWER)
        recovered = 0
        for number in range(KILLS // 2):
            process = forked.process(victim.follow, tmp_path, server.url)
            process.start()
            _wait_for(tmp_path / "log", chance)
            for _ in range(chance.randrange(1, 6)):
                _write(sessions, chance, number)
            process.join(timeout=chance.random() * 0.15)  # the moment of the kill
            process.kill()
            process.join()
            recovered += any(log.stat().st_size for log in tmp_path.rglob("state.sqlite3-wal"))
        server.faults = random_faults(chance, 0.0)
        process = forked.process(victim.follow, tmp_path, server.url)
        process.start()
        try:
            expected = _expected(tmp_path, batch_keeps_dates=batch_keeps_dates)
            _until_equal(opensync, expected)
        finally:
            process.terminate()
            process.join(timeout=30)
    assert process.exitcode == 0
    assert recovered > KILLS // 8, "what was committed stood in the log alone"
    assert opensync.snapshot() == expected
    counters = opensync.counters
    assert (counters.lost_parts, counters.dropped_message_updates, counters.dropped_session_updates) == (
        0,
        0,
        0,
    )
    assert (counters.duplicate_rows, counters.orphan_sessions) == (0, 0)


def _wait_for(log: Path, chance: random.Random) -> None:
    """Now and then until the daemon follows, else kill it while it starts."""
    if chance.random() < 0.2:
        return
    size = log.stat().st_size if log.exists() else 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if log.exists() and b'"following"' in log.read_bytes()[size:]:
            return
        os.sched_yield()


def _write(sessions: Path, chance: random.Random, number: int) -> None:
    now = time.time()
    path = sessions / f"{number % 7}.jsonl"
    if not path.exists():
        path.write_bytes(line(header(path.stem, now)))
    call = f"call_{chance.randrange(3)}"
    items = [
        said("user", f"question {chance.random()}", now),
        said("assistant", f"answer {chance.random()}", now, usage=usage(), calls=[(call, "ls")]),
        result(call, "file", now),
    ]
    data = b"".join(line(item) for item in items[: chance.randrange(1, 4)])
    cut = chance.randrange(len(data))
    with path.open("ab", buffering=0) as file:
        file.write(data[:cut])
        file.write(data[cut:])


def _expected(folder: Path, *, batch_keeps_dates: bool) -> dict[str, object]:
    with World(
        folder / "calm", start=time.time(), tool_calls=True, batch_keeps_dates=batch_keeps_dates
    ) as calm:
        calm.place(folder / "sessions")
        calm.sync()
        return calm.snapshot()


def _until_equal(opensync: OpenSync, expected: dict[str, object]) -> None:
    wanted = json.dumps(expected, sort_keys=True)
    deadline = time.monotonic() + SETTLED_WITHIN
    while time.monotonic() < deadline:
        if json.dumps(opensync.snapshot(), sort_keys=True) == wanted:
            return
        time.sleep(0.2)  # a real process under a real clock: nothing to move but time
