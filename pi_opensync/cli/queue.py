"""`pi-opensync queue`: what was set aside, and what becomes of it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from pi_opensync import texts
from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.errors import PiOpensyncError, UsageError
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.parked import drop, parked, retry
from pi_opensync.texts import shown

app = new_app()


@app.command("list", epilog="Example: pi-opensync queue list --json")
def show(as_json: AsJson = False) -> None:
    """Show what was refused and set aside, and why."""
    list_parked(as_json=as_json)


@app.command("retry", epilog="Example: pi-opensync queue retry --all")
def again(
    external_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="As `queue list` shows it.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is set aside.")] = False,
) -> None:
    """Send it again, one of them or all."""
    retry_parked(external_id, every=every)


@app.command("drop", epilog="Example: pi-opensync queue drop ID")
def give_up(
    external_id: Annotated[str, typer.Argument(metavar="ID", help="As `queue list` shows it.")],
) -> None:
    """Give up on one; pi's file keeps it."""
    drop_parked(external_id)


def list_parked(*, as_json: bool) -> None:
    context = Context()
    rows = []
    for place in context.require_places():
        with context.beside(place) as database:
            rows += [(place, row) for row in (parked(database) if database is not None else ())]
    if as_json:
        print(json.dumps([asdict(row) | {"place": place.name} for place, row in rows], indent=2))
        return
    for place, row in rows:
        print(f"{context.name(place)}{row.kind}  {shown(row.id)}  {texts.size(row.bytes)}")
        terminal.say(shown(row.reason), 2)
    if not rows:
        print("Nothing is set aside.")


def retry_parked(external_id: str | None, *, every: bool) -> None:
    if (external_id is None) != every:
        raise UsageError("name one ID, or --all", hint="`pi-opensync queue list` shows the ids")
    context = Context()
    count = _everywhere(context, lambda database: retry(database, external_id, context.now()))
    if external_id is not None and count == 0:
        raise _unknown(external_id)
    print(f"{count} wanted again; a running daemon sends them within a minute, or run `pi-opensync sync`.")


def drop_parked(external_id: str) -> None:
    count = _everywhere(Context(), lambda database: drop(database, external_id))
    if count == 0:
        raise _unknown(external_id)
    print(f"{count} dropped; the transcript still has it.")


def _everywhere(context: Context, change: Callable[[StateDatabase], int]) -> int:
    """How many rows the change concerned, of every dashboard."""
    count = 0
    for place in context.require_places():
        with context.writable(place) as database:
            count += change(database)
    return count


def _unknown(external_id: str) -> PiOpensyncError:
    return PiOpensyncError(
        f"nothing of that id is set aside: {shown(external_id)}", hint="see `pi-opensync queue list`"
    )
