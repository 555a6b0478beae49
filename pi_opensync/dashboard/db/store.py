"""The SQLite file of the local OpenSync: one connection that writes, a few that read."""

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from pi_opensync.dashboard.db.schema import migrate

_BUSY_S = 10.0


class StoreClosedError(RuntimeError):
    """The store was used after `close`."""


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    con = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    con.row_factory = sqlite3.Row
    # A rollback journal, not WAL: SQLite before 3.51.3 can corrupt a WAL that several connections use, when
    # it is reset (https://sqlite.org/wal.html, "The WAL-reset bug"), and Pythons of today bring older ones.
    # The price is that a commit waits for the reads under way, so no read here holds its lock for long.
    con.execute("PRAGMA journal_mode = TRUNCATE")
    con.execute("PRAGMA synchronous = FULL")
    con.execute("PRAGMA cache_size = -32768")
    con.execute("PRAGMA temp_store = MEMORY")
    con.execute("PRAGMA mmap_size = 268435456")
    if read_only:
        con.execute("PRAGMA query_only = ON")
    return con


class Store:
    """Give out connections to threads. Open with `Store.open`, close with `close`."""

    def __init__(self, writer: sqlite3.Connection, readers: list[sqlite3.Connection]) -> None:
        self._writer = writer
        self._writing = threading.Lock()
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._reader_count = len(readers)
        self._closed = False
        for reader in readers:
            self._readers.put(reader)

    @classmethod
    def open(cls, path: Path, *, readers: int = 3) -> "Store":
        """Open or make the database, readable by its owner alone, and bring it to the newest schema.

        Raises sqlite3.Error if the file is not a database or cannot be written, OSError if it cannot be made.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        writer = _connect(path, read_only=False)
        try:
            migrate(writer)
            return cls(writer, [_connect(path, read_only=True) for _ in range(readers)])
        except BaseException:
            writer.close()
            raise

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, rolled back if it raises."""
        with self._writing:
            self._check_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.execute("COMMIT")

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the database for the length of the block."""
        self._check_open()
        con = self._readers.get()
        try:
            con.execute("BEGIN")
            try:
                yield con
            finally:
                con.rollback()
        finally:
            self._readers.put(con)

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
            raise StoreClosedError("The local OpenSync has been closed.")


def revision(con: sqlite3.Connection) -> int:
    """Return the number of the last change to any session or message."""
    value: int = con.execute("SELECT value FROM revision").fetchone()[0]
    return value


def next_revision(con: sqlite3.Connection) -> int:
    con.execute("UPDATE revision SET value = value + 1")
    return revision(con)
