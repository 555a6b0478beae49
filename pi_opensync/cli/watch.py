"""`pi-opensync watch`: the daemon in the foreground."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path

from pi_opensync import engine, lock, logs, settings
from pi_opensync.daemon import Daemon
from pi_opensync.errors import ConfigurationError
from pi_opensync.pi import discover
from pi_opensync.store.database import Database, open_or_rebuild, set_aside


def run(*, backfill: bool, once: bool, log_format: logs.LogFormat, debug: bool | None) -> None:
    chosen = settings.load(debug=debug)
    logs.configure(log_format, debug=chosen.debug)
    base_url, _key = chosen.require_server()
    if not chosen.auto_sync:
        raise ConfigurationError(
            "autoSync is off: nothing is sent by itself",
            hint="set it to true, or send by hand with `pi-opensync sync`",
        )
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    with lock.held(chosen.state_dir, "watch", time.time()):
        _watch(chosen, engine.state_folder(chosen, base_url), folders, backfill=backfill, once=once)


def _watch(
    chosen: settings.Settings, state: Path, folders: tuple[Path, ...], *, backfill: bool, once: bool
) -> None:
    """Run until it ends; with a new state file where the old one turns out to be damaged."""
    while True:
        database, aside = open_or_rebuild(state, time.time())
        if aside is not None:
            logs.get().warning("the state file was damaged; it is built again", moved_to=str(aside))
        try:
            asyncio.run(_run(chosen, folders, database, backfill=backfill, once=once))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            database.close()
            aside = set_aside(state, time.time())
            logs.get().warning("the state file is damaged; it is built again", moved_to=str(aside))
        else:
            return
        finally:
            database.close()


async def _run(
    chosen: settings.Settings,
    folders: tuple[Path, ...],
    database: Database,
    *,
    backfill: bool,
    once: bool,
) -> None:
    built = engine.build(chosen, folders, database)
    async with built.client:
        daemon = Daemon(built, folders)
        if once:
            await daemon.once(backfill=backfill)
        else:
            await daemon.watch(backfill=backfill)
