"""A title that changes empties the session's search text on OpenSync: it is filled again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.talks import write_session
from tests.harness import START, World, entry, said, session_id
from tests.standin.faults import Busy, CutAfter, ErrorBefore, Fault

ID = session_id("a")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def rename(world: World, name: str) -> None:
    world.append("a.jsonl", entry(world.clock.now(), type="session_info", name=name))


def held(world: World) -> str:
    return world.opensync.sessions[ID].searchable_text or ""


def renamed(world: World, texts: int = 5, *, size: int = 0) -> None:
    """A session that was delivered, and then given a name."""
    write_session(world, "a", texts, size=size)
    world.sync()
    world.clock.move(60)
    rename(world, "What it is about")


def test_a_renamed_session_is_found_by_its_words_again(world: World) -> None:
    renamed(world)
    before = len(world.sent("/sync/message"))
    count = world.opensync.sessions[ID].message_count
    shown = world.texts(ID)
    world.sync()
    assert held(world).startswith("What it is about")
    assert all(f"a {number}" in held(world) for number in range(5))
    assert len(world.sent("/sync/message")) == before + 5
    assert world.opensync.sessions[ID].message_count == count
    assert world.texts(ID) == shown
    assert world.side_effects() == {}


def test_only_as_many_messages_go_as_the_search_text_holds(world: World) -> None:
    renamed(world, 50, size=1_000)
    before = len(world.sent("/sync/message"))
    world.sync()
    assert len(world.sent("/sync/message")) == before + 10
    assert len(held(world)) == 10_000


def test_many_short_messages_go_in_pieces(world: World) -> None:
    renamed(world, 250)
    world.sync()
    assert "a 0" in held(world)
    assert "a 249" in held(world)
    assert world.side_effects() == {}


def test_a_title_that_stays_sends_nothing_again(world: World) -> None:
    write_session(world, "a", 5)
    world.sync()
    sent = len(world.sent("/sync/message"))
    world.clock.move(60)
    rename(world, "a 0")
    world.append("a.jsonl", said("assistant", "six", world.clock.now()))
    world.sync()
    assert len(world.sent("/sync/message")) == sent + 1


def test_two_names_one_after_another_fill_it_once(world: World) -> None:
    renamed(world)
    sent = len(world.sent("/sync/message"))
    world.sync_until(world.clock.now() + 2)
    rename(world, "No, about this")
    world.sync()
    assert held(world).startswith("No, about this")
    assert "a 4" in held(world)
    assert len(world.sent("/sync/message")) <= sent + 10


@pytest.mark.parametrize(
    "fault",
    [ErrorBefore(), ErrorBefore(500, b'{"error":"boom"}'), CutAfter(), Busy(503)],
    ids=str,
)
def test_what_fails_meanwhile_is_made_up_for(world: World, fault: Fault) -> None:
    renamed(world)
    failed = 0

    def once(path: str) -> Fault | None:
        nonlocal failed
        failed += path == "/sync/message"
        return fault if path == "/sync/message" and failed == 3 else None

    world.transport.faults = lambda _method, path: once(path)
    world.sync()
    assert all(f"a {number}" in held(world) for number in range(5))
    assert world.side_effects() == {}


def test_another_process_takes_over(world: World) -> None:
    renamed(world)
    world.sync_until(world.clock.now() + 1)
    assert "a 3" not in held(world)
    world.restart()
    world.sync()
    assert all(f"a {number}" in held(world) for number in range(5))


def test_a_session_that_can_not_be_read_back_is_left_so(world: World) -> None:
    renamed(world)
    world.fail(ErrorBefore(500, b'{"error":"boom"}'), lambda request: request.path == "/api/sessions/get")
    world.sync_until(START + 600)
    assert held(world) == "What it is about"
    assert len(world.sent("/api/sessions/get")) <= 4
    assert world.opensync.sessions[ID].title == "What it is about"
    assert world.engine.delivery.is_idle
