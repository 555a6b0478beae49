"""`pi-opensync list`: the sessions, a line each, and why one is not on the dashboard."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.screen import OF_BEFORE
from pi_opensync.cli.session_ids import short_ids
from pi_opensync.cli.tables import Column, table
from pi_opensync.pi import discover
from pi_opensync.store.database import is_of_before
from pi_opensync.store.views import SessionRow, TranscriptRow, last_used, session_rows, transcript_rows
from pi_opensync.texts import day, shown, shown_path

if TYPE_CHECKING:  # loaded where a file must be opened
    from pi_opensync.pi.discover import Found
    from pi_opensync.read.select import Chosen

LEFT_ALONE = "left alone until it changes; `pi-opensync sync` sends it"
NOT_READ = "not read yet"
READ_FOR_TITLES = 20_000_000  # bytes of files of which nothing is kept: about a second
_MET_NOW = TranscriptRow(followed=True, has_session=False, excluded=None)
_COLUMNS = (
    Column("Session"),
    Column("Last used", drop=2),
    Column("Project", least=8, drop=3),
    Column("Title", least=16),
    Column("Sent", right=True, drop=4),
    Column("State", drop=1),
)


class ListedSession(msgspec.Struct, frozen=True, gc=False):
    """A session on a dashboard; `why` says what keeps it from there, None where nothing does.

    Times in Unix milliseconds; `sent`, `waiting` and `parked` count messages. What is not known is None.
    """

    place: str
    id: str
    project: str
    title: str
    sent: int
    waiting: int
    parked: int
    why: str | None
    folder: str | None = None
    model: str | None = None
    provider: str | None = None
    created_at: int | None = None
    last_used_at: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A file of which nothing is on a dashboard, as it belongs to no session that is known."""

    place: str
    path: str
    why: str


def run(
    *, unsynced: bool = False, excluded: bool = False, parked: bool = False, as_json: bool = False
) -> None:
    context = Context()
    rows, files = _gathered(context)
    if excluded or parked:
        files = []
    short = short_ids(row.id for row in rows)
    if unsynced:
        rows = [row for row in rows if row.waiting or row.why is not None]
    if excluded:
        rows = [row for row in _judged(context, rows) if row.why is not None and "exclude" in row.why]
    if parked:
        rows = [row for row in rows if row.parked]
    rows.sort(key=lambda row: row.last_used_at or row.created_at or 0, reverse=True)
    if as_json:
        print("\n".join(_as_json(rows, short, files)))
        return
    if rows:
        print("\n".join(_lines(rows, short, [place.name for place in context.places])))
    for file in files:
        print(f"{shown(file.path)}\n  {shown(file.why)}")
    if not rows and not files:
        print("No sessions.", file=sys.stderr)


def _judged(context: Context, rows: Iterable[ListedSession]) -> Iterator[ListedSession]:
    """With what was excluded since they were read."""
    from pi_opensync.daemon.chosen import policy

    projects = policy(context.settings)
    for row in rows:
        why = row.why or (None if row.folder is None else projects.reason(row.folder))
        yield msgspec.structs.replace(row, why=why)


def _as_json(
    rows: Sequence[ListedSession], short: Mapping[str, str], files: Sequence[Unlisted]
) -> Iterator[str]:
    """As `json.dumps` with an indent of 2 writes it, in a tenth of the time."""
    described = (msgspec.structs.asdict(row) | {"short": short[row.id]} for row in rows)
    yield '{\n  "schema": 1,'
    yield f'  "sessions": {_array(described)},'
    yield f'  "files": {_array(map(asdict, files))}\n}}'


def _array(objects: Iterable[Mapping[str, Any]]) -> str:
    encode = json.JSONEncoder(separators=(",\n      ", ": ")).encode
    written = ",\n".join(f"    {{\n      {encode(each)[1:-1]}\n    }}" for each in objects)
    return f"[\n{written}\n  ]" if written else "[]"


def _gathered(context: Context) -> tuple[list[ListedSession], list[Unlisted]]:
    """What each dashboard has or waits for, the transcripts of which no session was read, and odd files.

    Of pi's files only those are opened of which a dashboard has no session.
    """
    rows: list[ListedSession] = []
    files: list[Unlisted] = []
    met: dict[str, dict[bytes, TranscriptRow]] = {"": {}} if not context.places else {}
    for place in context.places:
        met[place.name] = {}
        with context.beside(place) as database:
            if database is None:
                if is_of_before(place.state):
                    terminal.say(f"{place.name}: {OF_BEFORE}", out=sys.stderr)
                continue
            met[place.name] = transcript_rows(database)
            used = last_used(database)
            rows += [_known(place.name, row, used.get(row.said.id)) for row in session_rows(database)]
        files += _without_session(place.name, met[place.name])
    # Most often each is known, and need not be looked at.
    if not all(_is_read(known, path) for path in discover.names(context.folders) for known in met.values()):
        new = [
            item for item in context.files if not all(_is_read(known, item.path) for known in met.values())
        ]
        looked = context.choose(new)
        titles = _titles(context, looked)
        for name, known in met.items():
            rows += _not_read(context, name, known, looked, titles)
    return rows, files


def _is_read(known: Mapping[bytes, TranscriptRow], path: bytes) -> bool:
    return known.get(path, _MET_NOW).has_session


def _titles(context: Context, looked: Sequence[Chosen]) -> dict[str, str]:
    """What the newest of these sessions are called, which their files say: of as many as are read at once."""
    read: list[Found] = []
    size = 0
    for item in looked:
        size += item.found.signature.size
        if size > READ_FOR_TITLES:
            break
        if item.leaves:
            read.append(item.found)
    with context.folded(read) as (database, _problems):
        return {row.said.id: row.said.title for row in session_rows(database)}


def _not_read(
    context: Context,
    place: str,
    known: Mapping[bytes, TranscriptRow],
    found: Sequence[Chosen],
    titles: Mapping[str, str],
) -> Iterator[ListedSession]:
    from pi_opensync.cli.announcement import project_shown
    from pi_opensync.fold import external_id

    for item in found:
        met = known.get(item.found.path, _MET_NOW)
        if item.header is not None and not met.has_session:
            why = met.excluded or item.excluded or (NOT_READ if met.followed else LEFT_ALONE)
            folder = item.header.cwd
            key = external_id(item.header)
            yield ListedSession(
                place,
                key,
                project_shown(folder, context.cleaner) if folder else "-",
                titles.get(key, ""),
                0,
                0,
                0,
                why,
                folder=context.cleaner.or_withheld(folder) if folder else None,
                created_at=item.header.timestamp,
                last_used_at=item.last_at,
            )


def _without_session(place: str, known: Mapping[bytes, TranscriptRow]) -> Iterator[Unlisted]:
    """What pi recreated without its session's header, and what is no transcript."""
    for path, row in known.items():
        if row.odd is not None and os.path.lexists(path):
            yield Unlisted(place, shown_path(path), row.odd)


def _known(place: str, row: SessionRow, used: int | None) -> ListedSession:
    said = row.said
    return ListedSession(
        place,
        said.id,
        said.project or "-",
        said.title,
        row.messages - row.waiting - row.held,
        row.waiting,
        row.held,
        row.excluded or (f"set aside: {row.parked}" if row.parked else None),
        folder=said.folder,
        model=said.model,
        provider=said.provider,
        created_at=said.created_at,
        last_used_at=used or said.created_at,
        tokens=said.tokens,
        cost=said.cost,
    )


def _lines(rows: Sequence[ListedSession], short: dict[str, str], places: Sequence[str]) -> Iterator[str]:
    for name in places or [""]:
        of_place = [row for row in rows if row.place == name]
        if len(places) > 1:
            yield terminal.bold(name)
        if not of_place:
            yield "no sessions"
            continue
        cells = zip(_COLUMNS, _cells(of_place, short), strict=True)
        used = [(column, texts) for column, texts in cells if any(texts)]
        filled = list(zip(*(texts for _column, texts in used), strict=True))
        heading, *lines = table([column for column, _texts in used], filled, terminal.width())
        yield terminal.bold(heading)
        for row, line in zip(of_place, lines, strict=True):
            yield line
            if row.why not in (None, NOT_READ, LEFT_ALONE):
                yield f"  {shown(row.why or '')}"
        alone = sum(row.why == LEFT_ALONE for row in of_place)
        if alone:
            yield from _said(f"{alone} are from before the first start: `pi-opensync sync` sends them.")
    if not places:
        yield from _said("No dashboard is kept of them yet: `pi-opensync start` shows one.")


def _said(text: str) -> list[str]:
    return terminal.wrapped(text, terminal.width(), 0)


def _cells(rows: Sequence[ListedSession], short: Mapping[str, str]) -> list[list[str]]:
    """What stands in each column."""
    return [
        [shown(short[row.id]) for row in rows],
        [day(row.last_used_at) for row in rows],
        [shown(row.project) for row in rows],
        [shown(row.title) for row in rows],
        [str(row.sent) if row.place else "" for row in rows],
        ["" if not row.place and row.why == NOT_READ else _state(row) for row in rows],
    ]


def _state(row: ListedSession) -> str:
    if row.why is not None:
        words = {NOT_READ: "not read yet", LEFT_ALONE: "not sent"}
        return words.get(row.why, "set aside" if row.why.startswith("set aside") else "stays here")
    if row.parked:
        return f"{row.parked} set aside"
    return f"{row.waiting} waiting" if row.waiting else ""
