"""Events of the file system, as hints. Whatever is missed here, a sweep finds."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pi_opensync.pi.discover import SUFFIX

_WATCHDOG = logging.getLogger("watchdog")
# Not the opening and closing of files: our own reading would wake us.
EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


class Watcher:
    """Watches folders; `hint(path)` for a transcript, `hint(None)` for a folder that wants a sweep.

    `hint` is called from another thread.
    """

    def __init__(self, folders: tuple[Path, ...], hint: Callable[[bytes | None], None]) -> None:
        self._folders = folders
        self._handler = _Handler(hint)
        self.observer: BaseObserver | None = None
        self._watched: set[Path] = set()
        self._complaints = _Complaints()
        self._is_in_doubt = True

    def heard_all(self) -> bool:
        """Whether events of every folder arrived, and none was lost, ever since this was asked last."""
        were_lost, self._is_in_doubt = self._is_in_doubt or self._complaints.taken(), False
        return self.is_alive and not were_lost

    @property
    def is_alive(self) -> bool:
        """Whether events of every folder arrive."""
        return self._watched == set(self._folders) and self._threads_live()

    def mend(self) -> str | None:
        """Watch what is not watched yet; returns why that is not possible now, in a few words.

        To be called at every sweep: folders appear, threads die, limits are raised.
        """
        present = tuple(folder for folder in self._folders if folder.is_dir())
        if self.observer is not None and self._watched == set(present) and self._threads_live():
            return None
        self.stop()
        self._is_in_doubt = True
        if not present:
            return None
        observer: BaseObserver | None = None
        try:
            observer = Observer()
            for folder in present:
                observer.schedule(self._handler, str(folder), recursive=True, event_filter=EVENTS)
            self._complaints.listen()
            observer.start()
        except OSError as error:
            if observer is not None:
                observer.stop()
            return error.strerror or "no events"
        self.observer = observer
        self._watched = set(present)
        return None

    def stop(self) -> None:
        self._complaints.ignore()
        observer, self.observer, self._watched = self.observer, None, set()
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join(timeout=5)

    def _threads_live(self) -> bool:
        observer = self.observer
        return (
            observer is not None
            and observer.is_alive()
            and len(observer.emitters) == len(self._watched)
            and all(emitter.is_alive() for emitter in observer.emitters)
        )


class _Complaints(logging.Handler):
    """What watchdog warns of: that the system dropped events, or that a folder can not be watched."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._came = False

    def listen(self) -> None:
        _WATCHDOG.addHandler(self)

    def ignore(self) -> None:
        _WATCHDOG.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self._came = True

    def taken(self) -> bool:
        """Whether one came since this was asked last."""
        came, self._came = self._came, False
        return came


class _Handler(FileSystemEventHandler):
    def __init__(self, hint: Callable[[bytes | None], None]) -> None:
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        try:
            if event.is_directory:
                self._hint(None)
                return
            for path in (event.src_path, event.dest_path):
                raw = os.fsencode(path) if path else b""
                if raw.endswith(SUFFIX):
                    self._hint(raw)
        except Exception:  # noqa: BLE001, S110 - an exception here would end watchdog's thread; a sweep makes up for it
            pass
