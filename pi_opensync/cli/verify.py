"""`pi-opensync verify`: the dashboard held against the transcripts."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Annotated, TypedDict

import typer

from pi_opensync import logbook, loop
from pi_opensync.cli import terminal
from pi_opensync.cli.announcement import announcement
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.cli.session_ids import one_session
from pi_opensync.daemon import lock
from pi_opensync.daemon.build import Engine
from pi_opensync.daemon.places import Place
from pi_opensync.daemon.run import Daemon
from pi_opensync.daemon.totals import Totals
from pi_opensync.errors import PartlyDone
from pi_opensync.fold import external_id
from pi_opensync.inspect.comparison import differences, want_again
from pi_opensync.opensync.differences import Differences
from pi_opensync.pi.discover import Found
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.views import dates, server_ids, transcript_rows
from pi_opensync.texts import counted, shown

SHOWN_IDS = 5

app = new_app()


@app.command(epilog="Example: pi-opensync verify --repair")
def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Send what is missing or different.")] = False,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="One session, by the beginning of its id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    run(repair=repair, session=session, as_json=as_json)


def run(*, repair: bool, session: str | None, as_json: bool) -> None:
    context = Context()
    context.log()
    only = None if session is None else _meant(context, session)
    found: dict[str, list[Differences]] = {}
    for place in context.require_places():
        with lock.held(place.home, "verify --repair", context.now()) if repair else nullcontext():
            found[place.name] = loop.run(_verify(context, place, repair=repair, only=only))
    print(_as_json(found) if as_json else "\n".join(_fitted(_lines(found))))
    left = _count(found)
    if left:
        hint = None if repair else "`pi-opensync verify --repair` sends what is missing"
        raise PartlyDone(counted(left, "difference"), hint=hint)
    unread = sum(item.unread is not None for items in found.values() for item in items)
    if unread:
        raise PartlyDone(
            f"{counted(unread, 'session')} could not be read back; what is new of them is sent all the same"
        )


class _Known(TypedDict):
    only: str | None
    server_dated: set[str]
    server_ids: dict[str, str]


def _meant(context: Context, session: str) -> str:
    """The id of the one session that is meant; of one behind another in its file, as it was given."""
    ids = {external_id(item.header) for item in one_session(context, session) if item.header is not None}
    return next((whole for whole in ids if whole.startswith(session)), session)


async def _verify(context: Context, place: Place, *, repair: bool, only: str | None) -> list[Differences]:
    with context.beside(place) as beside:
        rows = {} if beside is None else transcript_rows(beside)
        dated = {} if beside is None else dates(beside)
        ids = {} if beside is None else server_ids(beside)
    server_dated = {session for session, whose in dated.items() if whose == "server"}
    followed = [item for item in context.files if item.path not in rows or rows[item.path].followed]
    with (
        context.folded(followed, place) as (wanted, _problems),
        _built_on(context, place, wanted, repair=repair) as built,
    ):
        async with built.client:
            known: _Known = {"only": only, "server_dated": server_dated, "server_ids": ids}
            found = [item async for item in differences(built.client, wanted, **known)]
            if repair and any(item.can_be_repaired for item in found):
                _announce(context, place, followed, found)
                await _repair(context, built, wanted, found)
                known["server_ids"] = server_ids(built.database)
                found = [item async for item in differences(built.client, wanted, **known)]
    return found


@contextmanager
def _built_on(context: Context, place: Place, wanted: StateDatabase, *, repair: bool) -> Iterator[Engine]:
    """An engine over what is known of the dashboard, or, where nothing is changed, over the dry store."""
    with (
        context.writable(place) if repair else nullcontext(wanted) as database,
        context.engine(place, database, Totals(logbook.get(), now=context.now)) as built,
    ):
        yield built


def _announce(context: Context, place: Place, files: list[Found], found: list[Differences]) -> None:
    """Say which sessions are uploaded that the dashboard never had."""
    missing = {item.external_id for item in found if item.session_missing}
    paths = {item.path for item in files}
    leaving = [item for item in context.sessions() if item.leaves and item.found.path in paths]
    sessions = [item for item in leaving if item.header and external_id(item.header) in missing]
    if sessions:
        print(announcement(sessions, place.where or place.name, context.cleaner), file=sys.stderr)


async def _repair(context: Context, built: Engine, wanted: StateDatabase, found: list[Differences]) -> None:
    """Read what is not read yet, want again what is missing, deliver."""
    listing = built.follow.list_files()
    built.follow.compare(listing)
    # Of a message that has no row, its transcript is what is left.
    built.follow.read_sessions_anew([item.external_id for item in found if item.missing])
    while built.follow.has_more:
        built.follow.read_next()
    want_again(built.database, wanted, found, context.now())
    await Daemon(built, context.folders).finish()
    print(f"{built.events} sent again.", file=sys.stderr)


def _count(found: dict[str, list[Differences]]) -> int:
    return sum(item.count for items in found.values() for item in items)


def _as_json(found: dict[str, list[Differences]]) -> str:
    report = {
        "schema": 1,
        "sessions": sum(map(len, found.values())),
        "deleted": sum(item.deleted for items in found.values() for item in items),
        "differences": _count(found),
        "found": [
            asdict(item) | {"place": place}
            for place, items in found.items()
            for item in items
            if item.count or item.unread
        ],
    }
    return json.dumps(report, indent=2)


def _lines(found: dict[str, list[Differences]]) -> Iterator[str]:
    for place, items in found.items():
        for item in items:
            if item.count or item.unread:
                yield from _about(item)
        name = f"{place}: " if len(found) > 1 else ""
        gone = sum(item.deleted for item in items)
        beside = f"; {gone} deleted on the dashboard, and left so" if gone else ""
        compared, differences = len(items) - gone, sum(item.count for item in items)
        yield f"{name}{counted(compared, 'session')} compared, {counted(differences, 'difference')}{beside}"


def _fitted(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield from terminal.wrapped(line, terminal.width(), 2)


def _about(item: Differences) -> Iterator[str]:
    yield f"{shown(item.external_id)}  {shown(item.title)}"
    if item.session_missing or item.session_different:
        yield f"  session {'missing' if item.session_missing else 'different'}"
    if item.unread:
        yield f"  {item.unread}"
    if item.dated_otherwise:
        yield "  dated otherwise on the server, which no update changes"
    if item.unfound:
        yield "  not found by the server's search"
    for name in ("missing", "different", "duplicated", "foreign", "unlike"):
        ids = getattr(item, name)
        if ids:
            more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
            yield f"  {len(ids)} {name}: {', '.join(map(shown, ids[:SHOWN_IDS]))}{more}"
