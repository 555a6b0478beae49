"""`pi-opensync list`: the sessions, a line each, and why one is not on the dashboard."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pi_opensync import settings
from pi_opensync.cli.announcement import project_shown
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import places as dashboard
from pi_opensync.pi import discover
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import Database, open_beside
from pi_opensync.texts import shown

LEFT_ALONE = "left alone until it changes; `pi-opensync sync` takes it"
NOT_READ = "not read yet"


@dataclass(frozen=True, slots=True)
class Listed:
    """A session; `why` says what keeps it from the dashboard, None where nothing does."""

    id: str
    project: str
    title: str
    sent: int
    waiting: int
    parked: int
    why: str | None


def run(*, unsynced: bool, excluded: bool, parked: bool, as_json: bool) -> None:
    chosen = settings.load()
    rows = _known(chosen) + _unknown(chosen)
    if unsynced:
        rows = [row for row in rows if row.waiting or row.why is not None]
    if excluded:
        rows = [row for row in rows if row.why is not None and "exclude" in row.why]
    if parked:
        rows = [row for row in rows if row.parked]
    if as_json:
        print(json.dumps({"schema": 1, "sessions": [asdict(row) for row in rows]}, indent=2))
    elif rows:
        _show(rows)
    else:
        print("No sessions.", file=sys.stderr)


def _known(chosen: settings.Settings) -> list[Listed]:
    database = _database(chosen)
    if database is None:
        return []
    rows = database.execute(
        "SELECT s.external_id, s.wanted, s.parked, s.excluded, count(m.id), "
        "count(CASE WHEN m.wanted IS NOT NULL AND m.parked IS NULL THEN 1 END), count(m.parked) "
        "FROM sessions s LEFT JOIN messages m ON m.session_id = s.id GROUP BY s.id ORDER BY s.id DESC"
    ).fetchall()
    database.close()
    listed = []
    for external_id, wanted, parked, excluded, count, waiting, held in rows:
        payload = json.loads(wanted)
        why = excluded or (f"parked: {parked}" if parked else None)
        sent = count - waiting - held
        listed.append(
            Listed(external_id, payload.get("projectName", "-"), payload["title"], sent, waiting, held, why)
        )
    return listed


def _unknown(chosen: settings.Settings) -> list[Listed]:
    """The transcripts of which no session was read."""
    database = _database(chosen)
    known: dict[bytes, tuple[int, int | None, int | None, str | None]] = {}
    if database is not None:
        rows = database.execute("SELECT path, followed, session_id, copy_of, excluded FROM transcripts")
        known = {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
        database.close()
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    found = discover.files(folders)
    clean = engine.cleaner(chosen)
    listed = []
    for item in Wanted().choose(found, engine.policy(chosen)):
        followed, session_id, copy_of, excluded = known.get(item.found.path, (1, None, None, None))
        if item.header is None or session_id is not None or copy_of is not None:
            continue
        why = excluded or item.excluded or (NOT_READ if followed else LEFT_ALONE)
        project = project_shown(item.header.cwd, clean) if item.header.cwd else "-"
        listed.append(Listed(item.header.id, project, "", 0, 0, 0, why))
    return listed


def _database(chosen: settings.Settings) -> Database | None:
    return open_beside(dashboard.state_folder(chosen))


def _show(rows: list[Listed]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Session", no_wrap=True, max_width=36)
    table.add_column("Project", no_wrap=True, max_width=16)
    table.add_column("Title", no_wrap=True, max_width=max(20, console.width - 90))
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
    console.print(table)
