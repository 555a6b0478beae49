"""Transcripts folded into a store that is thrown away: what a sync would want on the server.

The reader itself does it, so that a preview, a dry run and a comparison can not differ from the real thing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pi_opensync.model import Options
from pi_opensync.pi.discover import Found
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.read.reader import Progress, Reader
from pi_opensync.store.database import StateDatabase, open_scratch


@contextmanager
def folded(
    files: Iterable[Found],
    folders: tuple[Path, ...],
    options: Options,
    *,
    judge: Judge,
    clean: Cleaner,
    now: Callable[[], float],
) -> Iterator[tuple[StateDatabase, dict[bytes, str]]]:
    """A store with all of these files read, and the files that could not be read with the reason.

    Nothing of it is left when the block or the process ends, however it does.
    """
    database = open_scratch()
    try:
        reader = Reader(database, options, judge, clean=clean, folders=folders, now=now, bounded=False)
        yield database, read_all(reader, [found.path for found in files])
    finally:
        database.close()


def read_all(reader: Reader, paths: Iterable[bytes]) -> dict[bytes, str]:
    """Read the files to their ends, others again where they must be; returns those that could not be read."""
    problems: dict[bytes, str] = {}
    pending = dict.fromkeys(paths)
    while pending:
        path = next(iter(pending))
        try:
            read = reader.read(path, live=False)
        except OSError as error:
            problems[path] = error.strerror or type(error).__name__
            del pending[path]
            continue
        pending |= dict.fromkeys(read.look_again)
        if read.progress is not Progress.MORE:
            pending.pop(path, None)
    return problems
