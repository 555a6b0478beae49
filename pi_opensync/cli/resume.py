"""`pi-opensync resume`: end a pause; or go on with a session in pi."""

import os
import shutil
import sys
from typing import Annotated

import typer

from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.cli.session_ids import one_session
from pi_opensync.errors import PiOpensyncError
from pi_opensync.privacy import pauses as pausing
from pi_opensync.texts import shown

app = new_app()


@app.command(epilog="Example: pi-opensync resume 5f0c2a3e")
def resume(
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="Go on with this session in pi; its beginning is enough.", show_default=False
        ),
    ] = None,
) -> None:
    """Without an id a pause ends."""
    if session is None:
        run()
        return
    context = Context()
    (newest, *_others) = one_session(context, session)
    program = shutil.which("pi")
    if program is None:
        raise PiOpensyncError("pi is not found", hint="install pi, or add its folder to PATH")
    folder = newest.header.cwd if newest.header and newest.header.cwd else "."
    try:
        os.chdir(folder)
    except (OSError, ValueError):  # gone, or of another machine
        named = shown(context.cleaner.or_withheld(folder))
        terminal.say(f"{named} is not here; pi begins in this folder.", out=sys.stderr)
    os.execv(program, [program, "--session", os.fsdecode(newest.found.path)])  # noqa: S606 - pi itself, no shell


def run() -> None:
    print("Resumed." if pausing.resume(Context().settings.state_dir) else "It was not paused.")
