"""Rows of the sessions: what was folded, what of it the server has, when to look at it again."""

from dataclasses import dataclass
from typing import Any

from pi_opensync.store.database import StateDatabase

_COLUMNS = (
    "id, external_id, transcript_id, generation, wanted, wanted_digest, acked_digest, acked_key, "
    "excluded, attempted_digest, dates, origin, server_id, sent_at, written_at, failures, next_try, parked, "
    "project, live, retitled"
)


@dataclass(frozen=True, slots=True)
class SyncState:
    """A session as delivery sees it. Times in seconds since the epoch."""

    id: int
    external_id: str
    transcript_id: int
    generation: int
    wanted: bytes
    wanted_digest: bytes
    acked_digest: bytes | None
    acked_key: bytes | None
    excluded: str | None
    attempted_digest: bytes | None
    dates: str | None
    origin: str | None
    server_id: str | None
    sent_at: float | None
    written_at: float | None
    failures: int
    next_try: float
    parked: str | None
    project: str | None  # the folder, as the header names it
    live: bool
    retitled: bool = False  # since when the server's search does not hold its messages


class SyncStates:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def wake(self, session_id: int, due: float, *, live: bool) -> None:
        self._database.run(
            "UPDATE sessions SET due = min(coalesce(due, ?), ?), live = max(live, ?) WHERE id = ?",
            (due, due, live, session_id),
        )

    # what delivery asks and writes

    def by_id(self, session_id: int) -> SyncState:
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM sessions WHERE id = ?",
            (session_id,),
        )
        return _row(row)

    def is_whole(self, session_id: int) -> bool:
        """Whether all complete lines of every file that the session stands in were read."""
        query = (
            "SELECT coalesce(min(at_end), 0) FROM transcripts "
            "WHERE id IN (SELECT transcript_id FROM holdings WHERE session_id = ?)"
        )
        return bool(self._database.one(query, session_id))

    def due(self, now: float, limit: int, busy: set[int]) -> list[int]:
        """Ids of the sessions to look at now: those that change in turn, then a backfill's as they were read.

        A dashboard shows on top what was written last, so a backfill keeps its order to the end.
        """
        rows = self._database.rows(
            "SELECT id FROM sessions WHERE due <= ? "
            "ORDER BY live DESC, CASE WHEN live THEN due ELSE id END LIMIT ?",
            (now, limit + len(busy)),
        )
        return [row[0] for row in rows if row[0] not in busy][:limit]

    def next_due(self, busy: set[int]) -> float | None:
        rows = self._database.rows(
            "SELECT id, due FROM sessions WHERE due IS NOT NULL ORDER BY due LIMIT ?", (len(busy) + 1,)
        )
        return next((row[1] for row in rows if row[0] not in busy), None)

    def set_due(self, session_id: int, due: float | None) -> None:
        self._database.run(
            "UPDATE sessions SET due = ?, live = CASE WHEN ? IS NULL THEN 0 ELSE live END WHERE id = ?",
            (due, due, session_id),
        )

    def forget_future(self, now: float, horizon: float, back_by: float) -> None:
        """Let nothing wait for a moment beyond now + horizon: the clock was set back, by what is known of it.

        When a session was sent keeps its place before now, for the server's window is counted from there.
        """
        latest = now + horizon
        self._database.run("UPDATE sessions SET due = ? WHERE due > ?", (now, latest))
        self._database.run("UPDATE sessions SET next_try = 0 WHERE next_try > ?", (latest,))
        self._database.run(
            "UPDATE sessions SET sent_at = min(sent_at - ?, ?) WHERE sent_at > ?", (back_by, now, now)
        )
        self._database.run(
            "UPDATE messages SET next_try = 0 WHERE next_try > ? AND wanted IS NOT NULL AND parked IS NULL",
            (latest,),
        )

    def update(self, session_id: int, **values: Any) -> None:
        """Set columns by name."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._database.run(
            f"UPDATE sessions SET {names} WHERE id = ?",
            (*values.values(), session_id),
        )


def _row(row: tuple[Any, ...]) -> SyncState:
    values = list(row)
    values[-2:] = map(bool, values[-2:])
    return SyncState(*values)
