"""Finding messages by their words. What cuts texts is done with what was read, not while reading."""

from dataclasses import dataclass, field

from pi_opensync.dashboard.db.index import expression
from pi_opensync.dashboard.db.reading import load
from pi_opensync.dashboard.parts import Part, searchable
from pi_opensync.dashboard.query import Query
from pi_opensync.dashboard.snippets import Snippet, snippet
from pi_opensync.sqlite import Database, Row

_NO_ID = 2**63 - 1
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
class Hit:
    """A message that holds the words, and its session."""

    message: Row
    parts: list[Part]
    session: Row
    query: Query

    @property
    def snippet(self) -> Snippet:
        """The words around the first place where they stand; it takes time in a long message."""
        return snippet(searchable(self.message["text_content"], self.parts), self.query)


@dataclass(frozen=True, slots=True)
class Hits:
    """`next_before` leads to the next page, None at the end."""

    hits: list[Hit] = field(default_factory=list)
    next_before: int | None = None


def hits(
    database: Database,
    query: Query,
    *,
    limit: int,
    before: int | None = None,
    session_id: int | None = None,
) -> Hits:
    """Return the newest messages that hold the words.

    What a fork copied is found in its parent alone, unless the fork itself is searched.
    """
    sql = _HITS_OF_ALL if session_id is None else _HITS_OF_ONE
    newest = before if before is not None else _NO_ID
    ids = [row[0] for row in database.rows(sql, (expression(query, session_id), newest, limit + 1))]
    found = []
    sessions: dict[int, Row] = {}
    for message_id in ids[:limit]:
        message = load(database, message_id)
        owner = message.row["session_id"]
        if owner not in sessions:
            sessions[owner] = database.row("SELECT * FROM sessions WHERE id = ?", (owner,))
        found.append(Hit(message.row, message.parts, sessions[owner], query))
    return Hits(found, ids[limit - 1] if len(ids) > limit else None)


def ids_in(database: Database, query: Query, session_id: int, limit: int = 2000) -> list[int]:
    """Return the messages of a session that hold the words, in order."""
    matching = expression(query, session_id)
    found = database.rows(
        "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid LIMIT ?", (matching, limit)
    )
    return [row[0] for row in found]


def sessions_with(database: Database, query: Query, limit: int) -> list[Row]:
    """Return the sessions of the newest messages that hold the words, among the newest few hundred hits."""
    return database.rows(
        "SELECT sessions.* FROM sessions JOIN ("
        "  SELECT session_id, max(id) AS newest FROM messages WHERE id IN ("
        "    SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?"
        "  ) GROUP BY session_id"
        ") ON sessions.id = session_id ORDER BY newest DESC LIMIT ?",
        (expression(query), 20 * limit, limit),
    )
