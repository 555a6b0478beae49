"""`pi-opensync status`: a screenful, or JSON."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pi_opensync import __version__, settings
from pi_opensync.cli.screen import screen
from pi_opensync.daemon import places as dashboard
from pi_opensync.daemon import pulse
from pi_opensync.deliver.server import read_pause
from pi_opensync.pi import discover
from pi_opensync.privacy import pause as pausing
from pi_opensync.store.database import Database, open_beside
from pi_opensync.store.views import tally

SCHEMA = 1  # of --json; grows when a field changes its meaning


def run(*, as_json: bool) -> None:
    report = gather()
    print(json.dumps(report, indent=2) if as_json else "\n".join(screen(report, time.time())))


def gather() -> dict[str, Any]:
    """What `status --json` prints; `schema` grows when a field changes its meaning."""
    chosen = settings.load()
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    at_work, holder = dashboard.daemon(chosen.state_dir)
    server = dashboard.server(chosen.state_dir)
    beat = pulse.last(at_work)
    asked = pausing.asked(chosen.state_dir, time.time())
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "server": chosen.convex_url,
        "running": None
        if holder is None
        else {"pid": holder.pid, "command": holder.command, "version": holder.version, "since": holder.since},
        "pulse": None if beat is None or holder is None or beat.pid != holder.pid else asdict(beat),
        "paused": None if asked is None else asdict(asked),
        "roots": [{"path": str(folder), "exists": folder.is_dir()} for folder in folders],
        "dashboard": None if server is None else {"url": server.url, "pid": server.pid},
        "state": None,
        "pause": None,
    }
    database = open_beside(dashboard.state_folder(chosen))
    if database is None:
        return report
    try:
        numbers = asdict(tally(database))
        behind = sum(_grown(folders, database).values())
        numbers["bytes_behind"] = max(numbers["bytes_behind"], behind)
        report["state"] = numbers
        pause = read_pause(database)
        report["pause"] = None if pause is None else asdict(pause)
    finally:
        database.close()
    return report


def _grown(folders: tuple[Path, ...], database: Database) -> dict[bytes, int]:
    """Bytes that stand in followed transcripts and were not read yet."""
    rows = database.execute("SELECT path, offset, followed AND excluded IS NULL FROM transcripts")
    known = {row[0]: (row[1], row[2]) for row in rows}
    behind: dict[bytes, int] = {}
    for item in discover.transcripts(folders):
        if isinstance(item, discover.Found):
            offset, is_read = known.get(item.path, (0, 1))
            if is_read and item.signature.size > offset:
                behind[item.path] = item.signature.size - offset
    return behind
