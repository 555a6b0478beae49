"""The sessions folder itself: missing, late, deleted, unmounted, not ours to read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness import World, session_id
from tests.read.settled import fresh, put, settled, talk, turn

A = "--home-user--/a.jsonl"
B = "--home-user--/b.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")


@contextmanager
def denied(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> Iterator[None]:
    """Opening and listing these fails as for a user without permission; tests may run as root."""
    for path in paths:
        path.chmod(0)
    raw = {os.fsencode(path) for path in paths}
    really_open, really_scan = os.open, os.scandir

    def deny_open(path: Any, *rest: Any, **more: Any) -> Any:
        if path in raw:
            raise PermissionError(13, "Permission denied")
        return really_open(path, *rest, **more)

    def deny_scan(path: Any = ".") -> Any:
        if path in raw:
            raise PermissionError(13, "Permission denied")
        return really_scan(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", deny_open)
        patch.setattr(os, "scandir", deny_scan)
        yield
    for path in paths:
        path.chmod(0o700)


def test_permission_denied_and_given_back(
    world: World, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, A, *talk("a", *TEXTS))
    put(world, B, *talk("b", "uno", "due"))
    with denied(monkeypatch, world.path(A)):
        world.sync()
        assert world.texts(session_id("b")) == ["uno", "due"], "one file holds back no other"
        assert world.tally().transcripts_unreadable == 1
        assert world.engine.follow.problems == {os.fsencode(world.path(A)): "Permission denied"}
    settled(world, elsewhere)
    assert world.tally().transcripts_unreadable == 0
    assert world.engine.follow.problems == {}


def test_permission_denied_while_a_file_grows(
    world: World, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, A, *talk("a", *TEXTS))
    world.sync()
    with denied(monkeypatch, world.path(A)):
        world.append(A, turn("five", 4))
        world.sync()
        world.restart()
        world.sync()
        assert world.tally().transcripts_unreadable == 1
    settled(world, elsewhere)


def test_a_folder_denied_and_given_back(
    world: World, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, A, *talk("a", *TEXTS))
    put(world, "open/b.jsonl", *talk("b", "uno", "due"))
    with denied(monkeypatch, world.path(A).parent):
        world.sync()
        assert world.texts(session_id("b")) == ["uno", "due"]
        assert list(world.engine.follow.unreadable.values()) == ["Permission denied"]
    settled(world, elsewhere)


def test_a_root_that_is_missing_and_appears_later(world: World, elsewhere: Path) -> None:
    world.sessions.rmdir()
    world.restart()
    world.sync()
    assert world.engine.follow.unreadable == {os.fsencode(world.sessions): "No such file or directory"}
    put(world, A, *talk("a", *TEXTS))
    settled(world, elsewhere)
    assert world.engine.follow.unreadable == {}


def test_a_root_deleted_and_recreated(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *TEXTS))
    put(world, B, *talk("b", "uno", "due"))
    world.sync()
    there = world.snapshot()
    world.path(A).unlink()
    world.path(B).unlink()
    world.path(A).parent.rmdir()
    world.sessions.rmdir()
    world.sync()
    assert world.snapshot() == there
    put(world, B, *talk("b", "uno", "due", "tre"))
    world.sync()
    put(world, A, *talk("a", *TEXTS, "five"))
    settled(world, elsewhere)


@pytest.mark.parametrize("between", ["the same process", "another process"])
def test_mass_disappearance_is_not_mass_deletion(world: World, elsewhere: Path, between: str) -> None:
    """The file system that holds the root is unmounted: an empty folder stands in its place."""
    for number in range(20):
        put(world, f"p/{number}.jsonl", *talk(f"s{number}", *TEXTS))
    world.sync()
    there, known = world.snapshot(), world.tally()
    away = world.sessions.with_name("unmounted")
    world.sessions.rename(away)
    world.sessions.mkdir()
    asked = len(world.transport.log)
    if between == "another process":
        world.restart()
    world.sync()
    assert world.snapshot() == there
    assert world.tally() == known
    assert len(world.transport.log) == asked
    world.sessions.rmdir()
    away.rename(world.sessions)
    world.sync()
    assert len(world.transport.log) == asked, "nothing is sent again when they are back"
    world.append("p/3.jsonl", turn("five", 4))
    settled(world, elsewhere)


def test_a_mount_with_other_inode_numbers_when_it_comes_back(world: World, elsewhere: Path) -> None:
    """Network folders number their files anew at each mount."""
    put(world, A, *talk("a", *TEXTS))
    put(world, B, *talk("b", "uno", "due"))
    world.sync()
    asked = len(world.transport.log)
    for name in (A, B):
        copy = put(world, name + ".new", world.path(name).read_bytes())
        copy.replace(world.path(name))
    world.restart()
    world.sync()
    assert len(world.transport.log) == asked
    world.append(A, turn("five", 4))
    settled(world, elsewhere)


def test_a_file_that_vanishes_while_it_is_read(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *(f"{number} " + "x" * 30_000 for number in range(60))))
    world.sweep()
    world.engine.follow.read_next()
    data = world.path(A).read_bytes()
    world.path(A).unlink()
    world.sync()
    sent = world.texts(session_id("a"))
    assert 0 < len(sent) < 60
    put(world, A, data)
    settled(world, elsewhere)


def test_what_is_no_transcript_is_passed_over(world: World, elsewhere: Path) -> None:
    """A folder, a pipe, a dead link, a loop of links, an empty file: all named like transcripts."""
    put(world, A, *talk("a", *TEXTS))
    world.path("folder.jsonl").mkdir()
    os.mkfifo(world.path("pipe.jsonl"))
    world.path("dead.jsonl").symlink_to("nowhere")
    world.path("loop.jsonl").symlink_to("loop.jsonl")
    world.path("round").symlink_to(world.sessions)
    put(world, "empty.jsonl")
    world.sync()
    assert world.texts(session_id("a")) == list(TEXTS)
    assert world.tally().messages_waiting == 0
    os.unlink(world.path("pipe.jsonl"))  # noqa: PTH108 - the judgement copies the files, and none can copy a pipe
    world.path("round").unlink()
    assert fresh(world.sessions, elsewhere) == world.snapshot()
