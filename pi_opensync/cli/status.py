"""`pi-opensync status`: a screenful, or JSON."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pi_opensync import __version__
from pi_opensync.cli import terminal
from pi_opensync.cli.budgets import spent
from pi_opensync.cli.context import Context
from pi_opensync.cli.screen import screen
from pi_opensync.daemon.places import Place
from pi_opensync.doctor.misspelt import unknown
from pi_opensync.privacy import pauses as pausing
from pi_opensync.store.database import is_of_before
from pi_opensync.store.views import exclusions, odd_files, tally, unread

if TYPE_CHECKING:  # what delivery rests on is loaded where it rests
    from pi_opensync.deliver.actions import Pause
    from pi_opensync.store.database import StateDatabase

SCHEMA = 1  # of --json; grows when a field changes its meaning


def run(*, as_json: bool = False) -> None:
    report = gather()
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(screen(report, time.time(), terminal.width(), os.path.expanduser("~"))))  # noqa: PTH111 - a string


def gather() -> dict[str, Any]:
    """What `status --json` prints; the first of `places` stands at the top level too."""
    context = Context()
    asked = pausing.asked(context.settings.state_dir, time.time())
    kept = [_of(context, place) for place in context.places]
    running = next((report for report in kept if report["running"]), None)
    served = next((report for report in kept if report["dashboard"]), None)
    first = kept[0] if kept else {"state": None, "pause": None}
    return {
        "schema": SCHEMA,
        "version": __version__,
        "server": context.settings.convex_url,
        "running": running and running["running"],
        "pulse": running and running["pulse"],
        "paused": None if asked is None else asdict(asked),
        "roots": [{"path": str(folder), "exists": folder.is_dir()} for folder in context.folders],
        "roots_refused": [
            {"path": str(refused.folder), "reason": refused.reason} for refused in context.roots.refused
        ],
        "dashboard": served and served["dashboard"],
        "state": first["state"],
        "pause": first["pause"],
        "budgets": [
            asdict(each) | {"is_passed": each.is_passed} for each in spent(context.settings, time.time())
        ],
        "places": kept,
        "unknown_settings": unknown(os.environ),
    }


def _of(context: Context, place: Place) -> dict[str, Any]:
    """What there is to say of one dashboard."""
    holder, beat, server = place.keeper(), place.pulse(), place.server()
    report: dict[str, Any] = {
        "name": place.name,
        "url": place.where,
        "is_own": place.is_own,
        "has_key": place.is_own or place.settings.api_key is not None,
        "running": None
        if holder is None
        else {"pid": holder.pid, "command": holder.command, "version": holder.version, "since": holder.since},
        "pulse": None if beat is None else asdict(beat),
        "dashboard": None if server is None else {"url": server.url, "pid": server.pid},
        "state": None,
        "pause": None,
        "is_of_before": False,
    }
    with context.beside(place) as database:
        if database is None:
            report["is_of_before"] = is_of_before(place.state)
        else:
            numbers = asdict(tally(database))
            behind = unread(database, ((item.path, item.signature.size) for item in context.files))
            pause = _pause(database)
            report["state"] = numbers | {
                "bytes_behind": max(numbers["bytes_behind"], behind),
                "excluded_because": sorted(exclusions(database)),
                "files_odd": odd_files(database),
            }
            report["pause"] = None if pause is None else asdict(pause)
    return report


def _pause(database: StateDatabase) -> Pause | None:
    if database.meta("pause") is None:
        return None
    from pi_opensync.deliver.server import read_pause

    return read_pause(database)
