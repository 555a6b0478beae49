"""Sessions that a reader deleted here: what they said is gone, their ids are kept so that they stay away."""

from pi_opensync.dashboard.db import forks, index
from pi_opensync.dashboard.db.connections import next_revision
from pi_opensync.dashboard.db.contents import unpack
from pi_opensync.dashboard.db.index import IndexEntry
from pi_opensync.sqlite import Database, Row

_HOLDING = ("messages", "usage", "booked", "spent", "tools", "touched", "noted")


def delete(database: Database, session: Row, now: int) -> None:
    """Delete a session, and take it no more; `now` in ms. Its forks stay, without their parent."""
    session_id = session["id"]
    database.leave_no_trace()
    messages = database.each("SELECT id, role, body FROM messages WHERE session_id = ?", (session_id,))
    for message_id, role, body in messages:
        index.forget(database, IndexEntry(message_id, session_id, role, unpack(body)))
    for table in _HOLDING:
        database.run(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
    forks.remove(database, session_id)
    database.run("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)", (session["external_id"], session_id, now))
    next_revision(database)


def take_back(database: Database, external_id: str) -> None:
    """Take the session again when it is sent the next time."""
    database.run("DELETE FROM deleted WHERE external_id = ?", (external_id,))


def is_deleted(database: Database, external_id: str) -> bool:
    return bool(database.rows("SELECT 1 FROM deleted WHERE external_id = ?", (external_id,)))


def free_id(database: Database) -> int:
    """Return an id that no session has or had: addresses of a deleted one must not lead to another."""
    row = database.row(
        "SELECT max((SELECT coalesce(max(id), 0) FROM sessions), "
        "(SELECT coalesce(max(session_id), 0) FROM deleted)) + 1"
    )
    found: int = row[0]
    return found


def all_of(database: Database) -> list[Row]:
    """Return (external_id, deleted_at in ms), the latest first."""
    return database.rows("SELECT external_id, deleted_at FROM deleted ORDER BY deleted_at DESC, external_id")
