"""Rows of the sessions: what was folded, what of it the server has, when to look at it again."""

from dataclasses import dataclass
from typing import Any

import msgspec

from pi_opensync.fold import SessionState
from pi_opensync.store.database import Database

_encode = msgspec.msgpack.Encoder().encode
_state = msgspec.msgpack.Decoder(SessionState).decode
_COLUMNS = (
    "id, external_id, transcript_id, generation, wanted, wanted_digest, acked_digest, acked_key, "
    "excluded, attempted_digest, dates, origin, server_id, sent_at, written_at, failures, next_try, parked, "
    "live"
)


@dataclass(frozen=True, slots=True)
class Session:
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
    live: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A session as ingest sees it; `state` is None where it is to be begun again at its header."""

    id: int
    external_id: str
    transcript_id: int
    generation: int
    length: int
    state: SessionState | None


class Sessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    # what ingest asks and writes

    def reading(self, session_id: int) -> Reading | None:
        return self._reading("id = ?", session_id)

    def reading_of(self, external_id: str) -> Reading | None:
        return self._reading("external_id = ?", external_id)

    def begin(
        self,
        state: SessionState,
        transcript_id: int,
        wanted: bytes,
        digest: bytes,
        *,
        guessed_parent: str | None,
        project: str | None,
    ) -> Reading:
        """Add the session, or give it to this transcript and start its history anew."""
        self._database.execute(
            "INSERT INTO sessions(external_id, transcript_id, generation, state, wanted, wanted_digest, "
            "guessed_parent, project) VALUES (?, ?, 1, ?, ?, ?, ?, ?) "
            "ON CONFLICT (external_id) DO UPDATE SET "
            "transcript_id = excluded.transcript_id, state = excluded.state, excluded = NULL, "
            "guessed_parent = excluded.guessed_parent, project = excluded.project",
            (state.external_id, transcript_id, _encode(state), wanted, digest, guessed_parent, project),
        )
        begun = self.reading_of(state.external_id)
        assert begun is not None  # noqa: S101 - inserted one statement ago
        return begun

    def forget_history(self, session_id: int) -> None:
        """Make ready to read the session again from nothing; what was delivered stays known."""
        for table in ("seen", "calls"):
            self._database.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        self._database.execute(
            "UPDATE sessions SET generation = generation + 1, state = NULL, length = 0 WHERE id = ?",
            (session_id,),
        )

    def guessed(self, parent_name: str) -> list[Reading]:
        """The sessions whose parent's id was only guessed from this file name."""
        rows = self._database.execute("SELECT id FROM sessions WHERE guessed_parent = ?", (parent_name,))
        return [reading for row in rows.fetchall() if (reading := self.reading(row[0])) is not None]

    def exclude(self, session_id: int, reason: str) -> None:
        """Keep of the session that it exists, and why it stays here."""
        self._database.execute(
            "UPDATE sessions SET excluded = ?, due = NULL, state = NULL, wanted_digest = x'', "
            "wanted = CAST(json_object('externalId', external_id, 'title', '') AS BLOB) WHERE id = ?",
            (reason, session_id),
        )

    def of_transcript(self, transcript_id: int) -> list[int]:
        rows = self._database.execute("SELECT id FROM sessions WHERE transcript_id = ?", (transcript_id,))
        return [row[0] for row in rows]

    def save_length(self, session_id: int, length: int) -> None:
        self._database.execute("UPDATE sessions SET length = ? WHERE id = ?", (length, session_id))

    def save_state(self, session_id: int, state: SessionState, wanted: bytes, digest: bytes) -> None:
        self._database.execute(
            "UPDATE sessions SET state = ?, wanted = ?, wanted_digest = ?, "
            "parked = CASE WHEN wanted_digest = ? THEN parked END WHERE id = ?",
            (_encode(state), wanted, digest, digest, session_id),
        )

    def wake(self, session_id: int, due: float, *, live: bool) -> None:
        self._database.execute(
            "UPDATE sessions SET due = min(coalesce(due, ?), ?), live = max(live, ?) WHERE id = ?",
            (due, due, live, session_id),
        )

    # what delivery asks and writes

    def by_id(self, session_id: int) -> Session:
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM sessions WHERE id = ?",
            (session_id,),
        ).fetchone()
        return _row(row)

    def projects(self) -> list[str | None]:
        """The folders of the sessions that are not excluded."""
        query = "SELECT DISTINCT project FROM sessions WHERE excluded IS NULL"
        return [row[0] for row in self._database.execute(query)]

    def of_project(self, project: str | None) -> list[tuple[int, int]]:
        """(id, transcript) of the project's sessions that are not excluded."""
        query = "SELECT id, transcript_id FROM sessions WHERE project IS ? AND excluded IS NULL"
        return self._database.execute(query, (project,)).fetchall()

    def with_something_kept(self) -> list[tuple[int, int]]:
        """(id, transcript) of the sessions of which a message waits, is parked, or lacks a result."""
        query = (
            "SELECT DISTINCT s.id, s.transcript_id FROM messages m JOIN sessions s ON s.id = m.session_id "
            "WHERE m.wanted IS NOT NULL OR m.draft IS NOT NULL"
        )
        return self._database.execute(query).fetchall()

    def states(self) -> list[tuple[int, SessionState, str | None]]:
        """(id, state, project) of the sessions that were folded."""
        rows = self._database.execute("SELECT id, state, project FROM sessions WHERE state IS NOT NULL")
        return [(row[0], _state(row[1]), row[2]) for row in rows.fetchall()]

    def project(self, session_id: int) -> str | None:
        """The project's folder, as the header names it."""
        found: str | None = self._database.one("SELECT project FROM sessions WHERE id = ?", session_id)
        return found

    def is_whole(self, session_id: int) -> bool:
        """Whether all complete lines of the session's transcript were read."""
        query = "SELECT at_end FROM transcripts t JOIN sessions s ON s.transcript_id = t.id WHERE s.id = ?"
        return bool(self._database.one(query, session_id))

    def due(self, now: float, limit: int, busy: set[int]) -> list[int]:
        """Ids of the sessions to look at now: those that change before those of a backfill."""
        rows = self._database.execute(
            "SELECT id FROM sessions WHERE due <= ? ORDER BY live DESC, due LIMIT ?", (now, limit + len(busy))
        )
        return [row[0] for row in rows if row[0] not in busy][:limit]

    def next_due(self, busy: set[int]) -> float | None:
        rows = self._database.execute(
            "SELECT id, due FROM sessions WHERE due IS NOT NULL ORDER BY due LIMIT ?", (len(busy) + 1,)
        )
        return next((row[1] for row in rows if row[0] not in busy), None)

    def set_due(self, session_id: int, due: float | None) -> None:
        self._database.execute(
            "UPDATE sessions SET due = ?, live = CASE WHEN ? IS NULL THEN 0 ELSE live END WHERE id = ?",
            (due, due, session_id),
        )

    def forget_future(self, now: float, horizon: float) -> None:
        """Let nothing wait for a moment beyond now + horizon: the clock was set back."""
        latest = now + horizon
        self._database.execute("UPDATE sessions SET due = ? WHERE due > ?", (now, latest))
        self._database.execute("UPDATE sessions SET next_try = 0 WHERE next_try > ?", (latest,))
        self._database.execute("UPDATE sessions SET sent_at = NULL WHERE sent_at > ?", (now,))
        self._database.execute(
            "UPDATE messages SET next_try = 0 WHERE next_try > ? AND wanted IS NOT NULL AND parked IS NULL",
            (latest,),
        )

    def update(self, session_id: int, **values: Any) -> None:
        """Set columns by name."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(
            f"UPDATE sessions SET {names} WHERE id = ?",
            (*values.values(), session_id),
        )

    def _reading(self, where: str, value: object) -> Reading | None:
        row = self._database.execute(
            f"SELECT id, external_id, transcript_id, generation, length, state FROM sessions WHERE {where}",
            (value,),
        ).fetchone()
        if row is None:
            return None
        return Reading(row[0], row[1], row[2], row[3], row[4], _state(row[5]) if row[5] else None)


def _row(row: tuple[Any, ...]) -> Session:
    values = list(row)
    values[-1] = bool(values[-1])
    return Session(*values)
