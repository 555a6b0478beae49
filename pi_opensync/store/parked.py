"""What was refused for good or failed too often: kept with its reason until somebody decides."""

from dataclasses import dataclass

from pi_opensync.store.database import StateDatabase

DROPPED = "dropped by you"


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that is not sent; `kind` is session or message."""

    kind: str
    id: str
    session: str
    reason: str
    bytes: int
    can_be_retried: bool


def parked(database: StateDatabase) -> list[Parked]:
    rows = database.rows(
        "SELECT 'session', external_id, external_id, parked, length(wanted), parked <> ? FROM sessions "
        "WHERE parked IS NOT NULL UNION ALL "
        "SELECT 'message', m.external_id, s.external_id, m.parked, m.bytes, m.wanted IS NOT NULL "
        "FROM messages m JOIN sessions s ON s.id = m.session_id WHERE m.parked IS NOT NULL",
        (DROPPED,),
    )
    return [Parked(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]


def retry(database: StateDatabase, external_id: str | None, now: float) -> int:
    """Want a parked row again, or all of them; returns how many. What was dropped stays so."""
    with database.transaction():
        sessions = database.run(
            "UPDATE sessions SET parked = NULL, failures = 0, next_try = 0, due = ? "
            "WHERE parked IS NOT NULL AND parked <> ? AND coalesce(?, external_id) = external_id",
            (now, DROPPED, external_id),
        )
        database.run(
            "UPDATE sessions SET due = ? WHERE id IN (SELECT session_id FROM messages "
            "WHERE parked IS NOT NULL AND wanted IS NOT NULL AND coalesce(?, external_id) = external_id)",
            (now, external_id),
        )
        messages = database.run(
            "UPDATE messages SET parked = NULL, failures = 0, next_try = 0 WHERE parked IS NOT NULL "
            "AND wanted IS NOT NULL AND coalesce(?, external_id) = external_id",
            (external_id,),
        )
    return sessions + messages


def drop(database: StateDatabase, external_id: str) -> int:
    """Forget the payload of a parked row, or of a session and all that waits in it; returns how many."""
    with database.transaction():
        session = database.run(
            "UPDATE sessions SET parked = ?, due = NULL WHERE parked IS NOT NULL AND external_id = ?",
            (DROPPED, external_id),
        )
        messages = database.run(
            "UPDATE messages SET parked = ?, wanted = NULL WHERE wanted IS NOT NULL AND "
            "((parked IS NOT NULL AND external_id = ?) OR session_id IN "
            "(SELECT id FROM sessions WHERE external_id = ? AND parked = ?))",
            (DROPPED, external_id, external_id, DROPPED),
        )
    return session + messages
