"""What `make run` does: the main job on this machine, however little is set up yet.

With a URL and a key it watches. Without, it shows what a sync would send: of this machine's pi sessions,
or of the sample transcripts that come with the package where there are none.
"""

import os
import sys
from pathlib import Path

from pi_opensync import logs, settings
from pi_opensync.cli import sync, watch
from pi_opensync.errors import PiOpensyncError
from pi_opensync.pi import discover
from pi_opensync.selection import Wanted

SAMPLES = Path(__file__).parent / "samples"
LOG_IN = """
To keep a dashboard equal to these sessions, log in to your OpenSync (https://www.opensync.dev):

    .venv/bin/pi-opensync login
    .venv/bin/pi-opensync watch
"""


def main() -> None:
    logs.configure()
    chosen = settings.load()
    if chosen.convex_url is not None and chosen.api_key is not None:
        watch.run(backfill=False, once=False, log_format="auto", debug=None)
        return
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    if any(isinstance(item, discover.Found) for item in discover.transcripts(folders)):
        print(f"pi's sessions on this machine ({', '.join(map(str, folders))}), as a sync would send them:\n")  # noqa: T201 - for the person who ran it
    else:
        print("pi has no sessions on this machine yet. Three sample sessions, as a sync would send them:\n")  # noqa: T201 - the same
        os.environ[settings.ENV_PREFIX + "SESSIONS_DIR"] = str(SAMPLES)
    sync.run(Wanted(), dry_run=True, yes=False, log_format="auto", debug=None)
    print(LOG_IN)  # noqa: T201 - the same


if __name__ == "__main__":
    try:
        main()
    except PiOpensyncError as error:
        sys.exit(f"pi-opensync: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
