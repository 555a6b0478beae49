"""The one SQLite layer, for the state of the daemon and for the dashboard of one's own.

Opens files, runs transactions, and says in plain words what went wrong. What lies beside a file is told in
`journal`, how its tables are brought up to date in `upgrades`.
"""

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import apsw

from pi_opensync import journal
from pi_opensync.errors import ConfigurationError
from pi_opensync.files import identity

BUSY_SECONDS = 20.0  # that a statement waits for another process
_STATEMENTS = 256  # that are kept ready: with fewer, those that are not used again at once are prepared anew

Values = Sequence[Any] | dict[str, Any]


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


class Row:
    """A row whose columns are asked for by name or by place."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: tuple[Any, ...]) -> None:
        self._places = places
        self._values = values

    @overload
    def __getitem__(self, column: str | int) -> Any: ...
    @overload
    def __getitem__(self, column: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, column: str | int | slice) -> Any:
        return self._values[self._places[column] if isinstance(column, str) else column]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> Iterable[str]:
        """The names of the columns, so that `dict(row)` has them."""
        return self._places.keys()


class Database:
    """One connection to one file, used by one thread at a time, and by no process that was forked."""

    _may_have_a_log: bool | None = None  # known to its owner
    _log: journal.Log | None = None
    has_traces = False  # what was taken back may still stand in the log

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        *,
        named_columns: bool = False,
        any_thread: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.connection = connection
        self._thread = None if any_thread else threading.get_ident()
        self.path = path
        self._named_columns = named_columns
        self._busy_ms = round(busy_seconds * 1000)
        connection.set_busy_timeout(self._busy_ms)
        self._identity = identity(path)
        self._is_open = False  # a transaction of `transaction`; one that is left over is no part of it

    def require_in_place(self) -> None:
        """Raises `Replaced` where the file or its log was removed, or another one stands in its place."""
        is_moved = self._identity is not None and identity(self.path) != self._identity
        if is_moved or (self._log is not None and not self._log.is_in_place):
            raise Replaced(
                f"{self.path} was removed or replaced while it was in use",
                hint="start again: it is built anew from the transcripts",
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also where COMMIT itself fails; within another one, a part that fails alone.

        Never held across a request or a read of a transcript that may block. Raises `StoreUnavailable`.
        """
        if self._thread not in (None, threading.get_ident()):
            raise RuntimeError(f"{self.path} is used by another thread")
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
        if self.has_traces:
            self.empty_log()

    def prepare_to_own(self) -> None:
        self._may_have_a_log = journal.may_be_a_log(self.path.parent)
        if not self._may_have_a_log:
            journal.keep_to_oneself(self.connection)

    def own(self) -> None:
        """Be the owner of a file that is ours: it has a log from now on, where the disk allows it.

        Raises `StoreUnavailable`.
        """
        if self._may_have_a_log is None:
            return
        with self.translated():
            if journal.choose(self.connection, self._busy_ms, log=self._may_have_a_log):
                self._log = journal.Log(self.connection, self.path)

    def leave_no_trace(self) -> None:
        """What this transaction takes back shall stand in no file once it is over, in its log neither."""
        self.has_traces = True

    def empty_log(self) -> None:
        """Move the log into the file; where somebody reads it, the next call does, or the next commit."""
        if self._log is None or self._log.empty(self._busy_ms):
            self.has_traces = False

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
            self.connection.execute("ROLLBACK")

    @property
    def is_in_transaction(self) -> bool:
        return self.connection.in_transaction

    @property
    def changes(self) -> int:
        """How many rows were changed since it was opened."""
        return self.connection.total_changes()

    def run(self, statement: str, values: Values = ()) -> int:
        """Execute a statement; returns how many rows it changed. Raises `StoreUnavailable`."""
        try:
            self.connection.execute(statement, values)
        except apsw.Error as error:
            raise _unavailable(error, self.path) from None
        return self.connection.changes()

    def insert(self, statement: str, values: Values = ()) -> int:
        """Insert one row; returns its rowid. Raises `StoreUnavailable`."""
        if not self.run(statement, values):
            raise ValueError("nothing was inserted")
        return self.connection.last_insert_rowid()

    def run_many(self, statement: str, values: Iterable[Values]) -> None:
        """Raises `StoreUnavailable`."""
        try:
            self.connection.executemany(statement, values)
        except apsw.Error as error:
            raise _unavailable(error, self.path) from None

    def rows(self, query: str, values: Values = ()) -> list[Any]:
        """Raises `StoreUnavailable`."""
        if self._named_columns:
            return list(self.each(query, values))
        return self.tuples(query, values)

    def tuples(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows without the names of their columns, which take as long as all else. Raises as `rows`."""
        try:
            return self.connection.execute(query, values).fetchall()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _unavailable(error, self.path) from None

    def each(self, query: str, values: Values = ()) -> Iterator[Any]:
        """The rows one after another, where they are too many to hold. Raises `StoreUnavailable`."""
        try:
            cursor = self.connection.execute(query, values)
            if not self._named_columns:
                yield from cursor
                return
            places: dict[str, int] = {}
            for row in cursor:
                places = places or _places(cursor)
                yield Row(places, row)
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _unavailable(error, self.path) from None

    def row(self, query: str, values: Values = ()) -> Any:
        """The first row, or None. Raises `StoreUnavailable`."""
        try:
            cursor = self.connection.execute(query, values)
            row = cursor.fetchone()
            return Row(_places(cursor), row) if self._named_columns and row is not None else row
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _unavailable(error, self.path) from None

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None. Raises `StoreUnavailable`."""
        row = self.row(query, values)
        return None if row is None else row[0]

    def close(self) -> None:
        if self._log is not None and self._log.is_in_place and not self.is_in_transaction:
            journal.put_away(self.connection)
        self._log = None
        self.connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Let what SQLite raises in the block be `StoreUnavailable`, in our words."""
        try:
            yield
        except apsw.Error as error:
            raise _unavailable(error, self.path) from None


def _places(cursor: apsw.Cursor) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, column in enumerate(cursor.get_description()):
        places.setdefault(column[0], place)
    return places


Opened = TypeVar("Opened", bound=Database)


def open_private(
    path: Path,
    pragmas: Sequence[str] = (),
    *,
    kind: type[Opened],
    mode: Literal["make", "write", "read"] = "make",
    named_columns: bool = False,
    any_thread: bool = False,
    busy_seconds: float = BUSY_SECONDS,
) -> Opened:
    """Open a database that only its owner reads; `make`, to `own` it, also where there is none yet.

    `named_columns`: rows are `Row`. `any_thread`: the caller sees to it that one thread at a time uses it.

    Raises OSError where it can not be made, `StoreUnavailable`, and `ConfigurationError` where others could
    write to it.
    """
    journal.require_private(path)
    if mode == "make":
        _make(path)
    access = apsw.SQLITE_OPEN_READONLY if mode == "read" else apsw.SQLITE_OPEN_READWRITE
    try:
        connection = apsw.Connection(os.fspath(path), access, statementcachesize=_STATEMENTS)
        # One plan for all values of a statement; an index of 8 MB takes 4 % less of the processor with it.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    except apsw.Error as error:
        raise _unavailable(error, path) from None
    database = kind(
        connection, path, named_columns=named_columns, any_thread=any_thread, busy_seconds=busy_seconds
    )
    try:
        with database.translated():
            if mode == "make":
                database.prepare_to_own()
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        database.close()
        raise
    return database


def _make(path: Path) -> None:
    """Make the file unless it is there.

    One that is there is not opened here: to close it would end the locks that this process has on it
    (https://sqlite.org/howtocorrupt.html, "Posix advisory locks canceled").
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        path.chmod(0o600)


def open_scratch(kind: type[Opened]) -> Opened:
    """A database without a name: the system removes it with the process, however that ends.

    In memory while it is small (https://sqlite.org/inmemorydb.html, "Temporary Databases"). Raises
    `StoreUnavailable`.
    """
    import tempfile  # noqa: PLC0415 - commands that only read need not load it

    database = kind(apsw.Connection(""), Path(tempfile.gettempdir()))
    with database.translated():
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):
            database.connection.execute(f"PRAGMA {pragma}")
    return database


def _unavailable(error: apsw.Error | UnicodeDecodeError, path: Path) -> Exception:
    """The failure in our words; an error in our own statements stays what it is.

    Text that is no UTF-8 was not written by us: we write what Python encoded.
    """
    code = getattr(error, "extendedresult", None)
    if isinstance(error, UnicodeDecodeError):
        code = apsw.SQLITE_CORRUPT
    if code is None or isinstance(error, apsw.ConstraintError | apsw.MisuseError):
        return error
    if code & 0xFF in (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB):
        return Damaged(f"{path} is damaged", hint="it is moved aside and built again at the next start")
    reason, hint = _WORDS.get(code) or _WORDS.get(code & 0xFF) or (f"can not be used: {error}", _CHECK)
    return StoreUnavailable(f"{path} {reason}", hint=hint)


_CHECK = "check the disk and the folder's permissions, or set PI_OPENSYNC_STATE_DIR"
_FULL = ("can not be written: the disk is full", "free some disk space; nothing is lost")
_WORDS: dict[int, tuple[str, str]] = {
    apsw.SQLITE_FULL: _FULL,
    apsw.SQLITE_BUSY: (
        "is held by another process",
        "it is tried again; end the other program if that goes on",
    ),
    apsw.SQLITE_LOCKED: ("is held by another part of pi-opensync", "it is tried again"),
    apsw.SQLITE_READONLY: ("can not be written", _CHECK),
    apsw.SQLITE_READONLY_DBMOVED: (
        "was moved or removed while it was in use",
        "it is built again from the transcripts",
    ),
    apsw.SQLITE_IOERR_SHMSIZE: _FULL,
    apsw.SQLITE_IOERR: ("can not be read or written: the disk failed", "look at the disk's health"),
    apsw.SQLITE_CANTOPEN: ("can not be opened", _CHECK),
    apsw.SQLITE_PERM: ("can not be opened: permission denied", _CHECK),
    apsw.SQLITE_NOMEM: ("can not be used: there is no memory left", "close some programs"),
    apsw.SQLITE_TOOBIG: ("can not hold a value this large", "the message is left out"),
}
