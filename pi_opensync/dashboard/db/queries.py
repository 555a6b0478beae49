"""Reading back: the list of sessions with their forks, a window of messages, what changed, search."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from pi_opensync.dashboard.db.parts import load_parts
from pi_opensync.dashboard.db.search import Query, Snippet, scoped, snippet
from pi_opensync.dashboard.db.transcript import Part, parts_to_show, searchable

_WINDOW_SIZE = 600_000
_NO_ID = 2**63 - 1
_EDGES = re.compile(r"^[ \t]*</?thinking>[ \t]*$", re.MULTILINE)
_HITS_OF_ONE = "SELECT rowid FROM search WHERE search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
# CROSS JOIN keeps the order of the loops: the index gives the newest first, and stops where enough are found.
_HITS_OF_ALL = """
SELECT search.rowid FROM search
CROSS JOIN messages ON messages.id = search.rowid
CROSS JOIN sessions ON sessions.id = messages.session_id
WHERE search MATCH ? AND search.rowid < ?
AND (sessions.parent_id IS NULL OR NOT sessions.is_dated OR messages.created_at >= sessions.created_at)
ORDER BY search.rowid DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Each is exact; `since` and `until` bound a session's last activity, in ms, `until` not included."""

    source: str | None = None
    project: str | None = None
    model: str | None = None
    since: int | None = None
    until: int | None = None

    def __bool__(self) -> bool:
        return any(
            value is not None for value in (self.source, self.project, self.model, self.since, self.until)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A session in the list: how deep below its root it stands, and whether the filters found it itself."""

    session: sqlite3.Row
    depth: int
    found: bool


@dataclass(frozen=True, slots=True)
class Message:
    row: sqlite3.Row
    parts: list[Part]

    @property
    def shown(self) -> list[tuple[int, Part]]:
        return parts_to_show(self.row["text_content"], self.parts)


@dataclass(frozen=True, slots=True)
class Window:
    """Messages in order, and whether there are more on each side."""

    messages: list[Message]
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Hit:
    message: sqlite3.Row
    session: sqlite3.Row
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Hits:
    hits: list[Hit] = field(default_factory=list)
    next_before: int | None = None


def families(
    con: sqlite3.Connection, filters: Filters, *, limit: int, before: tuple[int, int] | None = None
) -> tuple[list[Row], tuple[int, int] | None]:
    """Return a page of families, the one last active first, each parent followed by its forks.

    `before` is what the page before returned; the second value leads to the next page, None at the end.
    """
    where, values = _conditions(filters)
    having = ""
    if before is not None:
        having = "HAVING (max(active_at), root_id) < (?, ?)"
        values += before
    roots = con.execute(
        f"SELECT root_id, max(active_at) AS last FROM sessions {where} GROUP BY root_id {having} "  # noqa: S608 - fixed words
        "ORDER BY last DESC, root_id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    page = roots[:limit]
    members = con.execute(
        f"SELECT * FROM sessions WHERE root_id IN ({_marks(page)}) ORDER BY created_at, id",  # noqa: S608 - only marks
        [row["root_id"] for row in page],
    ).fetchall()
    found: set[int] = {row["id"] for row in members}
    if filters:
        where, values = _conditions(filters)
        fitting = con.execute(
            f"SELECT id FROM sessions {where} AND root_id IN ({_marks(page)})",  # noqa: S608 - fixed words
            (*values, *(row["root_id"] for row in page)),
        )
        found = {row["id"] for row in fitting}
    rows = _as_tree(members, [row["root_id"] for row in page], found)
    more = (page[-1]["last"], page[-1]["root_id"]) if len(roots) > limit else None
    return rows, more


def _as_tree(members: Sequence[sqlite3.Row], roots: Sequence[int], found: set[int]) -> list[Row]:
    children: dict[int | None, list[sqlite3.Row]] = {}
    by_id = {row["id"]: row for row in members}
    for row in members:
        children.setdefault(row["parent_id"], []).append(row)
    rows = []
    for root in roots:
        stack = [(by_id[root], 0)]
        while stack:
            session, depth = stack.pop()
            rows.append(Row(session, depth, session["id"] in found))
            stack += [(child, depth + 1) for child in children.get(session["id"], [])]
    return rows


def choices(con: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the sources, projects and models there are, the most used first, for the filters."""
    return {
        name: [
            row[0]
            for row in con.execute(
                f"SELECT {name} FROM sessions WHERE {name} IS NOT NULL "  # noqa: S608 - a fixed word
                f"GROUP BY {name} ORDER BY count(*) DESC LIMIT 200"
            )
        ]
        for name in ("source", "project_name", "model")
    }


def newest_sessions(con: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    return con.execute(
        "SELECT * FROM sessions ORDER BY updated_at DESC, id DESC LIMIT ?", (limit,)
    ).fetchall()


def session(con: sqlite3.Connection, session_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = con.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return row


def forks_of(con: sqlite3.Connection, session_id: int) -> list[sqlite3.Row]:
    return con.execute(
        "SELECT * FROM sessions WHERE parent_id = ? ORDER BY created_at, id", (session_id,)
    ).fetchall()


def window(
    con: sqlite3.Connection,
    session_id: int,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    at_end: bool = False,
) -> Window:
    """Read up to `limit` messages after or before an id, from the start or the end; fewer large ones."""
    backwards = before is not None or at_end
    sql = "SELECT id, size FROM messages WHERE session_id = ?"
    values = [session_id]
    if after is not None:
        sql += " AND id > ?"
        values.append(after)
    if before is not None:
        sql += " AND id < ?"
        values.append(before)
    sql += f" ORDER BY id {'DESC' if backwards else 'ASC'} LIMIT ?"
    found = con.execute(sql, (*values, limit)).fetchall()
    ids: list[int] = []
    size = 0
    for row in found:
        size += row["size"]
        if ids and size > _WINDOW_SIZE:
            break
        ids.append(row["id"])
    ids.sort()
    if not ids:
        return Window([], before=after is not None, after=before is not None)
    edges = con.execute(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE session_id = ? AND id < ?), "
        "EXISTS (SELECT 1 FROM messages WHERE session_id = ? AND id > ?)",
        (session_id, ids[0], session_id, ids[-1]),
    ).fetchone()
    return Window([_load(con, message_id) for message_id in ids], bool(edges[0]), bool(edges[1]))


def changed(
    con: sqlite3.Connection, session_id: int, revision: int, message_id: int, limit: int
) -> list[Message]:
    """Read the messages of a session changed after a place in the order of changes: revision, then id."""
    rows = con.execute(
        "SELECT id FROM messages WHERE session_id = ? AND (revision, id) > (?, ?) "
        "ORDER BY revision, id LIMIT ?",
        (session_id, revision, message_id, limit),
    ).fetchall()
    return [_load(con, row["id"]) for row in rows]


def message(con: sqlite3.Connection, session_id: int, message_id: int) -> Message | None:
    found = con.execute(
        "SELECT 1 FROM messages WHERE id = ? AND session_id = ?", (message_id, session_id)
    ).fetchone()
    return _load(con, message_id) if found else None


def hits(
    con: sqlite3.Connection,
    query: Query,
    *,
    limit: int,
    before: int | None = None,
    session_id: int | None = None,
) -> Hits:
    """Return the newest messages that hold the words, with the words around them.

    What a fork copied is found in its parent alone, unless the fork itself is searched.
    """
    match = query.match if session_id is None else scoped(query, session_id)
    sql = _HITS_OF_ALL if session_id is None else _HITS_OF_ONE
    newest = before if before is not None else _NO_ID
    ids = [row[0] for row in con.execute(sql, (match, newest, limit + 1))]
    found = []
    sessions: dict[int, sqlite3.Row] = {}
    for message_id in ids[:limit]:
        hit = _load(con, message_id)
        owner = hit.row["session_id"]
        if owner not in sessions:
            sessions[owner] = con.execute("SELECT * FROM sessions WHERE id = ?", (owner,)).fetchone()
        text = _EDGES.sub("", searchable(hit.row["text_content"], hit.parts))
        found.append(Hit(hit.row, sessions[owner], snippet(text, query)))
    return Hits(found, ids[limit - 1] if len(ids) > limit else None)


def sessions_with(con: sqlite3.Connection, query: Query, limit: int) -> list[sqlite3.Row]:
    """Return the sessions of the newest messages that hold the words, among the newest few hundred hits."""
    return con.execute(
        "SELECT sessions.* FROM sessions JOIN ("
        "  SELECT session_id, max(id) AS newest FROM messages WHERE id IN ("
        "    SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?"
        "  ) GROUP BY session_id"
        ") ON sessions.id = session_id ORDER BY newest DESC LIMIT ?",
        (query.match, 20 * limit, limit),
    ).fetchall()


def titled(con: sqlite3.Connection, words: Sequence[str], limit: int) -> list[sqlite3.Row]:
    """Find the sessions whose title and project hold all the words, newest first."""
    test = "coalesce(title, '') || ' ' || coalesce(project_path, '') LIKE ? ESCAPE '\\'"
    patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", word) + "%" for word in words]
    return con.execute(
        f"SELECT * FROM sessions WHERE {' AND '.join([test] * len(patterns))} "  # noqa: S608 - only marks
        "ORDER BY active_at DESC LIMIT ?",
        (*patterns, limit),
    ).fetchall()


def _load(con: sqlite3.Connection, message_id: int) -> Message:
    row = con.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
    return Message(row, load_parts(con, message_id))


def _conditions(filters: Filters) -> tuple[str, list[str | int]]:
    tests: list[tuple[str, str | int | None]] = [
        ("source = ?", filters.source),
        ("project_name = ?", filters.project),
        ("model = ?", filters.model),
        ("active_at >= ?", filters.since),
        ("active_at < ?", filters.until),
    ]
    given = [(test, value) for test, value in tests if value is not None]
    where = " AND ".join(test for test, _ in given)
    return (f"WHERE {where}" if where else ""), [value for _, value in given]


def _marks(rows: Sequence[object]) -> str:
    return ",".join("?" * len(rows))
