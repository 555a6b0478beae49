"""While events are heard a daemon glances, and looks at every file now and then, and after every doubt."""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi_opensync.daemon.run import ALL_AGAIN
from pi_opensync.read.follow import Follow, Listing
from pi_opensync.read.glance import ACTIVE
from pi_opensync.read.watching import Watcher
from tests.harness import session_id
from tests.machine.daemon import DaemonWorld
from tests.read.settled import put, talk, turn

A = "a.jsonl"


class Silent:
    """A watcher that says it hears all, and tells nothing."""

    is_alive = True
    loses = False

    def __init__(self, *_collaborators: object) -> None: ...

    def mend(self) -> None: ...

    def heard_all(self) -> bool:
        return not self.loses

    def stop(self) -> None: ...


@pytest.fixture
def looks(world: DaemonWorld, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When every file was looked at; the files of the world were written long ago."""
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Silent)
    monkeypatch.setattr("pi_opensync.read.glance.are_heard", lambda _roots, _mounts: True)
    really, times = Follow.list_files, list[float]()

    def counted(follow: Follow) -> Listing:
        times.append(world.monotonic.now())
        return really(follow)

    monkeypatch.setattr(Follow, "list_files", counted)
    world.clock.move_to(time.time() + 2 * ACTIVE)
    return times


def test_an_append_whose_event_was_lost_is_found_within_minutes(
    world: DaemonWorld, looks: list[float]
) -> None:
    put(world, A, *talk("a", "one"))

    async def lose_an_event() -> None:
        await asyncio.sleep(ALL_AGAIN + 60)  # what is new is looked at until it was met twice
        assert world.texts(session_id("a")) == ["one"]
        world.append(A, turn("two", 1))
        await asyncio.sleep(ALL_AGAIN / 2)
        assert world.texts(session_id("a")) == ["one"]
        await asyncio.sleep(ALL_AGAIN)
        assert world.texts(session_id("a")) == ["one", "two"]

    world.watch(lose_an_event)
    assert len(looks) <= 4


def test_a_file_that_was_written_of_late_is_looked_at_again_and_again(
    world: DaemonWorld, looks: list[float]
) -> None:
    world.clock.move_to(time.time() + ACTIVE / 2)
    put(world, A, *talk("a", "one"))

    async def lose_an_event() -> None:
        await asyncio.sleep(30)
        world.append(A, turn("two", 1))
        await asyncio.sleep(60)
        assert world.texts(session_id("a")) == ["one", "two"]

    world.clock.move_to(time.time() + ACTIVE / 2)
    world.watch(lose_an_event)
    assert len(looks) <= 2


def test_a_new_file_is_found_without_an_event(world: DaemonWorld, looks: list[float]) -> None:
    async def lose_an_event() -> None:
        await asyncio.sleep(30)
        put(world, A, *talk("a", "one"))
        await asyncio.sleep(60)
        assert world.texts(session_id("a")) == ["one"]

    world.watch(lose_an_event)
    assert looks


@pytest.mark.parametrize("doubt", ["events were lost", "the machine slept"])
def test_after_a_doubt_every_file_is_looked_at(
    world: DaemonWorld, looks: list[float], doubt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, A, *talk("a", "one"))

    async def doubted() -> None:
        await asyncio.sleep(30)
        before = len(looks)
        world.append(A, turn("two", 1))
        if doubt == "events were lost":
            monkeypatch.setattr(Silent, "loses", True)
        else:
            world.suspend(60.0)
        await asyncio.sleep(70)
        assert world.texts(session_id("a")) == ["one", "two"]
        assert len(looks) > before

    world.watch(doubted)


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    made = Watcher((tmp_path,), lambda _path: None)
    yield made
    made.stop()


def test_who_begins_to_watch_did_not_hear_what_was_before(watcher: Watcher) -> None:
    watcher.mend()
    assert not watcher.heard_all()
    assert watcher.heard_all()
    watcher.stop()
    watcher.mend()
    assert not watcher.heard_all()


def test_events_that_the_system_dropped_are_a_doubt(watcher: Watcher) -> None:
    """watchdog says so by a line of its log, and by nothing else (`inotify_c.py`: IN_Q_OVERFLOW)."""
    watcher.mend()
    watcher.heard_all()
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    assert not watcher.heard_all()
    assert watcher.heard_all()
