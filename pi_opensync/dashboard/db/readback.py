"""Reading one session back: itself, its forks, a window of its messages, what changed in it."""

from dataclasses import dataclass

from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.db.counts import is_copy
from pi_opensync.dashboard.db.layout import ID_BITS
from pi_opensync.sqlite import Database, Row

_WINDOW_SIZE = 600_000


@dataclass(frozen=True, slots=True)
class Window:
    """Messages in order, and whether there are more on each side."""

    messages: list[StoredMessage]
    before: bool
    after: bool


def session(database: Database, session_id: int) -> Row | None:
    row: Row | None = database.row("SELECT * FROM sessions WHERE id = ?", (session_id,))
    return row


def forks_of(database: Database, session_id: int) -> list[Row]:
    return database.rows("SELECT * FROM sessions WHERE parent_id = ? ORDER BY created_at, id", (session_id,))


def first_own(database: Database, session: Row) -> int | None:
    """Return the first message that a fork did not copy; None where it copied none, or has no other."""
    if not is_copy(session, 0):
        return None
    begin = session["created_at"] << ID_BITS
    row = database.row(
        "SELECT (SELECT id FROM messages WHERE session_id = ? AND id >= ? ORDER BY id LIMIT 1), "
        "EXISTS (SELECT 1 FROM messages WHERE session_id = ? AND id < ?)",
        (session["id"], begin, session["id"], begin),
    )
    return row[0] if row[1] else None


def window(
    database: Database,
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
    found = database.rows(sql, (*values, limit))
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
    edges = database.row(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE session_id = ? AND id < ?), "
        "EXISTS (SELECT 1 FROM messages WHERE session_id = ? AND id > ?)",
        (session_id, ids[0], session_id, ids[-1]),
    )
    return Window([load(database, message_id) for message_id in ids], bool(edges[0]), bool(edges[1]))


def changed(
    database: Database, session_id: int, revision: int, message_id: int, limit: int
) -> list[StoredMessage]:
    """Read the messages of a session changed after a place in the order of changes: revision, then id."""
    rows = database.rows(
        "SELECT id FROM messages WHERE session_id = ? AND (revision, id) > (?, ?) "
        "ORDER BY revision, id LIMIT ?",
        (session_id, revision, message_id, limit),
    )
    return [load(database, row["id"]) for row in rows]


def message(database: Database, session_id: int, message_id: int) -> StoredMessage | None:
    found = database.row("SELECT 1 FROM messages WHERE id = ? AND session_id = ?", (message_id, session_id))
    return load(database, message_id) if found else None


def load(database: Database, message_id: int) -> StoredMessage:
    row = database.row("SELECT * FROM messages WHERE id = ?", (message_id,))
    return StoredMessage(row)
