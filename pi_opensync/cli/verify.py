"""`pi-opensync verify`: the dashboard held against the transcripts."""

import asyncio
import json
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from pi_opensync import logs, settings
from pi_opensync.cli.announcement import announcement
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import lock
from pi_opensync.daemon.run import Daemon
from pi_opensync.errors import PartlyDone
from pi_opensync.fold import external_id
from pi_opensync.inspect.dry import folded
from pi_opensync.inspect.verify import Differences, differences, want_again
from pi_opensync.pi import discover
from pi_opensync.pi.translate import Options
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import Database, open_beside, open_database
from pi_opensync.texts import shown

SHOWN_IDS = 5


def run(*, repair: bool, session: str | None, as_json: bool) -> None:
    chosen = settings.load()
    logs.configure(debug=chosen.debug)
    base_url, _key = chosen.require_server()
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    state = settings.state_folder(chosen, base_url)
    holding = lock.held(chosen.state_dir, "verify --repair", time.time()) if repair else nullcontext()
    with holding:
        found = asyncio.run(_verify(chosen, folders, state, repair=repair, only=session))
    _report(found, as_json=as_json)
    left = sum(item.count for item in found)
    if left:
        hint = None if repair else "`pi-opensync verify --repair` sends what is missing"
        raise PartlyDone(f"{left} differences", hint=hint)


async def _verify(
    chosen: settings.Settings, folders: tuple[Path, ...], state: Path, *, repair: bool, only: str | None
) -> list[Differences]:
    files = discover.files(folders)
    beside = open_beside(state)
    alone, server_dated = _known(beside)
    if beside is not None:
        beside.close()
    names = {item.path.rpartition(b"/")[2]: item.path for item in files}
    options = Options(chosen.sync_tool_calls, chosen.sync_thinking)
    followed = [item for item in files if item.path not in alone]
    with folded(
        followed,
        folders,
        names,
        options,
        policy=engine.policy(chosen),
        clean=engine.cleaner(chosen),
        now=time.time,
    ) as (wanted, _problems):
        built_on = open_database(state) if repair else wanted
        built = engine.build(chosen, folders, built_on)
        async with built.client:
            found = [
                item async for item in differences(built.client, wanted, only=only, server_dated=server_dated)
            ]
            if repair and any(item.can_be_repaired for item in found):
                _announce(chosen, followed, found)
                await _repair(built, folders, wanted, found)
                found = [
                    item
                    async for item in differences(built.client, wanted, only=only, server_dated=server_dated)
                ]
        if repair:
            built_on.close()
    return found


def _announce(chosen: settings.Settings, files: list[discover.Found], found: list[Differences]) -> None:
    """Say which sessions are uploaded that the dashboard never had."""
    missing = {item.external_id for item in found if item.session_missing}
    leaving = [item for item in Wanted().choose(files, engine.policy(chosen)) if item.leaves]
    sessions = [item for item in leaving if item.header and external_id(item.header) in missing]
    if sessions:
        base_url, _key = chosen.require_server()
        print(announcement(sessions, base_url, engine.cleaner(chosen)), file=sys.stderr)


async def _repair(
    built: engine.Engine, folders: tuple[Path, ...], wanted: Database, found: list[Differences]
) -> None:
    """Read what is not read yet, want again what is missing, deliver."""
    listing = built.follow.list_files()
    built.follow.compare(listing)
    while built.follow.has_more:
        built.follow.read_next()
    want_again(built.database, wanted, found, time.time())
    await Daemon(built, folders).finish()


def _known(state: Database | None) -> tuple[set[bytes], set[str]]:
    """The transcripts that are left alone, and the sessions that carry the server's dates."""
    if state is None:
        return set(), set()
    alone = state.execute("SELECT path FROM transcripts WHERE followed = 0")
    dated = state.execute("SELECT external_id FROM sessions WHERE dates = 'server'")
    return {row[0] for row in alone}, {row[0] for row in dated}


def _report(found: list[Differences], *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "schema": 1,
                    "sessions": len(found),
                    "differences": sum(item.count for item in found),
                    "found": [asdict(item) for item in found if item.count],
                },
                indent=2,
            )
        )
        return
    for item in found:
        if item.count:
            print(f"{shown(item.external_id)}  {shown(item.title)}")
            if item.session_missing or item.session_different:
                print(f"  session {'missing' if item.session_missing else 'different'}")
            for name in ("missing", "different", "duplicated", "foreign"):
                ids = getattr(item, name)
                if ids:
                    more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
                    print(f"  {len(ids)} {name}: {', '.join(map(shown, ids[:SHOWN_IDS]))}{more}")
    print(f"{len(found)} sessions compared, {sum(item.count for item in found)} differences")
