"""One session in more than one file: the longest is the one to read, and none takes it back and forth."""

import os
from pathlib import Path

import pytest

from tests.harness import World, session_id
from tests.read.settled import put, settled, talk, turn, turns

A = "a.jsonl"
COPY = "backup/a.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")


@pytest.fixture(params=["the same process", "another process"])
def between(request: pytest.FixtureRequest, world: World) -> str:
    put(world, A, *talk("a", *TEXTS))
    world.sync()
    return str(request.param)


def go_on(world: World, between: str) -> None:
    if between == "another process":
        world.restart()


def written(world: World) -> int:
    return (
        len(world.sent("/sync/session")) + len(world.sent("/sync/message")) + len(world.sent("/sync/batch"))
    )


def test_a_copy_is_not_sent_again(world: World, between: str, elsewhere: Path) -> None:
    before = written(world)
    put(world, COPY, world.path(A).read_bytes())
    go_on(world, between)
    settled(world, elsewhere)
    assert written(world) == before


def test_a_shorter_copy_changes_nothing(world: World, between: str, elsewhere: Path) -> None:
    put(world, COPY, *talk("a", *TEXTS[:2]))
    go_on(world, between)
    settled(world, elsewhere / "copied")
    world.append(A, turn("five", 4))
    settled(world, elsewhere / "grown")


def test_a_longer_copy_wins(world: World, between: str, elsewhere: Path) -> None:
    put(world, COPY, *talk("a", *TEXTS, "five", "six"))
    go_on(world, between)
    settled(world, elsewhere)


def test_a_copy_that_outgrows_its_original_wins(world: World, between: str, elsewhere: Path) -> None:
    put(world, COPY, world.path(A).read_bytes())
    world.sync()
    go_on(world, between)
    world.append(COPY, turn("five", 4))
    settled(world, elsewhere / "copy")
    world.append(A, *turns("five", "six", first=4))
    settled(world, elsewhere / "original")


def test_two_copies_that_grow_by_turns_do_not_play_ping_pong(world: World, between: str) -> None:
    """What is read again is not sent again: a message is written once, however often the file changes."""
    put(world, COPY, world.path(A).read_bytes())
    for number in range(4, 16):
        world.append(A if number % 3 else COPY, turn(f"words {number}", number))
        if number % 3 == 0:
            put(world, A, world.path(COPY).read_bytes() if number % 2 else world.path(A).read_bytes())
        world.sync()
    go_on(world, between)
    before = written(world)
    for _ in range(5):
        world.clock.move(60)
        world.step()
    assert written(world) == before
    ids = [request.json["externalId"] for request in world.sent("/sync/message")]
    assert len(ids) == len(set(ids))
    assert world.side_effects() == {}


def test_a_copy_that_is_restored_over_the_original(world: World, between: str, elsewhere: Path) -> None:
    put(world, COPY, world.path(A).read_bytes())
    world.append(A, turn("five", 4))
    world.sync()
    world.path(COPY).replace(world.path(A))
    go_on(world, between)
    settled(world, elsewhere / "restored", kept=["five"])
    world.append(A, turn("another five", 5))
    settled(world, elsewhere / "grown", kept=["five"])


def test_the_longest_copy_is_deleted(world: World, between: str, elsewhere: Path) -> None:
    put(world, COPY, *talk("a", *TEXTS, "five", "six"))
    world.sync()
    world.path(COPY).unlink()
    go_on(world, between)
    before = world.snapshot()
    world.sync()
    assert world.snapshot() == before
    world.append(A, turn("another five", 6))
    settled(world, elsewhere, kept=["five", "six"])


def test_a_copy_that_went_its_own_way_is_read_when_the_longer_one_goes(world: World, between: str) -> None:
    """Its own words were never sent: they are all that is left of the session now."""
    put(world, COPY, *talk("a", *TEXTS[:3], "a fourth of its own"))
    world.append(A, *turns("five", "six", first=4))
    world.sync()
    world.path(A).unlink()
    go_on(world, between)
    world.sync()
    assert "a fourth of its own" in world.texts(session_id("a"))


def test_a_copy_is_read_when_the_longer_file_becomes_another_session(
    world: World, between: str, elsewhere: Path
) -> None:
    put(world, COPY, *talk("a", *TEXTS))
    world.sync()
    put(world, A, *talk("b", *TEXTS, "five"))
    go_on(world, between)
    world.append(COPY, turn("five of a", 4))
    settled(world, elsewhere)


def test_a_copy_within_one_folder_under_another_name(world: World, between: str, elsewhere: Path) -> None:
    put(world, "a (copy).jsonl", world.path(A).read_bytes())
    go_on(world, between)
    world.append(A, turn("five", 4))
    settled(world, elsewhere)


def test_a_hard_link_and_a_symbolic_link_are_one_file(world: World, between: str, elsewhere: Path) -> None:
    os.link(world.path(A), world.path("linked.jsonl"))
    world.path("z.jsonl").symlink_to(A)
    go_on(world, between)
    world.append("linked.jsonl", turn("five", 4))
    settled(world, elsewhere)


def test_two_copies_seen_for_the_first_time_together(world: World, elsewhere: Path) -> None:
    put(world, "a/short.jsonl", *talk("a", *TEXTS[:2]))
    put(world, "b/long.jsonl", *talk("a", *TEXTS))
    put(world, "c/short.jsonl", *talk("a", *TEXTS[:3]))
    settled(world, elsewhere)


def test_a_session_in_another_sessions_file_and_in_its_own(world: World, elsewhere: Path) -> None:
    """Some versions wrote a child's header and entries into its parent's file as well."""
    child = talk("child", "uno", "due")
    put(world, "parent.jsonl", *talk("parent", *TEXTS), *child)
    world.sync()
    put(world, "child.jsonl", *child)
    settled(world, elsewhere / "both")
    world.append("child.jsonl", turn("tre", 2))
    settled(world, elsewhere / "grown")


@pytest.mark.parametrize("count", [0, 2])
def test_a_backup_that_is_restored_elsewhere_as_the_original_goes_is_all_there_is(
    world: World, count: int
) -> None:
    """What was delivered stays; title and sums are those of what is left."""
    put(world, A, *talk("a", *TEXTS))
    world.sync()
    world.path(A).unlink()
    put(world, COPY, *talk("a", *TEXTS[:count]))
    world.sync()
    session = world.snapshot()["sessions"][session_id("a")]
    assert session["title"] == ("Untitled" if count == 0 else TEXTS[0])
    assert session["cost"] == pytest.approx(0.5 * (count // 2))
    assert world.texts(session_id("a")) == list(TEXTS)
    assert world.side_effects() == {}
    asked = len(world.transport.log)
    world.step()
    assert len(world.transport.log) == asked
