"""The dashboard of one's own, filled by a process that is killed at random moments while transcripts grow."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.daemon.own import OwnWorld
from tests.harness import START, header, line, result, said, usage
from tests.lengths import length, shortened
from tests.storm import victim

KILLS = length(20, 10)
LONGEST = 0.6  # seconds that a process lives


@pytest.mark.slow
@shortened
def test_it_equals_the_transcripts_after_any_number_of_kills(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - a seed makes a run repeatable
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    for number in range(KILLS):
        _write(sessions, chance, number)
        process = forked.process(victim.index, tmp_path)
        process.start()
        process.join(timeout=chance.random() * LONGEST)
        process.kill()
        process.join()
    process = forked.process(victim.index, tmp_path)
    process.start()
    process.join()
    assert process.exitcode == 0
    with OwnWorld(tmp_path / "calm", sessions=sessions) as calm:
        calm.sync()
        expected = calm.shown()
    with OwnWorld(tmp_path / "killed", sessions=sessions, dashboard=tmp_path / "state" / "local") as killed:
        assert _lasting(killed.shown()) == _lasting(expected)


def _write(sessions: Path, chance: random.Random, number: int) -> None:
    """Turns of several sessions, and now and then a fork."""
    for _ in range(20):
        name = f"{chance.randrange(30)}"
        path = sessions / f"{name}.jsonl"
        at = START - 100_000 + 100 * number
        if not path.exists():
            of_parent = {"parentSession": str(sessions / "0.jsonl")} if chance.random() < 0.1 else {}
            path.write_bytes(line(header(name, at, **of_parent)))
        call = f"call_{number}_{chance.randrange(10**9)}"
        turn = (
            said("user", f"{name} asks {number} " * 50, at + 1),
            said("assistant", "answers " * 200, at + 2, usage=usage(), calls=[(call, "ls")]),
            result(call, "files " * 300, at + 3),
        )
        with path.open("ab") as file:
            file.write(b"".join(map(line, turn)))


def _lasting(shown: dict[str, Any]) -> dict[str, Any]:
    """Without what depends on when a session was put first."""
    return {
        name: {key: value for key, value in session.items() if key not in ("machine", "is_dated", "file")}
        for name, session in shown.items()
    }
