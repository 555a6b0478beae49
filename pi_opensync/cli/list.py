"""`pi-opensync list`: the sessions, a line each, and why one is not on the dashboard."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pi_opensync.cli.announcement import project_shown
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.daemon.places import Place
from pi_opensync.store.views import TranscriptRow, session_rows, transcript_rows
from pi_opensync.texts import shown

LEFT_ALONE = "left alone until it changes; `pi-opensync sync` takes it"
NOT_READ = "not read yet"
_MET_NOW = TranscriptRow(followed=True, has_session=False, excluded=None)

app = new_app()


@dataclass(frozen=True, slots=True)
class Listed:
    """A session on a dashboard; `why` says what keeps it from there, None where nothing does."""

    place: str
    id: str
    project: str
    title: str
    sent: int
    waiting: int
    parked: int
    why: str | None


@app.command("list", epilog="Example: pi-opensync list --unsynced")
def show(
    unsynced: Annotated[bool, typer.Option("--unsynced", help="Only what is not on the dashboard.")] = False,
    excluded: Annotated[bool, typer.Option("--excluded", help="Only what you excluded.")] = False,
    parked: Annotated[bool, typer.Option("--parked", help="Only what OpenSync refused.")] = False,
    as_json: AsJson = False,
) -> None:
    run(unsynced=unsynced, excluded=excluded, parked=parked, as_json=as_json)


def run(*, unsynced: bool, excluded: bool, parked: bool, as_json: bool) -> None:
    context = Context()
    rows = [row for place in context.places or (None,) for row in _listed(context, place)]
    if unsynced:
        rows = [row for row in rows if row.waiting or row.why is not None]
    if excluded:
        rows = [row for row in rows if row.why is not None and "exclude" in row.why]
    if parked:
        rows = [row for row in rows if row.parked]
    if as_json:
        print(json.dumps({"schema": 1, "sessions": [asdict(row) for row in rows]}, indent=2))
    elif rows:
        _show(rows, [place.name for place in context.places])
    else:
        print("No sessions.", file=sys.stderr)


def _listed(context: Context, place: Place | None) -> Iterator[Listed]:
    """The sessions that a dashboard has or waits for, then the transcripts of which no session was read."""
    name = "" if place is None else place.name
    known: dict[bytes, TranscriptRow] = {}
    with context.beside(place) as database:
        if database is not None:
            known = transcript_rows(database)
            for row in session_rows(database):
                why = row.excluded or (f"parked: {row.parked}" if row.parked else None)
                sent = row.messages - row.waiting - row.held
                project = row.said.project or "-"
                yield Listed(name, row.said.id, project, row.said.title, sent, row.waiting, row.held, why)
    for item in context.sessions():
        met = known.get(item.found.path, _MET_NOW)
        if item.header is not None and not met.has_session:
            why = met.excluded or item.excluded or (NOT_READ if met.followed else LEFT_ALONE)
            project = project_shown(item.header.cwd, context.cleaner) if item.header.cwd else "-"
            yield Listed(name, item.header.id, project, "", 0, 0, 0, why)


def _show(rows: list[Listed], names: list[str]) -> None:
    console = Console()
    for name in names or [""]:
        if len(names) > 1:
            console.print(Text(name, style="bold underline"))
        console.print(_table([row for row in rows if row.place == name], console.width))


def _table(rows: list[Listed], width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Session", no_wrap=True, max_width=36)
    table.add_column("Project", no_wrap=True, max_width=16)
    table.add_column("Title", no_wrap=True, max_width=max(20, width - 90))
    for name in ("Sent", "Waiting"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Why not", overflow="fold")
    for row in rows:
        why = row.why or (f"{row.parked} parked" if row.parked else "")
        table.add_row(
            Text(shown(row.id)),
            Text(shown(row.project)),
            Text(shown(row.title)),
            str(row.sent),
            str(row.waiting),
            Text(shown(why)),
        )
    return table
