"""The journal beside a database: a write-ahead log where that is safe, a rollback journal elsewhere.

A commit waits for the disk once with the one, up to five times with the other. But a log is mapped into
memory by all who use the file, so they must be on one machine; and SQLite before 3.51.3 can corrupt one that
several connections reset (https://sqlite.org/wal.html, "The WAL-reset bug").
"""

from contextlib import suppress
from pathlib import Path

import apsw

from pi_opensync.files import Identity, identity, require_private_file
from pi_opensync.mounts import is_local

SUFFIXES = ("-wal", "-shm", "-journal")
_OF_A_LOG = SUFFIXES[:2]
_SAFE = 3_051_003
_MOST = 4 << 20  # bytes that the log keeps once its content is in the database
_CONVERTED_WITHIN = 1_000  # ms; else another program is at work on it, and it stays as it is
_EMPTIED_WITHIN = 100  # ms


def beside(path: Path) -> list[Path]:
    """The files that belong to the database, whether they are there or not."""
    return [path.with_name(path.name + suffix) for suffix in SUFFIXES]


def require_private(path: Path) -> None:
    """Raise `ConfigurationError` where others have a hand in a database or in what belongs to it."""
    for each in (path, *beside(path)):
        require_private_file(each)


def move(path: Path, to: Path) -> None:
    """Move a database with all that belongs to it. Raises OSError.

    Its journal goes first: one that is left beside another database would be taken for that one's.
    """
    for each, becomes in zip(beside(path), beside(to), strict=True):
        with suppress(FileNotFoundError):
            each.replace(becomes)
    path.replace(to)


def may_be_a_log(folder: Path) -> bool:
    return apsw.SQLITE_VERSION_NUMBER >= _SAFE and _library() >= _SAFE and is_local(folder)


def _library() -> int:
    """The version of the SQLite that runs, which is the system's where a distribution built it so."""
    major, minor, patch, *_ = (*map(int, apsw.sqlite_lib_version().split(".")), 0)
    return major * 1_000_000 + minor * 1_000 + patch


def keep_to_oneself(connection: apsw.Connection) -> None:
    """To be called before anything is read where there may be no log.

    Alone with the file, SQLite reads one that is there without memory that is shared.
    """
    connection.pragma("locking_mode", "exclusive")


def choose(connection: apsw.Connection, busy_ms: int, *, log: bool) -> bool:
    """Give the database a log where there may be one, else a rollback journal; whether it has a log then.

    It is changed only while nobody else has the file open. Raises apsw.Error.
    """
    if log:
        connection.set_busy_timeout(_CONVERTED_WITHIN)
        with suppress(apsw.BusyError):
            if connection.pragma("journal_mode") != "wal":
                connection.pragma("journal_mode", "memory")  # nothing changes but a mark in the first sector
                connection.pragma("journal_mode", "wal")
        connection.set_busy_timeout(busy_ms)
        if connection.pragma("journal_mode") == "wal":
            connection.pragma("journal_size_limit", _MOST)
            return True
    connection.pragma("journal_mode", "truncate")
    connection.pragma("locking_mode", "normal")
    connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    return False


def put_away(connection: apsw.Connection) -> None:
    """Move the log into the database, which is one file then that anybody can read who may not write here.

    It stays where somebody else has it open.
    """
    connection.set_busy_timeout(0)
    with suppress(apsw.Error):
        connection.pragma("journal_mode", "memory")


class Log:
    """The write-ahead log of an open database."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._log = path.with_name(path.name + SUFFIXES[0])
        self._files = [path.with_name(path.name + suffix) for suffix in _OF_A_LOG]
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # makes them
        self._are: list[Identity | None] = [identity(each) for each in self._files]

    @property
    def is_in_place(self) -> bool:
        """Whether nobody removed or replaced it: others would then not see what is written to it."""
        return None not in self._are and [identity(each) for each in self._files] == self._are

    @property
    def is_empty(self) -> bool:
        try:
            return self._log.stat().st_size == 0
        except OSError:
            return True

    def empty(self, busy_ms: int) -> bool:
        """Move all of it into the database and leave nothing in it; False where somebody still reads it."""
        if self.is_empty:
            return True
        self._connection.set_busy_timeout(_EMPTIED_WITHIN)
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error:  # also a disk that is full: what was committed stays in the log
            return False
        finally:
            self._connection.set_busy_timeout(busy_ms)
        return True
