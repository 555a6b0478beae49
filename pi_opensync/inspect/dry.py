"""Transcripts folded into a store that is thrown away: what a sync would want on the server.

The ingest itself does it, so that a preview, a dry run and a comparison can not differ from the real thing.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pi_opensync.pi.discover import Found
from pi_opensync.pi.parents import find_parent
from pi_opensync.pi.translate import Options
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.projects import Policy
from pi_opensync.read.reader import Ingest, Progress
from pi_opensync.store.database import Database
from pi_opensync.store.schema import migrate


@contextmanager
def folded(
    files: Iterable[Found],
    folders: tuple[Path, ...],
    names: dict[bytes, bytes],
    options: Options,
    *,
    policy: Policy,
    clean: Cleaner,
    now: Callable[[], float],
) -> Iterator[tuple[Database, dict[bytes, str]]]:
    """A store with all of these files read, and the files that could not be read with the reason.

    It lives in a temporary folder that only the user can read, until the block ends.
    """
    with tempfile.TemporaryDirectory(prefix="pi-opensync-") as folder:
        path = Path(folder) / "scratch.sqlite3"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        migrate(connection)
        database = Database(connection, path)
        ingest = Ingest(
            database,
            options,
            policy,
            clean=clean,
            find_parent=lambda parent: find_parent(parent, folders, names.get),
            now=now,
            bounded=False,
        )
        problems: dict[bytes, str] = {}
        try:
            for found in files:
                try:
                    while ingest.read(found.path, live=False)[0] is Progress.MORE:
                        pass
                except OSError as error:
                    problems[found.path] = error.strerror or type(error).__name__
            yield database, problems
        finally:
            database.close()
