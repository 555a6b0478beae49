"""`pi-opensync pause`."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.errors import UsageError
from pi_opensync.privacy import pauses as pausing

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
LONGEST_PAUSE = 10 * 365 * 86400.0
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

app = new_app()


@app.command(epilog="Example: pi-opensync pause 2h")
def pause(
    span: Annotated[
        str | None, typer.Argument(metavar="SPAN", help="For how long, such as 30m, 2h or 3d.")
    ] = None,
    same: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="The same.")] = None,
) -> None:
    """It holds across restarts; pi's sessions are still read."""
    if span is not None and same is not None:
        raise UsageError(f"{span} and --for {same}: two spans of time", hint="give one of them")
    run(span if same is None else same)


def run(span: str | None) -> None:
    context = Context()
    until = None if span is None else context.now() + _seconds(span)
    pausing.pause(context.settings.state_dir, until)
    end = "until `pi-opensync resume`"
    if until is not None:
        end = f"until {datetime.fromtimestamp(until, UTC).astimezone():%Y-%m-%d %H:%M}"
    terminal.say(f"Paused {end}. pi's sessions are still read; nothing is sent.")


def _seconds(span: str) -> float:
    match = _SPAN.fullmatch(span.strip().lower())
    if match is None:
        raise UsageError(f"{span}: not a span of time", hint="use one such as 30m, 2h or 3d")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST_PAUSE:
        raise UsageError(f"{span}: longer than ten years", hint="without a span it lasts until `resume`")
    return seconds
