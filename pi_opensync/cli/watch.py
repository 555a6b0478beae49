"""`pi-opensync watch`: the daemon in the foreground."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from pi_opensync import __version__, engine, lock, logs, notify, pulse, settings
from pi_opensync.cli.announcement import announcement, warn_of_an_open_file
from pi_opensync.daemon import Daemon
from pi_opensync.errors import ConfigurationError
from pi_opensync.notify import Notifier
from pi_opensync.pi import discover
from pi_opensync.selection import Wanted
from pi_opensync.store.database import Database, open_or_rebuild, set_aside
from pi_opensync.store.tally import tally


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
        return asyncio.run(_run(chosen, stamp, folders, database, backfill=backfill, once=once))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        database.close()
        aside = set_aside(state, time.time())
        logs.get().warning("the state file is damaged; it is built again", moved_to=str(aside))
        return False
    finally:
        database.close()


async def _run(
    chosen: settings.Settings,
    stamp: settings.Stamp,
    folders: tuple[Path, ...],
    database: Database,
    *,
    backfill: bool,
    once: bool,
) -> bool:
    notifier, heart = Notifier.of(os.environ), notify.heart(os.environ)

    def beat(part: str) -> None:
        if heart.beat(part, time.monotonic()):
            notifier.alive()

    built = engine.build(chosen, folders, database, on_beat=beat, is_outdated=stamp.is_outdated)
    async with built.client:
        daemon = Daemon(
            built,
            folders,
            is_outdated=stamp.is_outdated,
            on_ready=notifier.ready,
            on_sweep=_beating(chosen.state_dir, built, notifier),
            on_beat=beat,
        )
        if once:
            await daemon.once(backfill=backfill)
            return True
        await daemon.watch(backfill=backfill)
        if daemon.was_asked_to_stop:
            notifier.stopping()
        return daemon.was_asked_to_stop


def _announce(chosen: settings.Settings, folders: tuple[Path, ...], base_url: str) -> None:
    """Say what history leaves this machine, before the first of it does."""
    files = Wanted().choose(_files(folders), engine.policy(chosen))
    leaving = [item for item in files if item.header and item.excluded is None]
    said = announcement(leaving, base_url, engine.cleaner(chosen))
    logs.get().info("history will be sent", what=said)


def _beating(folder: Path, built: engine.Engine, notifier: Notifier) -> Callable[[bool], None]:
    def beat(events: bool) -> None:
        watching = "events" if events else "sweep"
        if notifier.is_heard:
            now = tally(built.database)
            notifier.status(f"{now.messages_delivered} messages delivered, {now.messages_waiting} waiting")
        trouble = built.events.trouble_of_late()
        pulse.beat(
            folder, pulse.Pulse(os.getpid(), time.time(), __version__, watching, pulse.memory(), trouble)
        )

    return beat


def _files(folders: tuple[Path, ...]) -> list[discover.Found]:
    return [item for item in discover.transcripts(folders) if isinstance(item, discover.Found)]
