"""What can not be read back, and what need not be sent: a failing read never stops a write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deliver.talks import numbered, write_session
from tests.deliver.tenth import limits, scaled
from tests.harness import START, World, said, session_id, usage
from tests.lengths import shortened
from tests.standin.faults import Busy, ErrorBefore, Fault, Html
from tests.standin.transport import Request

LIST = "/sync/sessions/list"
GET = "/api/sessions/get"
NOT_FOR_GOOD = b'{"error":"boom"}'
FAILS: list[Fault] = [
    ErrorBefore(500, NOT_FOR_GOOD),
    ErrorBefore(500, b'{"error":"Too many bytes read in a single function execution"}'),
    ErrorBefore(),
    ErrorBefore(400, NOT_FOR_GOOD),
    ErrorBefore(404, NOT_FOR_GOOD),
    ErrorBefore(413, NOT_FOR_GOOD),
    ErrorBefore(503, NOT_FOR_GOOD),
    Busy(429),
    Html(),
]

__all__ = ["limits"]  # a fixture


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def to(*paths: str) -> Any:
    return lambda request: request.path in paths


def posted(world: World) -> list[Request]:
    return [request for request in world.transport.log if request.method == "POST"]


@pytest.mark.parametrize("fault", FAILS, ids=str)
def test_an_account_that_can_not_be_listed_gets_what_is_new(world: World, fault: Fault) -> None:
    world.fail(fault, to(LIST))
    for name in "abc":
        write_session(world, name, 5)
    world.sync_until(START + 60)
    for name in "abc":
        assert world.texts(session_id(name)) == numbered(name, 5)
    assert len(world.sent(LIST)) <= 5
    assert world.side_effects() == {}
    assert world.tally().messages_parked == world.tally().sessions_parked == 0


def test_the_list_is_asked_for_again_after_an_hour(world: World) -> None:
    world.fail(ErrorBefore(500, NOT_FOR_GOOD), to(LIST))
    write_session(world, "a", 5)
    world.sync()
    asked = len(world.sent(LIST))
    world.clock.move(3601)
    write_session(world, "b", 5)
    world.sync()
    assert len(world.sent(LIST)) == asked + 1
    assert world.texts(session_id("b")) == numbered("b", 5)


def test_an_account_without_a_list_is_read_back_session_by_session(world: World) -> None:
    write_session(world, "a", 5)
    world.sync()
    world.clock.move(60)
    world.fail(ErrorBefore(500, NOT_FOR_GOOD), to(LIST))
    world.transport.log.clear()
    world.lose_state()
    world.sync()
    assert posted(world) == []
    assert world.tally().messages_delivered == 5


@pytest.mark.slow
@shortened
@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(("count", "asked"), [(1_200, 1), (1_650, 2)])
def test_of_a_large_account_as_many_sessions_are_left_alone_as_can_be_listed(
    world: World, count: int, asked: int
) -> None:
    """Of the 1,650 the stand-in lists 1,600 at most: those beyond what it lists are found by their rows."""
    for number in range(scaled(count)):
        write_session(world, f"s{number}", 1)
    world.sync(50_000)
    world.clock.move(3600)
    world.fail(ErrorBefore(500, NOT_FOR_GOOD), to(LIST))
    world.transport.log.clear()
    world.lose_state()
    world.sync(50_000)
    assert len(world.sent("/api/sessions")) == asked
    assert len(posted(world)) == scaled(max(0, count - 1_500) * (asked - 1))


@pytest.mark.parametrize("fault", FAILS, ids=str)
def test_of_a_session_that_can_not_be_read_back_what_is_new_goes(world: World, fault: Fault) -> None:
    write_session(world, "a", 5)
    world.sync()
    world.clock.move(60)
    world.append("a.jsonl", said("user", "a 5", world.clock.now()))
    world.fail(fault, to(GET))
    world.lose_state()
    world.sync_until(world.clock.now() + 120)
    assert world.texts(session_id("a")) == numbered("a", 6)
    assert len(world.sent(GET)) <= 5
    assert world.side_effects() == {}
    assert world.tally().messages_waiting == 0


def test_a_lost_state_touches_no_session_that_is_equal(world: World) -> None:
    """Every write puts its session on top of the dashboard, where a user looks for what is new."""
    for name in "abc":
        write_session(world, name, 5)
    world.sync()
    order = {name: row.updated_at for name, row in world.opensync.sessions.items()}
    world.clock.move(3600)
    world.transport.log.clear()
    world.lose_state()
    world.sync()
    assert posted(world) == []
    assert {name: row.updated_at for name, row in world.opensync.sessions.items()} == order
    assert world.tally().messages_delivered == 15
    assert world.tally().sessions_waiting == 0


def test_after_a_lost_state_what_is_new_is_sent_and_nothing_else(world: World) -> None:
    for name in "abc":
        write_session(world, name, 5)
    world.sync()
    world.clock.move(3600)
    world.append("b.jsonl", said("assistant", "b 5", world.clock.now(), usage=usage()))
    world.transport.log.clear()
    world.lose_state()
    world.sync()
    assert {request.json.get("textContent") for request in world.sent("/sync/message")} == {"b 5"}
    assert {request.json["externalId"] for request in world.sent("/sync/session")} == {session_id("b")}
    assert world.texts(session_id("b")) == numbered("b", 6)


def test_a_session_beyond_the_newest_is_found_by_putting_its_row(world: World) -> None:
    write_session(world, "a", 5)
    world.sync()
    world.clock.move(60)
    world.fail(ErrorBefore(500, NOT_FOR_GOOD), to("/api/sessions"))
    world.transport.log.clear()
    world.lose_state()
    world.sync()
    assert len(world.sent("/sync/session")) == 1
    assert world.sent("/sync/message") == []
    assert world.tally().messages_delivered == 5
