"""The transcript is the buffer: while the server is away, no more is read than a bounded backlog."""

from pathlib import Path

import pytest

from pi_opensync.read import decide
from tests.harness import World, session_id
from tests.read.settled import put, talk
from tests.standin.faults import Busy

pytestmark = pytest.mark.slow

MESSAGES = 3_000
SESSIONS = 6
PIECE = 4 << 20  # bytes that are read at a time; more than all of a session here


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "MAX_SESSION_BACKLOG", (100, 1 << 20))
    monkeypatch.setattr(decide, "MAX_BACKLOG", (300, 8 << 20))


def long_session(world: World, name: str) -> list[str]:
    texts = [f"{name} {number} " + "x" * 10_000 for number in range(MESSAGES)]
    put(world, f"{name}.jsonl", *talk(name, *texts))
    return texts


def test_a_long_session_is_read_on_as_it_is_delivered(tmp_path: Path) -> None:
    with World(tmp_path, batch_keeps_dates=True) as world:
        texts = long_session(world, "a")
        world.fail(Busy(503))
        world.step()
        waiting = world.tally().messages_waiting
        assert 0 < waiting < MESSAGES / 2
        world.clock.move(30)
        world.step()
        assert world.tally().messages_waiting == waiting, "it reads no more while nothing is delivered"
        assert world.tally().bytes_behind > 0
        world.fail(None)
        world.sync()
        assert world.texts(session_id("a")) == texts
        assert world.side_effects() == {}


def test_many_sessions_share_one_backlog(tmp_path: Path) -> None:
    with World(tmp_path, batch_keeps_dates=True) as world:
        world.fail(Busy(503))
        for number in range(SESSIONS):
            put(world, f"{number}.jsonl", *talk(f"s{number}", *(f"{number} {index}" for index in range(200))))
        world.step()
        assert world.tally().messages_waiting < SESSIONS * 200
        world.fail(None)
        world.sync()
        assert len(world.opensync.messages) == SESSIONS * 200
        assert world.side_effects() == {}
