"""`pi-opensync sync`: send the sessions that are there."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pi_opensync import logs, settings
from pi_opensync.cli.announcement import announce, warn_of_an_open_file
from pi_opensync.cli.tables import show_sessions
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import lock
from pi_opensync.daemon.run import Daemon
from pi_opensync.errors import ConfigurationError, PartlyDone
from pi_opensync.inspect.dry import folded
from pi_opensync.inspect.survey import survey
from pi_opensync.pi import discover
from pi_opensync.pi.discover import Found, Item, Odd, Unreadable
from pi_opensync.pi.translate import Options
from pi_opensync.read.select import Chosen, Wanted
from pi_opensync.store.database import Database, open_or_rebuild
from pi_opensync.texts import shown_path

REPORT_PERIOD = 3.0  # seconds between lines about progress, where there is no terminal


def run(
    wanted: Wanted,
    *,
    dry_run: bool,
    yes: bool,
    log_format: logs.LogFormat,
    debug: bool | None,
    announced: bool = False,
) -> None:
    """`announced`: what is about to be sent was said already, and agreed to."""
    stamp = settings.Stamp.take()
    chosen_settings = settings.load(debug=debug)
    logs.configure(log_format, debug=chosen_settings.debug)
    warn_of_an_open_file()
    if not dry_run:
        chosen_settings.require_server()
    folders = discover.roots(chosen_settings.sessions_dir, os.environ, Path.cwd())
    listing = _listing(folders)
    files = [item for item in listing if isinstance(item, Found)]
    chosen = [item for item in wanted.choose(files, engine.policy(chosen_settings)) if item.excluded is None]
    if not chosen:
        print("No sessions to send.", file=sys.stderr)
    elif dry_run:
        _show(chosen, folders, listing, chosen_settings)
    else:
        base_url, _key = chosen_settings.require_server()
        if not announced and not announce(chosen, base_url, sys.stderr, engine.cleaner(chosen_settings)):
            yes = True  # there is no session to agree to, only files to look into
        if (
            not yes
            and sys.stdin.isatty()
            and input("Upload them? [y/N] ").strip().lower() not in ("y", "yes")
        ):
            print("Nothing was sent.", file=sys.stderr)
            return
        with lock.held(chosen_settings.state_dir, "sync", time.time()):
            state = settings.state_folder(chosen_settings, base_url)
            database, aside = open_or_rebuild(state, time.time())
            if aside is not None:
                logs.get().warning("the state file was damaged; it is built again", moved_to=str(aside))
            try:
                asyncio.run(_send(chosen_settings, stamp, folders, database, listing, chosen))
            finally:
                database.close()
    missing = [item for item in listing if isinstance(item, Unreadable)]
    if missing:
        raise PartlyDone(f"{len(missing)} folders could not be read, see above")


def _listing(folders: tuple[Path, ...]) -> list[Item]:
    listing = list(discover.transcripts(folders))
    if not any(folder.is_dir() for folder in folders):
        raise ConfigurationError(
            f"no sessions folder at {', '.join(map(str, folders))}",
            hint="run pi once, or name the folder with PI_OPENSYNC_SESSIONS_DIR",
        )
    for item in listing:
        if isinstance(item, Unreadable):
            logs.get().warning("can not be read", path=shown_path(item.path), reason=item.reason)
        elif isinstance(item, Odd):
            logs.get().warning("not a transcript", path=shown_path(item.path), reason=item.reason)
    return listing


def _show(
    chosen: Sequence[Chosen],
    folders: tuple[Path, ...],
    listing: Sequence[Item],
    chosen_settings: settings.Settings,
) -> None:
    names = {item.path.rpartition(b"/")[2]: item.path for item in listing if isinstance(item, Found)}
    options = Options(chosen_settings.sync_tool_calls, chosen_settings.sync_thinking)
    files = [item.found for item in chosen]
    with folded(
        files,
        folders,
        names,
        options,
        policy=engine.policy(chosen_settings),
        clean=engine.cleaner(chosen_settings),
        now=time.time,
    ) as (wanted, problems):
        show_sessions(survey(wanted))
    for path, reason in problems.items():
        logs.get().warning("can not be read", path=shown_path(path), reason=reason)
    if problems:
        raise PartlyDone(f"{len(problems)} files could not be read, see above")


async def _send(
    chosen_settings: settings.Settings,
    stamp: settings.Stamp,
    folders: tuple[Path, ...],
    database: Database,
    listing: Sequence[Item],
    chosen: Sequence[Chosen],
) -> None:
    built = engine.build(chosen_settings, folders, database, is_outdated=stamp.is_outdated)
    async with built.client:
        built.follow.know(listing)
        built.follow.take(item.found for item in chosen)
        daemon = Daemon(built, folders, is_outdated=stamp.is_outdated)
        telling = asyncio.create_task(_tell_progress(built, len(chosen)))
        try:
            await daemon.finish()
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


async def _tell_progress(built: engine.Engine, files: int) -> None:
    """A bar on a terminal, a line every few seconds elsewhere."""
    from pi_opensync.store.views import tally

    if not sys.stderr.isatty():
        while True:
            await asyncio.sleep(REPORT_PERIOD)
            now = tally(built.database)
            logs.get().info(
                "sending",
                delivered=now.messages_delivered,
                waiting=now.messages_waiting,
                files_left=built.follow.left,
            )
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("messages, {task.fields[files]} files to read"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("sending", total=None, files=files)
        while True:
            now = tally(built.database)
            bar.update(
                task,
                completed=now.messages_delivered,
                total=now.messages_delivered + now.messages_waiting or None,
                files=built.follow.left,
            )
            await asyncio.sleep(0.2)
