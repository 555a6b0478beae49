"""What `make run` does: the main job on this machine, however little is set up yet.

With a URL and a key it watches and keeps that dashboard equal to pi's sessions. Without, it brings a
dashboard of its own, on this machine, with pi's sessions, or with samples where pi has none.
"""

import os
import sys
from pathlib import Path

from pi_opensync import settings
from pi_opensync.cli import watch
from pi_opensync.cli.local import show_served, watch_local
from pi_opensync.errors import AlreadyRunning, PiOpensyncError
from pi_opensync.pi import discover

NO_SESSIONS = "pi has no sessions on this machine yet. These are samples; --local shows your own."
LOG_IN = """\
Nothing leaves this machine. To keep an OpenSync dashboard equal to pi's sessions instead:
    .venv/bin/pi-opensync login
    .venv/bin/pi-opensync watch"""


def main() -> None:
    chosen = settings.load()
    if chosen.convex_url is not None and chosen.api_key is not None:
        watch.run(backfill=False, once=False, log_format="auto", debug=None)
        return
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    none = not any(isinstance(item, discover.Found) for item in discover.transcripts(folders))
    print(NO_SESSIONS if none else LOG_IN, file=sys.stderr)
    seen = sys.stderr.isatty()
    try:
        watch_local(port=None, open_page=seen, demo=none, log_format="auto", debug=None)
    except AlreadyRunning:
        if none or not show_served(open_page=seen):
            raise


if __name__ == "__main__":
    try:
        main()
    except PiOpensyncError as error:
        sys.exit(f"pi-opensync: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
