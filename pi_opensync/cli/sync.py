"""`pi-opensync sync`: send the sessions that are there."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from pi_opensync import logs
from pi_opensync.cli.announcement import announce, warn_of_an_open_file
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import Debug, LogFormat, new_app
from pi_opensync.cli.tables import show_sessions
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import lock, places
from pi_opensync.daemon.places import Place
from pi_opensync.daemon.run import Daemon
from pi_opensync.errors import ConfigurationError, PartlyDone
from pi_opensync.pi.discover import Item, Odd, Unreadable
from pi_opensync.read.select import Chosen, Wanted
from pi_opensync.store.database import Database
from pi_opensync.store.views import session_rows, tally
from pi_opensync.texts import shown_path

REPORT_PERIOD = 3.0  # seconds between lines about progress, where there is no terminal

app = new_app()


@app.command(epilog="Example: pi-opensync sync --since 30d --project ~/src/webapp --dry-run")
def sync(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Sessions active since then: 30d, 12h, or a date.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Sessions begun before then.")] = None,
    project: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Sessions of this project folder and below.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(metavar="ID|FILE", help="One session: its id, the beginning of it, or its file."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most so many sessions, the newest first.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    wanted = Wanted.parse(since=since, until=until, project=project, session=session, limit=limit)
    run(wanted, dry_run=dry_run, yes=yes, log_format=log_format, debug=debug)


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
    context = Context(debug=debug)
    context.log(log_format)
    warn_of_an_open_file()
    place = None if dry_run else places.opensync(context.settings)
    _look(context)
    chosen = [item for item in context.sessions(wanted) if item.excluded is None]
    if not chosen:
        print("No sessions to send.", file=sys.stderr)
    elif place is None:
        _show(context, chosen)
    elif announced or _is_agreed(context, place, chosen, yes=yes):
        with lock.held(place.home, "sync", context.now()), context.at_work(place) as database:
            asyncio.run(_send(context, place, database, chosen))
    else:
        print("Nothing was sent.", file=sys.stderr)
        return
    missing = [item for item in context.listing if isinstance(item, Unreadable)]
    if missing:
        raise PartlyDone(f"{len(missing)} folders could not be read, see above")


def _look(context: Context) -> None:
    """Say what of the folders can not be read. Raises `ConfigurationError` where there is none."""
    if not any(folder.is_dir() for folder in context.folders):
        raise ConfigurationError(
            f"no sessions folder at {', '.join(map(str, context.folders))}",
            hint="run pi once, or name the folder with PI_OPENSYNC_SESSIONS_DIR",
        )
    for item in context.listing:
        _tell(item)


def _tell(item: Item) -> None:
    if isinstance(item, Unreadable):
        logs.get().warning("can not be read", path=shown_path(item.path), reason=item.reason)
    elif isinstance(item, Odd):
        logs.get().warning("not a transcript", path=shown_path(item.path), reason=item.reason)


def _is_agreed(context: Context, place: Place, chosen: Sequence[Chosen], *, yes: bool) -> bool:
    """Whether these may be sent, after saying what they are."""
    count = announce(chosen, place.where or "", sys.stderr, context.cleaner)
    if not count:
        return True  # there is no session to agree to, only files to look into
    return yes or not sys.stdin.isatty() or input("Upload them? [y/N] ").strip().lower() in ("y", "yes")


def _show(context: Context, chosen: Sequence[Chosen]) -> None:
    with context.folded([item.found for item in chosen]) as (wanted, problems):
        show_sessions(session_rows(wanted))
    for path, reason in problems.items():
        logs.get().warning("can not be read", path=shown_path(path), reason=reason)
    if problems:
        raise PartlyDone(f"{len(problems)} files could not be read, see above")


async def _send(context: Context, place: Place, database: Database, chosen: Sequence[Chosen]) -> None:
    with context.engine(place, database) as built:
        async with built.client:
            built.follow.take(item.found for item in reversed(chosen))  # the newest last: it stands on top
            daemon = Daemon(built, context.folders, is_outdated=context.stamp.is_outdated)
            telling = asyncio.create_task(_tell_progress(built))
            try:
                await daemon.finish()
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling


async def _tell_progress(built: engine.Engine) -> None:
    """A bar on a terminal, a line every few seconds elsewhere."""
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
        task = bar.add_task("sending", total=None, files=built.follow.left)
        while True:
            now = tally(built.database)
            bar.update(
                task,
                completed=now.messages_delivered,
                total=now.messages_delivered + now.messages_waiting or None,
                files=built.follow.left,
            )
            await asyncio.sleep(0.2)
