"""Files that change other than by growing: whatever pi, a user or a backup makes of them."""

import os
from pathlib import Path
from zlib import crc32

import pytest

from tests.harness import World, header, line, said, session_id, usage
from tests.read.settled import THEN, another_time, put, put_over, settled, talk, turn, turns

NAME = "--home-user--/a.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")


@pytest.fixture(params=["the same process", "another process"])
def between(request: pytest.FixtureRequest, world: World) -> str:
    """Whether the daemon that meets the rewritten file is the one that read the old one."""
    put(world, NAME, *talk("a", *TEXTS))
    world.sync()
    return str(request.param)


def go_on(world: World, between: str) -> None:
    if between == "another process":
        world.restart()


def test_a_rewrite_of_the_same_size(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, *talk("a", "one one one", "TWO TWO TWO", "three three", "four four four"))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == ["one one one", "TWO TWO TWO", "three three", "four four four"]


def test_a_rewrite_of_the_same_size_and_time(world: World, between: str, elsewhere: Path) -> None:
    before = world.path(NAME).stat()
    go_on(world, between)
    path = put(world, NAME, *talk("a", "one one one", "two two two", "THREE THREE", "four four four"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    settled(world, elsewhere)


def test_a_smaller_rewrite(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, *talk("a", "one one one", "2"))
    settled(world, elsewhere, kept=["three three", "four four four"])


def test_a_larger_rewrite(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, *talk("a", "one, and more", *TEXTS[1:], "five", "six"))
    settled(world, elsewhere)


def test_a_larger_rewrite_with_another_session(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, *talk("b", *TEXTS, "five", "six"))
    settled(world, elsewhere, kept=TEXTS)


def test_a_smaller_rewrite_with_another_session(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, *talk("b", "a new one"))
    settled(world, elsewhere, kept=TEXTS)


def test_a_file_that_is_empty_while_it_is_rewritten(world: World, between: str, elsewhere: Path) -> None:
    put(world, NAME)
    world.sync()
    assert world.texts(session_id("a")) == list(TEXTS)
    go_on(world, between)
    put(world, NAME, *talk("a", *TEXTS, "five"))
    settled(world, elsewhere)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_half_a_file_while_it_is_rewritten(world: World, between: str, elsewhere: Path, share: float) -> None:
    """The half is seen for a moment only; read as if it were all, it would make the session forget."""
    whole = b"".join(talk("a", *TEXTS, "five"))
    put(world, NAME, whole[: int(len(whole) * share)])
    world.step()
    world.clock.move(0.3)
    world.step()
    go_on(world, between)
    put(world, NAME, whole)
    settled(world, elsewhere)


def test_half_a_file_that_stays(world: World, between: str, elsewhere: Path) -> None:
    """pi died in the middle of a rewrite, and comes back a day later."""
    lines = talk("a", "one, and more", *TEXTS[1:])
    put(world, NAME, *lines[:3], lines[3][:30])
    settled(world, elsewhere / "half", kept=TEXTS[2:])
    world.clock.move(86_400)
    go_on(world, between)
    put(world, NAME, *lines)
    settled(world, elsewhere / "whole")


def test_a_file_renamed_over(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put_over(world, NAME, *talk("a", *TEXTS[:3], "FOUR", "five"))
    settled(world, elsewhere)


def test_a_smaller_file_renamed_over(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put_over(world, NAME, *talk("a", *TEXTS[:2]))
    settled(world, elsewhere, kept=TEXTS[2:])


def test_another_session_renamed_over(world: World, between: str, elsewhere: Path) -> None:
    """The session whose file moved goes on in its new place."""
    put(world, "b.jsonl", *talk("b", "uno", "due"))
    world.sync()
    go_on(world, between)
    world.path("b.jsonl").replace(world.path(NAME))
    settled(world, elsewhere / "moved", kept=TEXTS)
    world.append(NAME, *turns("tre", "quattro", first=2))
    settled(world, elsewhere / "grown", kept=TEXTS)


def test_a_file_deleted_and_recreated(world: World, between: str, elsewhere: Path) -> None:
    world.path(NAME).unlink()
    world.sync()
    go_on(world, between)
    put(world, NAME, *talk("a", *TEXTS, "five"))
    settled(world, elsewhere)


def test_a_file_deleted_and_recreated_with_another_session(
    world: World, between: str, elsewhere: Path
) -> None:
    world.path(NAME).unlink()
    go_on(world, between)
    put(world, NAME, *talk("b", "new", "words"))
    settled(world, elsewhere / "new", kept=TEXTS)
    put(world, "found-again.jsonl", *talk("a", *TEXTS, "five"))
    settled(world, elsewhere / "both")


def test_an_inode_that_is_used_again(world: World, between: str, elsewhere: Path) -> None:
    """A rename and a rewrite between two looks: the old path is gone, the inode stands at a new one."""
    old = world.path(NAME)
    number = old.stat().st_ino
    old.rename(world.path("other.jsonl"))
    go_on(world, between)
    path = put(world, "other.jsonl", *talk("b", *TEXTS, "and more of it than before"))
    assert path.stat().st_ino == number
    settled(world, elsewhere / "b", kept=TEXTS)
    put(world, NAME, *talk("a", *TEXTS, "five"))
    world.append("other.jsonl", turn("six", 5))
    settled(world, elsewhere / "both")


def test_a_restored_backup(world: World, between: str, elsewhere: Path) -> None:
    """The backup is older and shorter; the session goes on from there, with other words."""
    backup = world.path(NAME).read_bytes()
    before = world.path(NAME).stat()
    world.append(NAME, *turns("five", "six", first=4))
    world.sync()
    go_on(world, between)
    path = put_over(world, NAME, backup)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    settled(world, elsewhere / "restored", kept=["five", "six"])
    world.append(NAME, turn("another five", 6), turn("another six", 7))
    settled(world, elsewhere / "went on", kept=["five", "six"])
    assert world.texts(session_id("a"))[-2:] == ["another five", "another six"]


def test_a_torn_tail_that_pi_repairs(world: World, between: str, elsewhere: Path) -> None:
    whole = world.path(NAME).read_bytes()
    torn = turn("five", 4)
    world.append(NAME, torn[:40])
    world.sync()
    go_on(world, between)
    put(world, NAME, whole)
    world.sync()
    world.append(NAME, turn("another five", 4))
    settled(world, elsewhere)


def test_an_invalid_file_that_pi_resets(world: World, between: str, elsewhere: Path) -> None:
    go_on(world, between)
    put(world, NAME, line(header("b", THEN)))
    world.sync()
    world.append(NAME, turn("words", 0))
    settled(world, elsewhere, kept=TEXTS)


def test_a_session_of_a_header_alone_does_not_wait_for_ever(world: World, elsewhere: Path) -> None:
    """`status` and `verify` say of it what delivery does with it."""
    put(world, NAME, line(header("a", THEN)))
    settled(world, elsewhere)


def test_a_rewrite_between_two_pieces_of_a_large_file(world: World, elsewhere: Path) -> None:
    """The cursor stands in the middle of the file when it is rewritten."""
    texts = [f"{number} " + "x" * 30_000 for number in range(100)]
    put(world, NAME, *talk("a", *texts))
    world.sweep()
    world.engine.follow.read_next()
    world.deliver()
    put(world, NAME, *talk("a", "another beginning", *texts[1:]))
    settled(world, elsewhere)


def old_session(*texts: str) -> list[dict[str, object]]:
    """As version 1 wrote: no ids, no version, the model in the header."""
    first = header("old", 1_770_000_000, provider="fake", modelId="fake-1")
    del first["version"]
    entries = [first]
    for number, text in enumerate(texts):
        at = 1_770_000_000 + 10 * (number // 2)  # a question and its answer share a moment
        role = ("user", "assistant", "hookMessage")[number % 3]
        more = {"usage": usage()} if role == "assistant" else {"display": True} if number % 3 == 2 else {}
        item = said(role, text, at, **more)
        del item["id"], item["parentId"]
        entries.append(item)
    return entries


def migrated(entries: list[dict[str, object]], salt: str) -> list[bytes]:
    """As pi rewrites an old file: `version` behind the old keys, ids drawn at random, roles renamed."""
    lines = [line({**entries[0], "version": 3})]
    for number, item in enumerate(entries[1:]):
        message = dict(item["message"])  # type: ignore[call-overload] # a message is an object
        if message["role"] == "hookMessage":
            message["role"] = "custom"
        drawn = f"{crc32(f'{salt}{number}'.encode()):08x}"
        lines.append(line({**item, "id": drawn, "parentId": None, "message": message}))
    return lines


@pytest.mark.parametrize("between", ["the same process", "another process"])
@pytest.mark.parametrize("seen", [(), (0.0,), (0.5,), (0.0, 0.3, 0.9)], ids=str)
def test_a_migration_from_version_1_to_3_while_we_watch(
    world: World, between: str, seen: tuple[float, ...], elsewhere: Path
) -> None:
    entries = old_session(*(f"words {number}" for number in range(12)))
    put(world, "old.jsonl", *map(line, entries[:7]))
    world.sync()
    world.append("old.jsonl", *map(line, entries[7:]))
    world.sync()
    sent = world.snapshot()
    lines = migrated(entries, "first")
    whole = b"".join(lines)
    for share in seen:
        put(world, "old.jsonl", whole[: int(len(whole) * share)])
        world.step()
        world.clock.move(0.2)
    go_on(world, between)
    put(world, "old.jsonl", whole)
    settled(world, elsewhere / "migrated")
    assert world.snapshot() == sent
    world.append("old.jsonl", line(said("user", "a new word", 1_770_009_000, "0badcafe")))
    settled(world, elsewhere / "went on")


def test_a_rewrite_that_drops_malformed_lines(world: World, elsewhere: Path) -> None:
    lines = talk("a", *TEXTS)
    put(world, NAME, *lines[:2], b'{"type":"mess\n', *lines[2:])
    world.sync()
    assert world.tally().broken_lines == 1
    another_time(put(world, NAME, *lines))
    settled(world, elsewhere)
    assert world.tally().broken_lines == 0


def test_a_rewrite_while_the_old_words_still_wait(world: World, elsewhere: Path) -> None:
    """What was read and not sent before the file was rewritten: the file's last word counts."""
    put(world, NAME, *talk("a", *TEXTS))
    world.sweep()
    world.read()
    put(world, NAME, *talk("a", "ONE", "two two two"))
    world.sweep()
    world.read()
    world.clock.move(2)
    settled(world, elsewhere, kept=TEXTS[2:])


def test_a_fork_that_is_read_while_its_parent_is_rewritten_names_it_in_the_end(
    world: World, elsewhere: Path
) -> None:
    """pi empties a file before it writes it anew; the parent itself may not have been looked at then."""
    lines = talk("a", "one", "two")
    parent = put(world, "a.jsonl", *lines)
    world.sync()
    parent.write_bytes(b"")
    fork = header("b", THEN + 50, parentSession=str(parent))
    put(world, "b.jsonl", line(fork), *lines[1:])
    world.hint("b.jsonl")
    world.read()
    put(world, "a.jsonl", *lines)
    settled(world, elsewhere)
    assert world.titles()[session_id("b")].startswith(f"[Fork::{session_id('a')[:8]}]")
