"""A folder of many transcripts that were read and delivered long ago, and the state that knows them."""

import os
import shutil
from pathlib import Path

from bench.corpus import transcript
from bench.engines import bare, settings

FILES = 10_000
SIZE = 200_000  # bytes of each, most of them a hole
FOLDERS = 50
LONG_AGO = 1_700_000_000  # when each was written last


def crowd(folder: Path, count: int, url: str, *, read: bool = True) -> tuple[Path, Path]:
    """The sessions folder and a home whose state, for the server at `url`, knows all of them.

    Unless `read`, they were there before the first start, and nothing of them was delivered.
    """
    sessions, home = folder / "sessions", folder / "home"
    for number in range(count):
        path = sessions / f"--project-{number % FOLDERS}--" / f"{number:06d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(transcript(f"crowd {number}", 1, size=1000)))
        os.truncate(path, SIZE)
        os.utime(path, (LONG_AGO, LONG_AGO))
    shutil.rmtree(home, ignore_errors=True)
    with bare(settings(home / "state", url), sessions, backfill=read) as filling:
        filling.hasty(hasty=True)
        filling.catch_up()
    return sessions, home
