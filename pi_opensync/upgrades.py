"""Tables are brought up to date by steps with names, which the file itself remembers."""

from collections.abc import Callable, Iterable, Sequence

import apsw

from pi_opensync.sqlite import Database, OfAnotherProgram, StoreUnavailable, WrittenByNewer

Migration = Callable[[Database], None]


def migrate(database: Database, migrations: Sequence[Migration], application: int) -> list[str]:
    """Bring the tables up to date, each step in the transaction that records its name.

    Steps are named by their functions, which are never renamed. Returns the names of those that ran.
    Raises `OfAnotherProgram`, `WrittenByNewer`, `StoreUnavailable`.
    """
    names = [step.__name__ for step in migrations]
    known = applied(database, names, application)
    database.own()
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
            except (StoreUnavailable, apsw.Error):
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
