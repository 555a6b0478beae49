"""The SQLite file of the dashboard: one connection that writes, a few that read."""

import queue
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from pi_opensync import sqlite
from pi_opensync.dashboard.db.migrations import bring_up_to_date, is_up_to_date
from pi_opensync.files import require_private_folder
from pi_opensync.sqlite import Damaged, Database

# FULL: what was answered must be on disk, also if the power fails then.
_PRAGMAS = (
    "synchronous = FULL",
    "temp_store = MEMORY",
    # What is deleted, and what a message said before it changed, is overwritten.
    "secure_delete = ON",
    "mmap_size = 67108864",  # what is mapped counts as memory of ours
)
_CACHE_TO_WRITE, _CACHE_TO_READ = "cache_size = -16384", "cache_size = -4096"  # KiB
_BUSY_SECONDS = 10.0

T = TypeVar("T")

FILE = "opensync.sqlite3"  # in the folder of the dashboard


class Remembered:
    """What was worked out of the database, until something in it changes; at most `most` of it."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._known: dict[Hashable, tuple[int, Any]] = {}

    def of(self, name: Hashable, revision: int, work_out: Callable[[], T]) -> T:
        """Return what is known by a name as of a revision, or work it out."""
        known = self._known.get(name)
        if known is not None and known[0] == revision:
            value: T = known[1]
            return value
        value = work_out()
        if len(self._known) >= self._most:
            self._known = {}
        self._known[name] = (revision, value)
        return value


class ClosedError(RuntimeError):
    """The connections were used after `close`."""


class Connections:
    """Give out connections to threads. Open with `Connections.open`, close with `close`.

    Where a rollback journal is all that the disk allows, a commit waits for the reads under way; and a log
    grows while one lasts. So no read here may hold its view for long: what takes time is done with what was
    read, after the block.
    """

    def __init__(self, writer: Database, readers: list[Database]) -> None:
        self.path = writer.path
        self._writer = writer
        self._writing = threading.Lock()
        self._readers: queue.SimpleQueue[Database] = queue.SimpleQueue()
        self._reader_count = len(readers)
        self._closed = False
        self.remembered = Remembered()
        self._told: list[Callable[[], None]] = []
        for reader in readers:
            self._readers.put(reader)

    @classmethod
    def open(cls, path: Path, *, readers: int = 3, busy_seconds: float = _BUSY_SECONDS) -> "Connections":
        """Open or make the database, readable by its owner alone, and bring it to the newest schema.

        `busy_seconds` is how long a statement waits for another connection. Raises `StoreUnavailable` if the
        file is no database of ours or can not be written, OSError if it can not be made.
        """
        require_private_folder(path.parent)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

        def connect(mode: Literal["make", "write"], *pragmas: str) -> Database:
            return sqlite.open_private(
                path,
                (*_PRAGMAS, *pragmas),
                kind=Database,
                mode=mode,
                named_columns=True,
                any_thread=True,
                busy_seconds=busy_seconds,
            )

        try:
            writer = connect("make", _CACHE_TO_WRITE)
        except Damaged as error:
            raise damaged(path, error) from None
        opened = [writer]
        try:
            bring_up_to_date(writer)
            opened += (connect("write", _CACHE_TO_READ, "query_only = ON") for _ in range(readers))
        except BaseException:
            for database in opened:
                database.close()
            raise
        return cls(writer, opened[1:])

    @contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction: committed at the end of the block, rolled back if it raises, or can not be.

        Raises `StoreUnavailable`.
        """
        with self._writing:
            self._check_open()
            with self._writer.transaction():
                yield self._writer
        for tell in self._told:
            tell()

    def when_written(self, tell: Callable[[], None]) -> None:
        """Call `tell` after each commit, in the thread that wrote; it must neither wait nor raise."""
        self._told.append(tell)

    @contextmanager
    def read(self) -> Iterator[Database]:
        """One consistent view of the database for the length of the block. Raises `StoreUnavailable`."""
        self._check_open()
        reader = self._readers.get()
        try:
            with reader.snapshot():
                yield reader
        finally:
            self._readers.put(reader)
        if self._writer.has_traces:
            self.empty_log()

    def empty_log(self) -> None:
        """Move what was written into the file itself, where nobody is in the way; does not raise."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            if not self._closed:
                self._writer.empty_log()
        finally:
            self._writing.release()

    def close(self) -> None:
        """Wait for the reads and the write under way, then close the file. May be called twice."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            for _ in range(self._reader_count):
                self._readers.get().close()
            self._writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("The dashboard's database has been closed.")


def damaged(path: Path, error: Damaged) -> Damaged:
    """The error with what mends it: not as of the daemon's state, for what others sent is nowhere else."""
    hint = f"move all in {path.parent} away: pi's sessions are read again, what others sent is lost"
    return Damaged(error.message, hint=hint)


@contextmanager
def beside(path: Path) -> Iterator[Database | None]:
    """Give a file to read that a server may be writing; None where there is none, or one of another version.

    Raises `StoreUnavailable`.
    """
    if not path.exists():
        yield None
        return
    database = sqlite.open_private(path, kind=Database, mode="read", named_columns=True)
    try:
        with database.snapshot():
            yield database if is_up_to_date(database) else None
    finally:
        database.close()


def revision(database: Database) -> int:
    """Return the number of the last change to any session or message."""
    value: int = database.one("SELECT value FROM revision")
    return value


def next_revision(database: Database) -> int:
    database.run("UPDATE revision SET value = value + 1")
    return revision(database)
