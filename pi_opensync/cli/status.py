"""`pi-opensync status`: a screenful, or JSON."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pi_opensync import __version__, engine, lock, settings
from pi_opensync.deliver.server import read_pause
from pi_opensync.logs import shown
from pi_opensync.pi import discover
from pi_opensync.store.database import Database, open_beside
from pi_opensync.store.tally import tally

SCHEMA = 1


def run(*, as_json: bool) -> None:
    report = gather()
    print(json.dumps(report, indent=2) if as_json else "\n".join(_lines(report, time.time())))


def gather() -> dict[str, Any]:
    """What `status --json` prints; `schema` grows when a field changes its meaning."""
    chosen = settings.load()
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    holder = lock.holder(chosen.state_dir)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "server": chosen.convex_url,
        "running": None
        if holder is None
        else {"pid": holder.pid, "command": holder.command, "version": holder.version, "since": holder.since},
        "roots": [{"path": str(folder), "exists": folder.is_dir()} for folder in folders],
        "state": None,
        "pause": None,
    }
    if chosen.convex_url is None:
        return report
    database = open_beside(engine.state_folder(chosen, chosen.convex_url))
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
    rows = database.execute("SELECT path, offset, followed FROM transcripts")
    known = {row[0]: (row[1], row[2]) for row in rows}
    behind: dict[bytes, int] = {}
    for item in discover.transcripts(folders):
        if isinstance(item, discover.Found):
            offset, followed = known.get(item.path, (0, 1))
            if followed and item.signature.size > offset:
                behind[item.path] = item.signature.size - offset
    return behind


def _lines(report: dict[str, Any], now: float) -> list[str]:
    running = report["running"]
    lines = [
        f"pi-opensync {report['version']}",
        f"server    {report['server'] or 'none: run `pi-opensync login`'}",
        "running   "
        + (
            f"{running['command']}, process {running['pid']}, for {_age(now - running['since'])}"
            if running
            else "no"
        ),
    ]
    lines += [
        f"root      {shown(root['path'])}{'' if root['exists'] else '  (does not exist)'}"
        for root in report["roots"]
    ]
    state = report["state"]
    if state is None:
        return [*lines, "Nothing has been read yet."]
    lines += [
        _counts(state, "sessions"),
        _counts(state, "messages"),
        f"behind    {state['bytes_behind']} bytes",
    ]
    if state["messages_by_others"]:
        lines.append(
            f"          {state['messages_by_others']} messages were there already, sent by pi-opensync-plugin"
        )
    if state["transcripts_left_alone"]:
        lines.append(
            f"          {state['transcripts_left_alone']} transcripts stay as they are until they change; "
            "`pi-opensync sync` takes them"
        )
    if state["transcripts_unreadable"]:
        lines.append(f"          {state['transcripts_unreadable']} transcripts can not be read")
    if report["pause"]:
        lines.append(f"paused    {report['pause']['reason']}, for {_age(now - report['pause']['since'])}")
    lines.append(f"success   {_ago(state['last_success_at'], now)}")
    if state["last_error"]:
        lines.append(f"error     {_ago(state['last_error_at'], now)}: {state['last_error']}")
    if state["broken_lines"]:
        lines.append(f"broken    {state['broken_lines']} lines that hold no entry of pi's")
    lines += [f"unknown   {shown(kind)}: {count}" for kind, count in state["unknown_types"].items()]
    return lines


def _counts(state: dict[str, Any], what: str) -> str:
    delivered, waiting, parked = (state[f"{what}_{name}"] for name in ("delivered", "waiting", "parked"))
    return f"{what}  {delivered} delivered, {waiting} waiting, {parked} parked"


def _ago(moment: float | None, now: float) -> str:
    return "never" if moment is None else f"{_age(now - moment)} ago"


def _age(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
