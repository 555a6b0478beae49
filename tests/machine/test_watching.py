"""Events of the file system, and what becomes of the daemon without them: the same, only later."""

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver

from pi_opensync.daemon import run as daemon
from pi_opensync.read import watching
from pi_opensync.read.watching import Watcher
from tests.harness import session_id
from tests.machine.daemon import DaemonWorld
from tests.read.settled import put, settled, talk, turn

pytestmark = pytest.mark.slow

A = "a.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")
PATIENCE = 60.0  # seconds that a real event may take; it takes some milliseconds


class Heard:
    """What a watcher hints at, waited for without sleeping."""

    def __init__(self) -> None:
        self.paths: list[bytes | None] = []
        self.changed = threading.Condition()

    def __call__(self, path: bytes | None) -> None:
        with self.changed:
            self.paths.append(path)
            self.changed.notify_all()

    def of(self, path: Path) -> bool:
        """Whether a hint at this file comes."""
        with self.changed:
            return self.changed.wait_for(lambda: os.fsencode(path) in self.paths, PATIENCE)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sessions"
    made.mkdir()
    return made


@pytest.fixture
def watcher(folder: Path, heard: Heard) -> Iterator[Watcher]:
    made = Watcher((folder,), heard)
    yield made
    made.stop()


def emitters(watcher: Watcher) -> list[threading.Thread]:
    assert watcher.observer is not None
    return [*watcher.observer.emitters]


def end_by_an_exception(watcher: Watcher) -> None:
    """Its observer's loop ends; the emitters live on."""
    observer = watcher.observer
    assert observer is not None

    def raises(event_queue: object) -> None:  # noqa: ARG001 - its name is a part of what it stands for
        raise SystemExit

    observer.dispatch_events = raises  # type: ignore[method-assign]  # as a fault in it would
    observer.event_queue.put(observer.stop_event)  # what wakes it
    observer.join(PATIENCE)


def test_a_change_is_told(watcher: Watcher, folder: Path, heard: Heard) -> None:
    assert watcher.mend() is None
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


def test_what_is_no_transcript_is_not_told(watcher: Watcher, folder: Path, heard: Heard) -> None:
    watcher.mend()
    (folder / "notes.txt").write_bytes(b"x")
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)
    assert os.fsencode(folder / "notes.txt") not in heard.paths


@pytest.fixture
def no_watches(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """No inotify watches are left, until what this returns is called."""
    left = False
    really = BaseObserver.start

    def start(observer: BaseObserver) -> None:
        if not left:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        really(observer)

    def give() -> None:
        nonlocal left
        left = True

    monkeypatch.setattr(BaseObserver, "start", start)
    return give


def test_no_inotify_watches_left_is_said_and_tried_again(
    watcher: Watcher, folder: Path, heard: Heard, no_watches: Callable[[], None]
) -> None:
    threads = threading.active_count()
    for _ in range(5):
        assert watcher.mend() == "inotify watch limit reached"
        assert not watcher.is_alive
    assert threading.active_count() == threads
    no_watches()
    assert watcher.mend() is None
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


def test_no_inotify_instance_left_is_said_and_tried_again(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor is left for it either: the observer can not even be made."""

    def no_instance() -> BaseObserver:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    with monkeypatch.context() as patch:
        patch.setattr(watching, "Observer", no_instance)
        assert watcher.mend() == "inotify instance limit reached"
        assert not watcher.is_alive
    assert watcher.mend() is None
    assert watcher.is_alive


def test_the_daemon_without_inotify_watches_sweeps(
    world: DaemonWorld, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, no_watches: Callable[[], None]
) -> None:
    monkeypatch.setattr(daemon, "Watcher", Watcher)

    async def without() -> None:
        await asyncio.sleep(1)
        put(world, A, *talk("a", *TEXTS))
        await asyncio.sleep(10)
        assert world.texts(session_id("a")) == list(TEXTS)
        no_watches()
        world.append(A, turn("five", 4))
        await asyncio.sleep(30)

    world.watch(without)
    settled(world, elsewhere)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is meant
def test_an_observer_whose_thread_died_is_replaced_at_the_next_sweep(
    watcher: Watcher, folder: Path, heard: Heard
) -> None:
    watcher.mend()
    end_by_an_exception(watcher)
    assert not watcher.is_alive
    watcher.mend()
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


def test_an_emitter_whose_thread_died_is_replaced_at_the_next_sweep(
    watcher: Watcher, folder: Path, heard: Heard
) -> None:
    watcher.mend()
    for emitter in emitters(watcher):
        emitter.stop()  # type: ignore[attr-defined] # a watchdog thread
        emitter.join(PATIENCE)
    assert not watcher.is_alive
    watcher.mend()
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is meant
def test_threads_of_a_dead_observer_do_not_pile_up(watcher: Watcher) -> None:
    watcher.mend()
    threads = threading.active_count()
    for _ in range(3):
        end_by_an_exception(watcher)
        watcher.mend()
    assert threading.active_count() <= threads


def test_a_root_deleted_and_recreated_is_heard_again(watcher: Watcher, folder: Path, heard: Heard) -> None:
    watcher.mend()
    dying = emitters(watcher)
    folder.rmdir()
    for emitter in dying:
        emitter.join(PATIENCE)
    watcher.mend()
    folder.mkdir()
    watcher.mend()
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


def test_a_root_recreated_between_two_sweeps_is_heard_again(
    watcher: Watcher, folder: Path, heard: Heard
) -> None:
    watcher.mend()
    dying = emitters(watcher)
    folder.rmdir()
    folder.mkdir()
    for emitter in dying:
        emitter.join(PATIENCE)
    watcher.mend()
    assert watcher.is_alive
    (folder / A).write_bytes(b"{}\n")
    assert heard.of(folder / A)


def test_a_root_that_appears_later_is_heard(tmp_path: Path, heard: Heard) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    watcher = Watcher((here, there), heard)
    try:
        assert watcher.mend() is None
        assert not watcher.is_alive
        (here / A).write_bytes(b"{}\n")
        assert heard.of(here / A)
        there.mkdir()
        assert watcher.mend() is None
        assert watcher.is_alive
        (there / A).write_bytes(b"{}\n")
        assert heard.of(there / A)
    finally:
        watcher.stop()


def test_a_folder_made_while_we_watch_is_heard(watcher: Watcher, folder: Path, heard: Heard) -> None:
    watcher.mend()
    inner = folder / "--home--"
    inner.mkdir()
    with heard.changed:
        assert heard.changed.wait_for(lambda: None in heard.paths, PATIENCE), "a new folder wants a sweep"


def test_a_failing_listener_does_not_end_the_events(folder: Path) -> None:
    heard = Heard()

    def failing(path: bytes | None) -> None:
        heard(path)
        raise RuntimeError("the loop is closed")

    watcher = Watcher((folder,), failing)
    try:
        watcher.mend()
        (folder / A).write_bytes(b"{}\n")
        assert heard.of(folder / A)
        (folder / "b.jsonl").write_bytes(b"{}\n")
        assert heard.of(folder / "b.jsonl")
    finally:
        watcher.stop()


def test_the_watcher_thread_dies_while_the_daemon_runs(
    world: DaemonWorld, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Watcher] = []

    def remembered(*collaborators: Any) -> Watcher:
        made.append(Watcher(*collaborators))
        return made[-1]

    monkeypatch.setattr(daemon, "Watcher", remembered)
    put(world, A, *talk("a", *TEXTS))

    async def kill() -> None:
        await asyncio.sleep(10)
        assert made[0].is_alive
        for emitter in emitters(made[0]):
            emitter.stop()  # type: ignore[attr-defined] # a watchdog thread
            emitter.join(PATIENCE)
        world.append(A, turn("five", 4))
        await asyncio.sleep(20)
        assert world.texts(session_id("a"))[-1] == "five"
        assert made[0].is_alive

    world.watch(kill)
    settled(world, elsewhere)


def test_stopping_leaves_no_thread(folder: Path, heard: Heard) -> None:
    threads = threading.active_count()
    watcher = Watcher((folder,), heard)
    watcher.mend()
    watcher.stop()
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > threads and time.monotonic() < deadline:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and "inotify" in thread.name.lower():
                thread.join(PATIENCE)
    assert threading.active_count() <= threads
