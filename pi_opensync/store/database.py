"""The state file: opened, checked, written in transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pi_opensync.errors import ConfigurationError, PiOpensyncError, cannot_keep_state
from pi_opensync.store.schema import APPLICATION_ID, NEWEST, migrate

FILE = "state.sqlite3"
BUSY_SECONDS = 20.0

Unavailable = sqlite3.OperationalError  # the state can not be read or written now; waiting loses nothing


class Corrupt(PiOpensyncError):  # noqa: N818 - named for what the user is told
    """The state file is damaged; everything in it can be built again from the transcripts."""


class Database:
    """One connection. All writes of a process go through it, from one thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.execute = connection.execute
        self.executemany = connection.executemany

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Never held across a request or a read of a transcript that may block."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        try:
            self.execute("COMMIT")
        except BaseException:
            self.connection.rollback()
            raise

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Execute a statement; returns how many rows it changed."""
        return self.execute(statement, values).rowcount

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(query, values).fetchone()
        return None if row is None else row[0]

    def meta(self, name: str) -> Any:
        return self.one("SELECT value FROM meta WHERE name = ?", name)

    def set_meta(self, name: str, value: Any) -> None:
        self.execute(
            "INSERT INTO meta(name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def close(self) -> None:
        self.connection.close()


def open_database(folder: Path) -> Database:
    """Open or make the state file, mode 0600 in a folder of mode 0700.

    Raises `ConfigurationError` where the folder can not be used or a newer version wrote the file, and
    `Corrupt` where it is damaged.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise cannot_keep_state(folder, error) from None
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        # A rollback journal, not a WAL: SQLite before 3.51.3 can corrupt a WAL that several connections
        # reset, commands open this file beside the daemon, and a WAL does not work on network folders.
        # FULL: what is attempted must be on disk before the request, also if the power fails.
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        # What is taken back of an excluded project must not stay readable in a freed page.
        connection.execute("PRAGMA secure_delete = ON")
        _check(connection, path)
        migrate(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _translated(error, path) from None
    except BaseException:
        connection.close()
        raise
    return Database(connection, path)


def open_or_rebuild(folder: Path, now: float) -> tuple[Database, Path | None]:
    """Open the state file; a damaged one is moved aside, and where to is returned too."""
    try:
        return open_database(folder), None
    except Corrupt:
        aside = set_aside(folder, now)
        return open_database(folder), aside


def set_aside(folder: Path, now: float) -> Path:
    """Move a damaged state file out of the way; everything in it can be read again."""
    path = folder / FILE
    aside = path.with_name(f"{FILE}.damaged-{int(now)}")
    path.replace(aside)
    for suffix in ("-journal", "-wal", "-shm"):
        path.with_name(FILE + suffix).unlink(missing_ok=True)
    return aside


def open_beside(folder: Path) -> Database | None:
    """The state file for reading while a daemon may write it; None where there is none yet."""
    path = folder / FILE
    if not path.exists():
        return None
    connection = _connect_beside(path, "ro")
    try:
        try:
            _check(connection, path)
        except sqlite3.OperationalError:
            # A process that was killed left a transaction behind: only a writer can roll it back.
            connection.close()
            connection = _connect_beside(path, "rw")
            _check(connection, path)
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            connection.close()
            return None
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _translated(error, path) from None
    except BaseException:
        connection.close()
        raise
    return Database(connection, path)


def _connect_beside(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{_quoted(path)}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if version and application != APPLICATION_ID:
        raise ConfigurationError(
            f"{path} belongs to another program", hint="set PI_OPENSYNC_STATE_DIR to another folder"
        )
    if version > NEWEST:
        raise ConfigurationError(
            f"{path} was written by a newer version of pi-opensync",
            hint="upgrade pi-opensync, or move that file away to start again from the transcripts",
        )


def _translated(error: sqlite3.DatabaseError, path: Path) -> PiOpensyncError:
    if isinstance(error, sqlite3.OperationalError):
        return ConfigurationError(
            f"can not open {path}: {error}",
            hint="check the disk and the folder's permissions, or set PI_OPENSYNC_STATE_DIR",
        )
    return Corrupt(f"{path} is damaged: {error}", hint="it is moved aside and built again at the next start")
