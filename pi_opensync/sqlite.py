"""The one SQLite layer, for the state of the daemon and for the dashboard of one's own.

Opens files, runs transactions, brings tables up to date, and says in plain words what went wrong.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pi_opensync.errors import ConfigurationError
from pi_opensync.files import identity, require_private_file

BUSY_SECONDS = 20.0  # that a statement waits for another process

Row = sqlite3.Row  # columns by name or by place

Migration = Callable[["Database"], None]


class StoreUnavailable(ConfigurationError):  # noqa: N818 - named for what the user is told
    """A database can not be used now. Waiting may help, and loses nothing."""


class Damaged(ConfigurationError):  # noqa: N818 - named for what the user is told
    """The file is no database, or not a whole one. Waiting does not help."""


class Replaced(Damaged):
    """What is open is not what stands at its path any more: what is written to it is lost."""


class WrittenByNewer(ConfigurationError):  # noqa: N818 - named for what the user is told
    """A newer version of pi-opensync has been at work on the file."""


class OfAnotherProgram(ConfigurationError):  # noqa: N818 - named for what the user is told
    """The file is a database of something else."""


class Database:
    """One connection to one file, used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._identity = identity(path)
        self._is_open = False  # a transaction of `transaction`; one that is left over is no part of it

    def require_in_place(self) -> None:
        """Raises `Replaced` where the file was removed, or another one stands in its place."""
        if self._identity is not None and identity(self.path) != self._identity:
            raise Replaced(
                f"{self.path} was removed or replaced while it was in use",
                hint="start again: it is built anew from the transcripts",
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also where COMMIT itself fails; within another one, a part that fails alone.

        Never held across a request or a read of a transcript that may block. Raises `StoreUnavailable`.
        """
        if self._is_open:
            with self._part():
                yield
            return
        with self.translated():
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                self._is_open = True
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._is_open = False

    @contextmanager
    def _part(self) -> Iterator[None]:
        with self.translated():
            self.connection.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK TO part")
                    self.connection.execute("RELEASE part")
                raise
            self.connection.execute("RELEASE part")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One view of the database for the length of the block. Raises `StoreUnavailable`."""
        with self.translated():
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some failures, such as a full disk.
        if self.connection.in_transaction:
            self.connection.rollback()

    @property
    def is_in_transaction(self) -> bool:
        return self.connection.in_transaction

    def run(self, statement: str, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Execute a statement; returns how many rows it changed. Raises `StoreUnavailable`."""
        try:
            return self.connection.execute(statement, values).rowcount
        except sqlite3.DatabaseError as error:
            raise _unavailable(error, self.path) from None

    def insert(self, statement: str, values: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Insert one row; returns its rowid. Raises `StoreUnavailable`."""
        with self.translated():
            rowid = self.connection.execute(statement, values).lastrowid
        if rowid is None:
            raise ValueError("nothing was inserted")
        return rowid

    def run_many(self, statement: str, values: Iterable[Sequence[Any] | dict[str, Any]]) -> None:
        """Raises `StoreUnavailable`."""
        try:
            self.connection.executemany(statement, values)
        except sqlite3.DatabaseError as error:
            raise _unavailable(error, self.path) from None

    def rows(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Raises `StoreUnavailable`."""
        try:
            return self.connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _unavailable(error, self.path) from None

    def tuples(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows without the names of their columns, which take as long as all else. Raises as `rows`."""
        with self.translated():
            cursor = self.connection.cursor()
            cursor.row_factory = None
            return cursor.execute(query, values).fetchall()

    def each(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Any]:
        """The rows one after another, where they are too many to hold. Raises `StoreUnavailable`."""
        with self.translated():
            yield from self.connection.execute(query, values)

    def row(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """The first row, or None. Raises `StoreUnavailable`."""
        try:
            return self.connection.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise _unavailable(error, self.path) from None

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None. Raises `StoreUnavailable`."""
        row = self.row(query, values)
        return None if row is None else row[0]

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Let what SQLite raises in the block be `StoreUnavailable`, in our words."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _unavailable(error, self.path) from None


def open_private(
    path: Path,
    pragmas: Sequence[str] = (),
    *,
    mode: Literal["make", "write", "read"] = "make",
    any_thread: bool = False,
    named_columns: bool = False,
    busy_seconds: float = BUSY_SECONDS,
) -> Database:
    """Open a database that only its owner reads; `make` also where there is none yet.

    `any_thread`: the caller sees to it that one thread at a time uses it. `named_columns`: rows are `Row`.

    A rollback journal, not a WAL: SQLite before 3.51.3 can corrupt a WAL that several connections reset
    (https://sqlite.org/wal.html, "The WAL-reset bug"), commands open these files beside the daemon, and a
    WAL does not work on network folders. Raises OSError where it can not be made, `StoreUnavailable`, and
    `ConfigurationError` where others could write to it.
    """
    require_private_file(path)
    if mode == "make":
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    access = "ro" if mode == "read" else "rw"
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.fspath(path))}?mode={access}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=not any_thread,
        )
    except sqlite3.DatabaseError as error:
        raise _unavailable(error, path) from None
    if named_columns:
        connection.row_factory = Row
    database = Database(connection, path)
    try:
        with database.translated():
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        database.close()
        raise
    return database


def open_scratch() -> Database:
    """A database without a name: the system removes it with the process, however that ends.

    In memory while it is small (https://sqlite.org/inmemorydb.html, "Temporary Databases"). Raises
    `StoreUnavailable`.
    """
    database = Database(sqlite3.connect("", isolation_level=None), Path(tempfile.gettempdir()))
    with database.translated():
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):
            database.connection.execute(f"PRAGMA {pragma}")
    return database


def migrate(database: Database, migrations: Sequence[Migration], application: int) -> list[str]:
    """Bring the tables up to date, each step in the transaction that records its name.

    Steps are named by their functions, which are never renamed. Returns the names of those that ran.
    Raises `OfAnotherProgram`, `WrittenByNewer`, `StoreUnavailable`.
    """
    names = [step.__name__ for step in migrations]
    known = applied(database, names, application)
    left = [step for step in migrations if step.__name__ not in known]
    ran: list[str] = []

    def take(step: Migration) -> None:
        with database.transaction():
            if step.__name__ in applied(database, names, application):
                return  # another process was faster
            database.run("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
            database.run(f"PRAGMA application_id = {application}")
            step(database)
            database.run_many("INSERT OR IGNORE INTO migrations VALUES (?)", [(name,) for name in known])
            database.run("INSERT INTO migrations VALUES (?)", (step.__name__,))
        ran.append(step.__name__)

    if not known:
        _together(database, take, left)  # a new file waits for the disk once, not once a step
    for step in left[len(ran) :]:
        take(step)
    return ran


def _together(database: Database, take: Callable[[Migration], None], steps: Iterable[Migration]) -> None:
    """Take the steps in one transaction, up to one that fails: by itself it fails again, and says why."""
    with database.transaction():
        for step in steps:
            try:
                take(step)
            except (StoreUnavailable, sqlite3.DatabaseError):
                if not database.is_in_transaction:
                    raise
                return


def applied(database: Database, names: Sequence[str], application: int) -> set[str]:
    """The names of the steps that a file has behind it. Raises as `migrate`."""
    owner = database.one("PRAGMA application_id")
    if owner not in (0, application):
        raise OfAnotherProgram(
            f"{database.path} belongs to another program", hint="set PI_OPENSYNC_STATE_DIR to another folder"
        )
    is_recorded = database.one("SELECT 1 FROM sqlite_master WHERE name = 'migrations'")
    if is_recorded:
        known = {row[0] for row in database.rows("SELECT name FROM migrations")}
    else:
        known = set(names[: database.one("PRAGMA user_version")])  # files of before the names counted steps
    if known - set(names):
        raise WrittenByNewer(
            f"{database.path} was written by a newer version of pi-opensync",
            hint="upgrade pi-opensync, or move that file away to start again from the transcripts",
        )
    return known


def _unavailable(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """The failure in our words; an error in our own statements stays what it is."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return error
    if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged(f"{path} is damaged", hint="it is moved aside and built again at the next start")
    reason, hint = _WORDS.get(code) or _WORDS.get(code & 0xFF) or (f"can not be used: {error}", _CHECK)
    return StoreUnavailable(f"{path} {reason}", hint=hint)


_CHECK = "check the disk and the folder's permissions, or set PI_OPENSYNC_STATE_DIR"
_WORDS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "can not be written: the disk is full",
        "free some disk space; nothing is lost",
    ),
    sqlite3.SQLITE_BUSY: (
        "is held by another process",
        "it is tried again; end the other program if that goes on",
    ),
    sqlite3.SQLITE_LOCKED: ("is held by another part of pi-opensync", "it is tried again"),
    sqlite3.SQLITE_READONLY: ("can not be written", _CHECK),
    sqlite3.SQLITE_READONLY_DBMOVED: (
        "was moved or removed while it was in use",
        "it is built again from the transcripts",
    ),
    sqlite3.SQLITE_IOERR: ("can not be read or written: the disk failed", "look at the disk's health"),
    sqlite3.SQLITE_CANTOPEN: ("can not be opened", _CHECK),
    sqlite3.SQLITE_PERM: ("can not be opened: permission denied", _CHECK),
    sqlite3.SQLITE_NOMEM: ("can not be used: there is no memory left", "close some programs"),
    sqlite3.SQLITE_TOOBIG: ("can not hold a value this large", "the message is left out"),
}
