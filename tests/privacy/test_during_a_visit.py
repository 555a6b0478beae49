"""What is said while a session's messages are on their way holds for the next request, not the next visit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pi_opensync.privacy import pauses as pausing
from tests.harness import World, session_id
from tests.read.settled import put, talk
from tests.standin.transport import Request

ID = session_id("a")
TEXTS = tuple(f"text {number}" for number in range(250))
BEFORE = 5  # messages that go before it is said


@pytest.fixture(params=[False, True], ids=["one by one", "batch"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with World(tmp_path, batch_keeps_dates=request.param) as made:
        yield made


def after_some(world: World, act: Callable[[], None]) -> None:
    """Do it when so many messages are on the server, while the next request is under way."""

    async def gate(_request: Request) -> None:
        if len(world.opensync.messages) >= BEFORE:
            world.transport.gate = None
            act()

    world.transport.gate = gate


def test_a_pause_lets_only_the_request_under_way_go(world: World) -> None:
    put(world, "a.jsonl", *talk("a", *TEXTS))
    after_some(world, lambda: pausing.pause(world.state, None))
    world.step()
    sent = len(world.opensync.messages)
    assert sent < len(TEXTS)
    world.step()
    assert len(world.opensync.messages) == sent
    assert pausing.resume(world.state)
    world.sync()
    assert world.texts(ID) == list(TEXTS)
    assert world.side_effects() == {}


def test_a_marker_lets_only_the_request_under_way_go(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with World(tmp_path) as world:
        put(world, "a.jsonl", *talk("a", *TEXTS, cwd=str(project)))
        after_some(world, (project / ".no-opensync").touch)
        world.step()
        sent = len(world.opensync.messages)
        assert sent == BEFORE + 1
        world.sync()
        assert len(world.opensync.messages) == sent
        assert world.tally().messages_waiting == 0
