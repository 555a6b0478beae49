"""Files that go somewhere else, alone or with their folder."""

from pathlib import Path

import pytest

from tests.harness import World, session_id
from tests.read.settled import put, settled, talk, turn, turns

A = "--home-user-webapp--/a.jsonl"
B = "--home-user-webapp--/b.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")


@pytest.fixture(params=["the same process", "another process"])
def between(request: pytest.FixtureRequest, world: World) -> str:
    put(world, A, *talk("a", *TEXTS))
    put(world, B, *talk("b", "uno", "due"))
    world.sync()
    return str(request.param)


def go_on(world: World, between: str) -> None:
    if between == "another process":
        world.restart()


def move(world: World, old: str, new: str) -> None:
    world.path(new).parent.mkdir(parents=True, exist_ok=True)
    world.path(old).rename(world.path(new))


def test_a_file_moved_between_folders_is_not_sent_again(world: World, between: str, elsewhere: Path) -> None:
    asked = len(world.transport.log)
    move(world, A, "--home-user-other--/a.jsonl")
    go_on(world, between)
    settled(world, elsewhere)
    assert len(world.transport.log) == asked + len(world.sent("/api/sessions/get")) + len(
        world.sent("/api/sessions")
    ), "only what `verify` reads is asked for"


def test_a_file_moved_and_grown(world: World, between: str, elsewhere: Path) -> None:
    move(world, A, "--home-user-other--/a.jsonl")
    world.append("--home-user-other--/a.jsonl", *turns("five", "six", first=4))
    go_on(world, between)
    settled(world, elsewhere)


def test_a_file_moved_to_another_file_system(world: World, between: str, elsewhere: Path) -> None:
    """A copy and a deletion: another inode."""
    data = world.path(A).read_bytes()
    put(world, "moved/a.jsonl", data, turn("five", 4))
    world.path(A).unlink()
    go_on(world, between)
    settled(world, elsewhere / "moved")
    world.append("moved/a.jsonl", turn("six", 5))
    settled(world, elsewhere / "grown")


def test_a_file_copied_then_deleted_at_its_old_place(world: World, between: str, elsewhere: Path) -> None:
    """A slow move: both are seen for a while."""
    put(world, "moved/a.jsonl", world.path(A).read_bytes())
    world.sync()
    world.path(A).unlink()
    world.sync()
    go_on(world, between)
    world.append("moved/a.jsonl", turn("five", 4))
    settled(world, elsewhere)


def test_a_folder_that_is_renamed(world: World, between: str, elsewhere: Path) -> None:
    move(world, "--home-user-webapp--", "renamed")
    go_on(world, between)
    world.append("renamed/a.jsonl", turn("five", 4))
    settled(world, elsewhere / "first")
    world.append("renamed/b.jsonl", turn("tre", 2))
    settled(world, elsewhere / "second")


@pytest.mark.parametrize(
    "texts",
    [
        ("uno", "due"),
        ("uno", "due", "tre", "quattro", "cinque", "sei"),
        tuple(text.upper() for text in TEXTS),
    ],
    ids=["shorter", "longer", "as long"],
)
def test_two_files_that_swap_their_names(
    world: World, between: str, elsewhere: Path, texts: tuple[str, ...]
) -> None:
    """Each then grows where it is."""
    put(world, B, *talk("b", *texts))
    world.sync()
    move(world, A, "aside")
    move(world, B, A)
    move(world, "aside", B)
    go_on(world, between)
    settled(world, elsewhere / "swapped")
    world.append(A, turn("growing", 8))
    world.append(B, turn("growing too", 8))
    world.sync()
    assert world.texts(session_id("a"))[-1] == "growing too"
    assert world.texts(session_id("b"))[-1] == "growing"


def test_files_renamed_in_a_row(world: World, between: str, elsewhere: Path) -> None:
    """As a rotation does: b takes the place of a, and a third one that of b."""
    put(world, "c.jsonl", *talk("c", "un", "deux", "trois", "quatre", "cinq"))
    world.sync()
    move(world, A, "archive/a.jsonl")
    move(world, B, A)
    move(world, "c.jsonl", B)
    go_on(world, between)
    for number, name in enumerate(("archive/a.jsonl", A, B)):
        world.append(name, turn(f"growing {number}", 8))
    settled(world, elsewhere)


def test_a_file_moved_out_and_back(world: World, between: str, elsewhere: Path) -> None:
    outside = world.sessions.parent / "outside.jsonl"
    world.path(A).rename(outside)
    world.sync()
    go_on(world, between)
    with outside.open("ab") as file:
        file.write(turn("five", 4))
    outside.rename(world.path(A))
    settled(world, elsewhere)


def test_a_moved_file_of_a_session_that_a_hint_names_first(world: World, elsewhere: Path) -> None:
    """Events come in any order: that of the old path, then that of the new one."""
    put(world, A, *talk("a", *TEXTS))
    world.sync()
    move(world, A, "moved/a.jsonl")
    world.hint(A)
    world.read()
    world.append("moved/a.jsonl", turn("five", 4))
    world.hint("moved/a.jsonl")
    world.hint(A)
    world.read()
    settled(world, elsewhere)
