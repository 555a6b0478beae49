"""A last line without its newline: a full disk or a crash left it so, or pi is writing it just now."""

from pathlib import Path

from tests.harness import World, session_id
from tests.read.settled import put, settled, talk, turn

A = "a.jsonl"


def test_a_whole_last_line_that_rests_is_an_entry(world: World, elsewhere: Path) -> None:
    *lines, last = talk("a", "one", "two", "three")
    put(world, A, *lines, last.rstrip(b"\n"))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == ["one", "two", "three"]


def test_read_again_with_its_newline_it_is_the_same_message(world: World, elsewhere: Path) -> None:
    *lines, last = talk("a", "one", "two", "three")
    put(world, A, *lines, last.rstrip(b"\n"))
    world.sync()
    sent = len(world.sent("/sync/message"))
    world.append(A, b"\n")
    world.sync()
    assert len(world.sent("/sync/message")) == sent
    world.append(A, turn("four", 3))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == ["one", "two", "three", "four"]


def test_a_line_that_is_written_just_now_waits_until_it_rests(world: World) -> None:
    *lines, last = talk("a", "one", "two", "three")
    world.append(A, *lines, last.rstrip(b"\n"))
    due = world.step()
    assert "three" not in world.texts(session_id("a"))
    assert due is not None
    assert due <= world.clock.now() + 2
    world.sync()
    assert world.texts(session_id("a")) == ["one", "two", "three"]


def test_a_torn_last_line_is_not_yet_anything(world: World, elsewhere: Path) -> None:
    *lines, last = talk("a", "one", "two", "three")
    put(world, A, *lines, last[:40])
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == ["one", "two"]
    assert world.tally().broken_lines == 0


def test_what_is_glued_to_it_is_read_as_well(world: World, elsewhere: Path) -> None:
    """pi resumed, and wrote its next entry behind the line that had no newline."""
    *lines, last = talk("a", "one", "two", "three")
    put(world, A, *lines, last.rstrip(b"\n"))
    world.sync()
    world.append(A, turn("four", 3))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == ["one", "two", "three", "four"]
