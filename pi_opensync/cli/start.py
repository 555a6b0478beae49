"""`pi-opensync start`: the main job on this machine, however little is set up yet.

With a URL and a key it watches and keeps that dashboard equal to pi's sessions. Without, it brings a
dashboard of its own, on this machine, with pi's sessions, or with samples where pi has none.
"""

import sys

from pi_opensync.cli import terminal, watch
from pi_opensync.cli.context import Context
from pi_opensync.cli.local import show_served, watch_local
from pi_opensync.cli.options import new_app
from pi_opensync.errors import AlreadyRunning

NO_SESSIONS = """\
pi has no sessions on this machine yet; these are three samples. Once there are some, this command shows them.
Ctrl-C ends it."""
OWN = """\
Your own dashboard: nothing leaves this machine. Ctrl-C ends it.
  pi-opensync service install --local   keeps it running, from login on
  pi-opensync login                     uses OpenSync instead"""

app = new_app()


@app.command(epilog="Example: pi-opensync start")
def start() -> None:
    """In OpenSync's where you are logged in, else in your own; samples where pi has no sessions yet."""
    context = Context()
    if context.settings.convex_url is not None and context.settings.api_key is not None:
        watch.run(backfill=False, once=False, log_format="auto", debug=None)
        return
    has_sessions = bool(context.files)
    seen = sys.stderr.isatty()
    if has_sessions and show_served(context, open_page=seen):
        return
    terminal.say(OWN if has_sessions else NO_SESSIONS, out=sys.stderr)
    try:
        watch_local(port=None, open_page=seen, demo=not has_sessions, log_format="auto", debug=None)
    except AlreadyRunning:
        if not has_sessions or not show_served(context, open_page=seen):
            raise
