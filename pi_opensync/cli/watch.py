"""`pi-opensync watch`: the daemon in the foreground."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path

from pi_opensync import logs, settings
from pi_opensync.cli.announcement import announcement, warn_of_an_open_file
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import lock
from pi_opensync.daemon.following import follow
from pi_opensync.errors import ConfigurationError
from pi_opensync.pi import discover
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import open_or_rebuild, set_aside


def run(*, backfill: bool, once: bool, log_format: logs.LogFormat, debug: bool | None) -> None:
    """Watch, with the settings as they are; when their file changes, again with the new ones."""
    stamp = settings.Stamp.take()
    chosen = _load(debug)
    logs.configure(log_format, debug=chosen.debug)
    warn_of_an_open_file()
    with lock.held(chosen.state_dir, "watch", time.time()):
        while not _watch(chosen, stamp, backfill=backfill, once=once):
            stamp = settings.Stamp.take()
            chosen = _load(debug)


def _load(debug: bool | None) -> settings.Settings:
    chosen = settings.load(debug=debug)
    chosen.require_server()
    if not chosen.auto_sync:
        raise ConfigurationError(
            "autoSync is off: nothing is sent by itself",
            hint="set it to true, or send by hand with `pi-opensync sync`",
        )
    return chosen


def _watch(chosen: settings.Settings, stamp: settings.Stamp, *, backfill: bool, once: bool) -> bool:
    """Run until it ends; False where that is because the settings changed or the store was lost."""
    base_url, _key = chosen.require_server()
    state = settings.state_folder(chosen, base_url)
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    database, aside = open_or_rebuild(state, time.time())
    if aside is not None:
        logs.get().warning("the state file was damaged; it is built again", moved_to=str(aside))
    try:
        if backfill and database.meta("backfilled") != 1:
            _announce(chosen, folders, base_url)
        return asyncio.run(
            follow(chosen, stamp, folders, database, pulse_in=chosen.state_dir, backfill=backfill, once=once)
        )
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        database.close()
        aside = set_aside(state, time.time())
        logs.get().warning("the state file is damaged; it is built again", moved_to=str(aside))
        return False
    finally:
        database.close()


def _announce(chosen: settings.Settings, folders: tuple[Path, ...], base_url: str) -> None:
    """Say what history leaves this machine, before the first of it does."""
    files = Wanted().choose(discover.files(folders), engine.policy(chosen))
    leaving = [item for item in files if item.leaves]
    said = announcement(leaving, base_url, engine.cleaner(chosen))
    logs.get().info("history will be sent", what=said)
