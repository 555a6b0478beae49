"""`pi-opensync sync`: send the sessions that are there."""

import asyncio
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from pi_opensync import __version__, logbook, loop, texts
from pi_opensync.cli import terminal
from pi_opensync.cli.announcement import announce, warn_of_an_open_file
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import Debug, LogFormat, new_app
from pi_opensync.cli.session_ids import one_session
from pi_opensync.cli.tables import Column, table
from pi_opensync.daemon import lock, places
from pi_opensync.daemon.build import Engine
from pi_opensync.daemon.places import Place
from pi_opensync.daemon.run import Daemon
from pi_opensync.daemon.totals import Totals
from pi_opensync.errors import ConfigurationError, PartlyDone
from pi_opensync.pi.discover import Item, Odd, Unreadable
from pi_opensync.read.asked import ask
from pi_opensync.read.select import Chosen, Wanted
from pi_opensync.sqlite import Damaged, StoreUnavailable
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.views import SessionRow, delivered_transcripts, session_rows, tally, transcript_rows
from pi_opensync.texts import shown_path

TICK = 0.2  # seconds between two looks at how it goes
WITH_A_BAR = 70  # columns that it takes with all that stands beside it
TICKS_A_LINE = 15  # where there is no terminal

_COLUMNS = (
    Column("Began", drop=4),
    Column("Project", least=8, drop=3),
    Column("Title", least=16),
    Column("Messages", right=True, drop=1),
    Column("Size", right=True, drop=5),
    Column("Tokens", right=True, drop=6),
    Column("Cost", right=True, drop=2),
)

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
    log_format: logbook.LogFormat,
    debug: bool | None,
    announced: bool = False,
) -> None:
    """`announced`: what is about to be sent was said already, and agreed to."""
    context = Context(debug=debug)
    context.log(log_format)
    warn_of_an_open_file()
    place = None if dry_run else _server(context)
    _look(context)
    chosen = [item for item in context.sessions(wanted) if item.excluded is None]
    if wanted.session is not None and chosen:
        paths = {item.found.path for item in one_session(context, wanted.session)}
        chosen = [item for item in chosen if item.found.path in paths]
    if not chosen:
        print("No sessions to send.", file=sys.stderr)
    elif place is None:
        _show(context, chosen)
    elif announced or _is_agreed(context, place, chosen, yes=yes):
        if not _hand_over(context, place, chosen):
            with lock.held(place.home, "sync", context.now()), context.at_work(place) as database:
                is_done = loop.run(_send(context, place, database, chosen))
            if not is_done:
                raise typer.Exit(PartlyDone.exit_code)
    else:
        print("Nothing was sent.", file=sys.stderr)
        return
    missing = [item for item in context.listing if isinstance(item, Unreadable)]
    if missing:
        raise PartlyDone(f"{texts.counted(len(missing), 'folder')} could not be read, see above")


def _hand_over(context: Context, place: Place, chosen: Sequence[Chosen]) -> bool:
    """Let the daemon that is at work send what it leaves alone; False where there is none, or nothing."""
    keeper = place.keeper()
    if keeper is None or keeper.command != "watch" or keeper.version != __version__:
        return False
    with context.beside(place) as known:
        rows = {} if known is None else transcript_rows(known)
    paths = [item.found.path for item in chosen]
    left_alone = [path for path in paths if path in rows and not rows[path].followed]
    if not left_alone:
        return False
    with context.writable(place) as database:
        ask(database, left_alone)
    terminal.say(
        f"`pi-opensync {keeper.command}` (process {keeper.pid}) is at work, and sends them: "
        f"{texts.counted(len(left_alone), 'session')}. `pi-opensync status` shows how it goes."
    )
    return True


def _server(context: Context) -> Place:
    """Where it is sent to. Raises `ConfigurationError` where no server is configured."""
    if context.settings.convex_url is None and context.places:
        raise ConfigurationError(
            "no OpenSync is configured, and your own dashboard needs no sending by hand",
            hint="`pi-opensync watch --local` keeps that equal, `watch --local --once` brings it up to date",
        )
    return places.opensync(context.settings)


def _look(context: Context) -> None:
    """Say what of the folders can not be read. Raises `ConfigurationError` where there is none."""
    if not any(folder.is_dir() for folder in context.folders):
        raise ConfigurationError(
            f"no sessions folder at {', '.join(map(str, context.folders))}",
            hint="run pi once, or name the folder with PI_OPENSYNC_SESSIONS_DIR",
        )
    for item in context.listing:
        _tell_odd(item)


def _tell_odd(item: Item) -> None:
    if isinstance(item, Unreadable):
        logbook.get().warning("can not be read", path=shown_path(item.path), reason=item.reason)
    elif isinstance(item, Odd):
        logbook.get().warning("not a transcript", path=shown_path(item.path), reason=item.reason)


def _is_agreed(context: Context, place: Place, chosen: Sequence[Chosen], *, yes: bool) -> bool:
    """Whether what is not on the dashboard yet may be sent, after saying what it is."""
    there: dict[bytes, int] = {}  # where the state is damaged, it is built again from nothing
    with suppress(Damaged), context.beside(place) as database:
        there = {} if database is None else delivered_transcripts(database)
    new = [item for item in chosen if there.get(item.found.path) != item.found.signature.size]
    if not any(item.leaves for item in new):
        return True  # there is no session to agree to, only files to look into
    announce(new, place.where or "", sys.stderr, context.cleaner)
    if yes or not sys.stdin.isatty():
        return True
    try:
        return input("Upload them? [y/N] ").strip().lower() in ("y", "yes")
    except (KeyboardInterrupt, EOFError):
        print("\nNothing was sent.", file=sys.stderr, end="")
        raise KeyboardInterrupt from None


def _show(context: Context, chosen: Sequence[Chosen]) -> None:
    with context.folded([item.found for item in chosen]) as (wanted, problems):
        print("\n".join(_would_be_sent(session_rows(wanted))))
    for path, reason in problems.items():
        logbook.get().warning("can not be read", path=shown_path(path), reason=reason)
    if problems:
        raise PartlyDone(f"{texts.counted(len(problems), 'file')} could not be read, see above")


def _would_be_sent(rows: Sequence[SessionRow]) -> Iterator[str]:
    """A line a session, the newest first, and the totals below."""
    ordered = sorted(rows, key=lambda row: row.said.created_at or 0, reverse=True)
    heading, *lines = table(_COLUMNS, [_cells(row) for row in ordered], terminal.width())
    yield terminal.bold(heading)
    yield from lines
    yield ""
    size = texts.size(sum(row.bytes for row in rows))
    messages = sum(row.messages for row in rows)
    tokens = sum(row.said.tokens for row in rows)
    cost = sum(row.said.cost for row in rows)
    yield from terminal.wrapped(
        f"{texts.counted(len(rows), 'session')}, {texts.counted(messages, 'message')}, {size}, "
        f"{tokens:,} tokens, ${cost:.2f}. Nothing was sent.",
        terminal.width(),
        0,
    )


def _cells(row: SessionRow) -> list[str]:
    return [
        texts.day(row.said.created_at),
        texts.shown(row.said.project or "-"),
        texts.shown(row.said.title),
        f"{row.messages:,}",
        texts.size(row.bytes),
        f"{row.said.tokens:,}",
        f"${row.said.cost:.2f}",
    ]


async def _send(context: Context, place: Place, database: StateDatabase, chosen: Sequence[Chosen]) -> bool:
    """False where it was interrupted, and has said so. Raises `PartlyDone` where something is left over."""
    totals = Totals(logbook.get(), now=context.now)
    begun = context.now()
    with context.engine(place, database, totals) as built:
        async with built.client:
            built.follow.take(item.found for item in reversed(chosen))  # the newest last: it stands on top
            daemon = Daemon(built, context.folders, is_outdated=context.stamp.is_outdated)
            telling = asyncio.create_task(_tell(daemon, built, totals))
            try:
                await daemon.finish()
            except StoreUnavailable:
                terminal.say(f"{totals} sent. Nothing is lost; running it again goes on.")
                raise
            except PartlyDone:
                if not daemon.was_asked_to_stop:
                    raise
                return False
            finally:
                if not daemon.was_asked_to_stop:  # else it ends by itself, with how far it came
                    telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
    seconds = f" in {context.now() - begun:,.0f} s"
    print(f"{totals} sent{seconds}." if totals.sessions else "Nothing to send: all of it is there.")
    return True


async def _tell(daemon: Daemon, built: Engine, totals: Totals) -> None:
    """How it goes, and once it is interrupted how far it came."""
    with _progress(built) as show:
        while True:
            show()
            if daemon.was_asked_to_stop:
                break
            await asyncio.sleep(TICK)
    waiting = tally(built.database).messages_waiting
    terminal.say(f"Interrupted: {totals} sent, {waiting:,} read and waiting. Running it again goes on.")


@contextmanager
def _progress(built: Engine) -> Iterator[Callable[[], None]]:
    """What shows it: a bar on a terminal, a line every few seconds elsewhere."""
    if not sys.stderr.isatty():
        yield _lines_now_and_then(built)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    bars = [BarColumn()] if console.width >= WITH_A_BAR else []
    columns = (TextColumn("sending"), *bars, MofNCompleteColumn(), TextColumn("messages"))
    left = TextColumn("{task.fields[files]} files to read" if bars else "{task.fields[files]} files")
    with Progress(*columns, left, console=console, transient=True) as bar:
        task = bar.add_task("sending", total=None, files=built.follow.left)

        def show() -> None:
            now = tally(built.database)
            total = now.messages_delivered + now.messages_waiting or None
            bar.update(task, completed=now.messages_delivered, total=total, files=built.follow.left)

        yield show


def _lines_now_and_then(built: Engine) -> Callable[[], None]:
    ticks = itertools.count(1)

    def show() -> None:
        if next(ticks) % TICKS_A_LINE == 0:
            now = tally(built.database)
            logbook.get().info(
                "sending",
                delivered=now.messages_delivered,
                waiting=now.messages_waiting,
                files_left=built.follow.left,
            )

    return show
