"""A session file that was deleted while pi ran: pi recreates it by its next append, without a header."""

from pathlib import Path

import pytest

from pi_opensync.store.views import transcript_rows
from tests.harness import World, session_id
from tests.read.settled import put, talk, turn, turns

TEXTS = ("one one one", "two two two")
NAME = f"2026-11-20T10-00-00-000Z_{session_id('a')}.jsonl"
OTHER = "elsewhere.jsonl"


def recreate(world: World, name: str, *lines: bytes) -> None:
    """Another file at the old place, or at another one."""
    world.path(NAME).unlink()
    put(world, name, *lines)


@pytest.mark.parametrize("between", ["the same process", "another process"])
@pytest.mark.parametrize("seen_gone", [False, True])
def test_what_pi_writes_then_goes_on_with_the_session(world: World, between: str, *, seen_gone: bool) -> None:
    path = put(world, NAME, *talk("a", *TEXTS))
    world.sync()
    path.unlink()
    if seen_gone:
        world.sync()
    if between == "another process":
        world.restart()
    put(world, NAME, *turns("three", "four", first=2))
    world.sync()
    assert world.texts(session_id("a")) == [*TEXTS, "three", "four"]
    world.append(NAME, turn("five", 4))
    world.sync()
    session = world.snapshot()["sessions"][session_id("a")]
    assert session["messageCount"] == 5
    assert session["cost"] == pytest.approx(2 * 0.5)
    assert world.side_effects() == {}
    assert world.tally().broken_lines == 0


def test_it_is_known_by_the_id_in_its_name(world: World) -> None:
    recreated = f"2026-11-21T10-00-00-000Z_{session_id('a')}.jsonl"
    put(world, NAME, *talk("a", *TEXTS))
    world.sync()
    recreate(world, recreated, *turns("three", first=2))
    world.sync()
    assert world.texts(session_id("a")) == [*TEXTS, "three"]


def test_it_is_known_by_its_first_entrys_parent(world: World) -> None:
    put(world, NAME, *talk("a", *TEXTS))
    world.sync()
    parent = TEXTS[-1].encode().hex()[:32]
    line = turn("three", 2).replace(b'"parentId":null', b'"parentId":"' + parent.encode() + b'"')
    recreate(world, OTHER, line)
    world.sync()
    assert world.texts(session_id("a")) == [*TEXTS, "three"]


def test_what_belongs_to_no_known_session_is_named(world: World) -> None:
    path = put(world, OTHER, *turns("three", "four"))
    world.sync()
    assert world.snapshot()["sessions"] == {}
    (row,) = transcript_rows(world.engine.database).values()
    assert row.odd == "it holds no session of pi's"
    assert world.tally().transcripts_odd == 1
    assert path.exists()


@pytest.mark.parametrize("between", ["the same process", "another process"])
def test_what_was_met_before_its_session_goes_on_with_it(world: World, between: str) -> None:
    """A folder is synchronised file by file; what pi recreated may come first."""
    put(world, f"later/2026-11-21T10-00-00-000Z_{session_id('a')}.jsonl", *turns("three", first=2))
    world.sync()
    assert world.snapshot()["sessions"] == {}
    if between == "another process":
        world.restart()
    put(world, NAME, *talk("a", *TEXTS))
    world.sync()
    assert world.texts(session_id("a")) == [*TEXTS, "three"]
    assert world.tally().transcripts_odd == 0


def test_an_excluded_session_does_not_go_on(world: World, tmp_path: Path) -> None:
    client = tmp_path / "client"
    client.mkdir()
    (client / ".no-opensync").touch()
    put(world, NAME, *talk("a", *TEXTS, cwd=str(client)))
    world.sync()
    recreate(world, NAME, *turns("three", first=2))
    world.sync()
    assert world.snapshot()["sessions"] == {}
    assert world.transport.log == []
