"""Finding messages and sessions: the index finds words, the texts tell the rest, after the read.

What is asked beyond words costs a look at each message in which they stand, so a search looks at a bounded
number of them and says from where it would go on.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.db.index import expression
from pi_opensync.dashboard.db.layout import ID_BITS
from pi_opensync.dashboard.folding import fold
from pi_opensync.dashboard.matching import is_hit, needs_look
from pi_opensync.dashboard.parts import searchable
from pi_opensync.dashboard.query import Filter, Query
from pi_opensync.dashboard.snippets import Snippet, snippet
from pi_opensync.sqlite import Database, Row

Reading = Callable[[], AbstractContextManager[Database]]

MOST_COUNTED = 1000
_MOST_LOOKS = 1000  # messages
_AT_ONCE = 100  # messages that are read in one view of the database
_HITS_OF_A_SESSION = 20  # messages that are looked at for each session that is asked for
_NO_ID = 2**63 - 1

# CROSS JOIN keeps the order of the loops: the index gives the newest first, and stops where enough are found.
_FOUND = """
FROM search
CROSS JOIN messages ON messages.id = search.rowid
CROSS JOIN sessions ON sessions.id = messages.session_id
WHERE search MATCH ? AND search.rowid < ? AND search.rowid >= ?
"""
# What a fork copied is found in its parent alone, unless the fork itself is searched.
_NO_COPIES = (
    "(sessions.parent_id IS NULL OR NOT sessions.is_dated OR messages.created_at >= sessions.created_at)"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A message in which what was looked for stands, and its session."""

    message: Row
    session: Row
    text: str
    query: Query

    @property
    def snippet(self) -> Snippet:
        """The words around the first place where they stand; it takes time in a long message."""
        return snippet(self.text, self.query)


@dataclass(frozen=True, slots=True)
class Hits:
    """`next_before` leads to the next page, None at the end.

    `count` is of all pages, at most `MOST_COUNTED`; None where only a look at each message could tell.
    """

    hits: list[Hit] = field(default_factory=list)
    next_before: int | None = None
    count: int | None = None


def search(
    reading: Reading,
    query: Query,
    *,
    limit: int,
    zone: tzinfo | None = None,
    before: int | None = None,
    session_id: int | None = None,
) -> Hits:
    """Return the newest messages that hold what is looked for; each view of the database is short."""
    matching = expression(query, session_id)
    if not matching:
        return Hits()
    with reading() as database:
        condition, values = _condition(database, query, is_one_session=session_id is not None)
    newest, oldest = _bounds(query, zone)
    start = newest if before is None else min(before, newest)
    looks = needs_look(query)
    count = None
    if not looks:
        with reading() as database:
            count = database.one(
                f"SELECT count(*) FROM (SELECT 1 {_FOUND} AND {condition} LIMIT {MOST_COUNTED})",
                matching,
                newest,
                oldest,
                *values,
            )
    found: list[Hit] = []
    candidates = _candidates(reading, condition, (matching, start, oldest, *values), limit)
    for looked, (message, session) in enumerate(candidates):
        if len(found) == limit or looked == _MOST_LOOKS:
            return Hits(found, message["id"] + 1, count)
        content = StoredMessage(message).content
        text = searchable(content.text, content.parts)
        if not looks or is_hit(query, text):
            found.append(Hit(message, session, text, query))
    return Hits(found, None, count)


def _candidates(
    reading: Reading, condition: str, values: Sequence[object], limit: int
) -> Iterator[tuple[Row, Row]]:
    """Messages in which the words stand, the newest first, with their sessions."""
    matching, before, *rest = values
    page = min(limit + 1, _AT_ONCE)
    while True:
        with reading() as database:
            rows = database.rows(
                f"SELECT messages.* {_FOUND} AND {condition} ORDER BY search.rowid DESC LIMIT {page}",
                (matching, before, *rest),
            )
            wanted = {row["session_id"] for row in rows}
            sessions = {each: database.row("SELECT * FROM sessions WHERE id = ?", (each,)) for each in wanted}
        for row in rows:
            yield row, sessions[row["session_id"]]
        if len(rows) < page:
            return
        before = rows[-1]["id"]
        page = _AT_ONCE


def ids_in(reading: Reading, query: Query, session_id: int, limit: int = 2000) -> list[int]:
    """Return the messages of a session that hold what is looked for, in order."""
    matching = expression(query, session_id)
    if not matching:
        return []
    with reading() as database:
        rows = database.rows(
            "SELECT messages.id, messages.body FROM search CROSS JOIN messages ON messages.id = search.rowid "
            "WHERE search MATCH ? ORDER BY search.rowid LIMIT ?",
            (matching, limit),
        )
    if not needs_look(query):
        return [row["id"] for row in rows]
    contents = ((row["id"], StoredMessage(row).content) for row in rows)
    return [each for each, content in contents if is_hit(query, searchable(content.text, content.parts))]


def sessions_with(reading: Reading, query: Query, limit: int, zone: tzinfo | None = None) -> list[Row]:
    """Return the sessions of the newest messages that hold what is looked for, among a few hundred hits."""
    if needs_look(query):
        found = search(reading, query, limit=_HITS_OF_A_SESSION * limit, zone=zone)
        sessions = {hit.session["id"]: hit.session for hit in found.hits}
        return list(sessions.values())[:limit]
    matching = expression(query)
    if not matching:
        return []
    with reading() as database:
        condition, values = _condition(database, query, is_one_session=False)
        # No message is read for it: what they say is shown by none of those who ask.
        return database.rows(
            "SELECT sessions.* FROM (SELECT session_id, max(id) AS newest FROM ("
            f"SELECT messages.session_id, messages.id {_FOUND} AND {condition} "
            "ORDER BY search.rowid DESC LIMIT ?) GROUP BY session_id) AS hit "
            "CROSS JOIN sessions ON sessions.id = hit.session_id ORDER BY newest DESC LIMIT ?",
            (matching, *_bounds(query, zone), *values, _HITS_OF_A_SESSION * limit, limit),
        )


def titled(database: Database, query: Query, limit: int, zone: tzinfo | None = None) -> list[Row]:
    """Find the sessions that fit the filters and whose title and project hold all the words, newest first.

    None where what is asked for is said of messages alone.
    """
    if any(each.name in ("role", "tool") or each.value == "error" for each in query.filters):
        return []
    condition, values = _condition(database, query, is_one_session=True, of_messages=False)
    newest, oldest = _bounds(query, zone)
    words = [[fold(term.text) for term in group] for group in query.groups]
    tests = [condition, "active_at < ?", "created_at >= ? OR active_at >= ?"]
    values += [newest >> ID_BITS, oldest >> ID_BITS, oldest >> ID_BITS]
    for group in words:
        tests.append(" OR ".join(["instr(said, ?)"] * len(group)))
        values += group
    for term in query.without:
        tests.append("NOT instr(said, ?)")
        values.append(fold(term.text))
    # The inner one is answered from an index alone, unless a filter asks for more.
    return database.rows(
        "SELECT sessions.* FROM (SELECT id FROM sessions INDEXED BY sessions_by_what_is_said "
        f"WHERE {' AND '.join(f'({test})' for test in tests)} ORDER BY active_at DESC LIMIT ?) AS found "
        "JOIN sessions ON sessions.id = found.id ORDER BY sessions.active_at DESC",
        (*values, limit),
    )


def sessions_that_touched(database: Database, file: str, limit: int = 200) -> list[Row]:
    """Return the sessions that read or wrote a file, found by a part of its path, with `kinds` of `Touch`."""
    return database.rows(
        "SELECT sessions.*, touch.path, touch.kinds FROM ("
        "  SELECT session_id, min(path) AS path, max(kinds) AS kinds FROM touched "
        "  WHERE path LIKE ? ESCAPE '\\' GROUP BY session_id"
        ") AS touch JOIN sessions ON sessions.id = touch.session_id ORDER BY active_at DESC LIMIT ?",
        (_like(_path(file)), limit),
    )


def files_of_late(database: Database, sessions: int = 50, files: int = 100) -> list[str]:
    """Return the paths that the latest sessions read or wrote, the latest session's first."""
    rows = database.rows(
        "SELECT path FROM (SELECT id, active_at FROM sessions ORDER BY active_at DESC LIMIT ?) AS late "
        "JOIN touched ON touched.session_id = late.id "
        "GROUP BY path ORDER BY max(active_at) DESC, path LIMIT ?",
        (sessions, files),
    )
    return [row["path"] for row in rows]


def files_of(database: Database, session_id: int) -> list[Row]:
    """Return (path, kinds of `Touch`) of all that a session read or wrote."""
    return database.rows("SELECT path, kinds FROM touched WHERE session_id = ? ORDER BY path", (session_id,))


def _condition(
    database: Database, query: Query, *, is_one_session: bool, of_messages: bool = True
) -> tuple[str, list[object]]:
    """The filters as SQL over messages and sessions."""
    tests = [] if is_one_session else [_NO_COPIES]
    values: list[object] = []
    for each in query.filters:
        test, given = _test(database, each, of_messages=of_messages)
        if test:
            tests.append(f"NOT ({test})" if each.excludes else f"({test})")
            values += given
    return " AND ".join(tests) or "1", values


def _test(database: Database, each: Filter, *, of_messages: bool) -> tuple[str, list[object]]:
    if each.name == "project":
        keys = matching_projects(database, each.value)
        return f"sessions.project IN ({','.join('?' * len(keys))})", [*keys]
    if each.name == "machine":
        return "coalesce(sessions.machine, '') LIKE ? ESCAPE '\\'", [_like(each.value)]
    if each.name == "source":
        return "sessions.source LIKE ? ESCAPE '\\'", [_like(each.value)]
    if each.name == "model":
        model = "coalesce(messages.model, sessions.model)" if of_messages else "sessions.model"
        return f"coalesce({model}, '') LIKE ? ESCAPE '\\'", [_like(each.value)]
    if each.name == "file":
        return (
            "sessions.id IN (SELECT session_id FROM touched WHERE path LIKE ? ESCAPE '\\')",
            [_like(_path(each.value))],
        )
    kinds = {
        "fork": "sessions.parent_id IS NOT NULL AND NOT sessions.is_subagent",
        "subagent": "sessions.is_subagent",
    }
    return kinds.get(each.value, "") if each.name == "is" else "", []  # of others the index knows


def matching_projects(database: Database, text: str) -> list[str]:
    """Return the projects whose path ends with what was typed, else those in whose path it stands."""
    keys = [row[0] for row in database.rows("SELECT DISTINCT project FROM sessions WHERE project != ''")]
    wanted = fold(project_names.key_of(text, None))
    ends = [key for key in keys if f"/{fold(key)}".endswith(f"/{wanted.lstrip('/')}")]
    return ends or [key for key in keys if wanted in fold(key)]


def _bounds(query: Query, zone: tzinfo | None) -> tuple[int, int]:
    """The ids between which messages are looked for, the first not included."""
    newest = _NO_ID if query.before is None else _id_at(query.before, zone)
    return newest, 0 if query.after is None else _id_at(query.after, zone)


def _id_at(day: date, zone: tzinfo | None) -> int:
    try:
        begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(zone)
        return max(0, int(begin.timestamp() * 1000)) << ID_BITS
    except (OverflowError, ValueError, OSError):
        return 0 if day.year < 1970 else _NO_ID  # noqa: PLR2004 - before the epoch there is nothing


def _path(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\\", "/"))


def _like(text: str) -> str:
    """For LIKE, which takes capital ASCII letters for small ones."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
