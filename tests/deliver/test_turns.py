"""A turn in progress: when it is shown, and when it is completed."""

from pathlib import Path

import pytest

from tests.deliver.talks import says
from tests.harness import START, World, header, result, said
from tests.standin.faults import ErrorBefore

DAY = 86_400.0
REFUSED = ErrorBefore(500, b'{"error":"Error: ArgumentValidationError: Value does not match validator."}')
UNCLEAR = ErrorBefore(500, b'{"error":"boom"}')


def write_turn(world: World) -> None:
    """A question, and an answer that runs a command; both now."""
    now = world.clock.now()
    answer = said("assistant", "Looking", now, "a1", calls=[("call-1", "ls")], stopReason="toolUse")
    world.append("s.jsonl", header("s", now), said("user", "List", now - 0.1), answer)


def parts(world: World) -> list[str]:
    """The kinds of the answer's parts, none where it is not there."""
    rows = [row for row in world.opensync.messages.values() if row.role == "assistant"]
    return [part["type"] for row in rows for part in row.parts]


ASKED = ["text", "tool-call"]
ANSWERED = ["text", "tool-call", "tool-result"]


@pytest.mark.parametrize("skew", [-40.0, -2.0, 0.0, 2.0, 40.0])
def test_a_turn_in_progress_is_shown_after_two_seconds_and_completed_after_the_servers_window(
    tmp_path: Path, skew: float
) -> None:
    with World(tmp_path, tool_calls=True, skew=skew) as world:
        write_turn(world)
        world.sync_until(START + 1.9)
        assert parts(world) == []
        world.sync_until(START + 2)
        assert parts(world) == ASKED
        world.sync_until(START + 3)
        world.append("s.jsonl", result("call-1", "README.md", START + 3))
        world.sync()
        assert parts(world) == ANSWERED
        assert sum(map(says("Looking"), world.transport.log)) == 2
        completed_at = world.sent_at("/sync/message")[-1]
        assert completed_at <= max(START + 3, START + 5 - skew) + 2
        assert world.side_effects() == {}


def test_a_turn_with_a_short_tool_is_sent_once_complete_and_at_once(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True) as world:
        write_turn(world)
        world.sync_until(START + 1)
        world.append("s.jsonl", result("call-1", "README.md", START + 1))
        world.step()
        assert parts(world) == ANSWERED
        world.sync()
        assert sum(map(says("Looking"), world.transport.log)) == 1


def test_a_turn_whose_process_died_is_left_as_sent(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True) as world:
        write_turn(world)
        world.sync()
        world.clock.move(DAY)
        world.restart()
        world.sync()
        assert parts(world) == ASKED
        assert sum(map(says("Looking"), world.transport.log)) == 1
        assert world.tally().messages_waiting == 0


def test_what_is_said_after_an_open_turn_waits_for_it(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True) as world:
        write_turn(world)
        world.append("s.jsonl", said("user", "And now?", START + 0.5))
        world.sync()
        assert [message.role for message in world.opensync.messages.values()] == ["user", "assistant", "user"]
