"""The state file: opened, checked, moved aside where it is damaged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pi_opensync import journal, sqlite
from pi_opensync.errors import cannot_keep_state
from pi_opensync.files import require_private_folder
from pi_opensync.model import Message
from pi_opensync.sqlite import Damaged, StoreUnavailable, open_private
from pi_opensync.store.schema import APPLICATION_ID, MIGRATIONS
from pi_opensync.upgrades import applied, migrate

_encode = msgspec.msgpack.Encoder().encode

FILE = "state.sqlite3"
LEAST_TO_GIVE_BACK = 8 << 20  # bytes
MOST_TO_MOVE = 32 << 20  # bytes, which are held in memory meanwhile
PRAGMAS = (
    # What is attempted must be on disk before the request, also if the power fails.
    "synchronous = FULL",
    "temp_store = MEMORY",
    # What is taken back of an excluded project must not stay readable in a freed page.
    "secure_delete = ON",
)


KEPT_BACK = b""  # in place of what is kept back until the end of a round


@dataclass(frozen=True, slots=True)
class KeptBack:
    """What is not written yet of the message in a row; `draft` while calls of it wait for results."""

    row: int
    body: bytes
    draft: Message | None


class StateDatabase(sqlite.Database):
    """The state of one server. All writes of a process go through it, from one thread.

    `kept_back` is what a round has not written yet of messages, by the digests of their bodies.
    """

    kept_back: dict[bytes, KeptBack] | None = None

    @contextmanager
    def round(self) -> Iterator[None]:
        """A transaction that writes the bodies of messages at its end: of those that are still wanted then.

        What is delivered within it is so never written, read and overwritten. Raises as `transaction`.
        """
        with self.transaction():
            self.kept_back = {}
            try:
                yield
                self._write_kept_back(self.kept_back)
            finally:
                self.kept_back = None

    def _write_kept_back(self, kept_back: dict[bytes, KeptBack]) -> None:
        # Each is known by its digest: a part of the round that failed leaves no wrong one.
        self.run_many(
            "UPDATE messages SET wanted = ? WHERE id = ? AND wanted_digest = ? AND wanted = x''",
            [(each.body, each.row, digest) for digest, each in kept_back.items()],
        )
        self.run_many(
            "UPDATE messages SET draft = ? WHERE id = ? AND wanted_digest = ? AND draft = x''",
            [
                (_encode(each.draft), each.row, digest)
                for digest, each in kept_back.items()
                if each.draft is not None
            ],
        )

    def meta(self, name: str) -> Any:
        return self.one("SELECT value FROM meta WHERE name = ?", name)

    def set_meta(self, name: str, value: Any) -> None:
        self.run(
            "INSERT INTO meta(name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, value),
        )


def open_database(folder: Path) -> StateDatabase:
    """Open or make the state file, mode 0600 in a folder of mode 0700.

    Raises `ConfigurationError` where the folder can not be used, `StoreUnavailable`, `Damaged`.
    """
    path = folder / FILE
    try:
        require_private_folder(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        opened = open_private(path, PRAGMAS, kind=StateDatabase)
    except OSError as error:
        raise cannot_keep_state(folder, error) from None
    return _migrated(opened)


def open_scratch() -> StateDatabase:
    """A state that is thrown away. Raises `StoreUnavailable`."""
    return _migrated(sqlite.open_scratch(StateDatabase))


def _migrated(database: StateDatabase) -> StateDatabase:
    try:
        migrate(database, MIGRATIONS, APPLICATION_ID)
    except BaseException:
        database.close()
        raise
    return database


def open_or_rebuild(folder: Path, now: float) -> tuple[StateDatabase, Path | None]:
    """Open the state file; a damaged one is moved aside, and where to is returned too.

    One that held a backlog gives the room back.
    """
    try:
        database = open_database(folder)
        try:
            _give_back(database)
        except BaseException:
            database.close()
            raise
    except Damaged:
        aside = set_aside(folder, now)
        return open_database(folder), aside
    return database, None


def _give_back(database: StateDatabase) -> None:
    """Make the file smaller where most of it is free, and little has to be written again for it."""
    pages, free = database.one("PRAGMA page_count"), database.one("PRAGMA freelist_count")
    size = database.one("PRAGMA page_size")
    if free * size >= LEAST_TO_GIVE_BACK and (pages - free) * size <= MOST_TO_MOVE and free > pages - free:
        with suppress(StoreUnavailable):  # as on a full disk: it stays as large as it was
            database.run("VACUUM")
            database.empty_log()


def set_aside(folder: Path, now: float) -> Path:
    """Move a damaged state file out of the way; everything in it can be read again."""
    path = folder / FILE
    aside = path.with_name(f"{FILE}.damaged-{int(now)}")
    journal.move(path, aside)
    return aside


def open_beside(folder: Path) -> StateDatabase | None:
    """The state file for reading while a daemon may write it; None where there is none yet.

    Raises `StoreUnavailable`, `Damaged`.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return _read(lambda: open_private(path, kind=StateDatabase, mode="read"))
    except StoreUnavailable:
        # A process that was killed left a transaction behind: only a writer can roll it back.
        return _read(lambda: open_private(path, kind=StateDatabase, mode="write"))


def is_of_before(folder: Path) -> bool:
    """Whether an older version wrote the state file, so that it is read from the next daemon's start on."""
    database = open_beside(folder)
    if database is not None:
        database.close()
    return database is None and (folder / FILE).exists()


def _read(opened: Callable[[], StateDatabase]) -> StateDatabase | None:
    database = opened()
    try:
        names = [step.__name__ for step in MIGRATIONS]
        if applied(database, names, APPLICATION_ID) == set(names):
            return database
    except BaseException:
        database.close()
        raise
    database.close()
    return None  # a version before this one wrote it: there is nothing to read before the daemon's start
