"""Rows of the sessions as the reader sees them: what was folded, where they stand, what they count."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from pi_opensync.model import Delegation, Session, Usage
from pi_opensync.store.database import StateDatabase

_encode = msgspec.msgpack.Encoder().encode
_session = msgspec.msgpack.Decoder(Session).decode
_lineage = msgspec.msgpack.Decoder(tuple[tuple[str, int], ...]).decode
_COLUMNS = (
    "id, external_id, transcript_id, generation, is_rootless, withheld_before, lineage, excluded, project, "
    "pi_id, state"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A session under way; `session` is None where it is to be begun again at its header.

    `is_rootless`: entries of it stand in no file any more. `lineage` names the projects that copied entries
    came out of, each with the moment (ms) before which they did; `withheld_before` is the latest of those
    that are excluded.
    """

    id: int
    external_id: str
    transcript_id: int
    generation: int
    is_rootless: bool = False
    withheld_before: int | None = None
    lineage: tuple[tuple[str, int], ...] = ()
    excluded: str | None = None
    project: str | None = None
    pi_id: str | None = None
    session: Session | None = None


class Readings:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def by_id(self, session_id: int) -> Reading | None:
        return self._find("id = ?", session_id)

    def by_external_id(self, external_id: str) -> Reading | None:
        return self._find("external_id = ?", external_id)

    def by_pi_id(self, pi_id: str) -> list[Reading]:
        """The sessions whose header has that id: custom ids repeat across projects."""
        return self._all("pi_id = ?", pi_id)

    def by_first_entry(self, first_entry: str) -> list[Reading]:
        """The sessions that begin with the same entry: forks, and copies under another id."""
        return self._all("first_entry = ?", first_entry)

    def by_entry(self, key: str) -> list[Reading]:
        """The sessions that hold an entry known by that key."""
        return self._all("id IN (SELECT session_id FROM seen WHERE entry_id = ?)", key)

    def guessed(self, parent_name: str) -> list[Reading]:
        """The sessions whose parent's id was only guessed from this file name."""
        return self._all("guessed_parent = ?", parent_name)

    def delegating_to(self, file_key: str) -> list[Reading]:
        """The sessions whose tool results name the transcript of that key as a subagent's."""
        return self._all("id IN (SELECT session_id FROM delegations WHERE file_key = ?)", file_key)

    def in_file(self, file_key: str) -> list[Reading]:
        """The sessions whose transcript has that key."""
        return self._all("file_key = ?", file_key)

    def all(self) -> list[Reading]:
        """Those that were folded."""
        return self._all("state IS NOT NULL")

    def begin(
        self,
        session: Session,
        transcript_id: int,
        wanted: bytes,
        digest: bytes,
        *,
        pi_id: str,
        file_key: str,
        guessed_parent: str | None,
        project: str | None,
        lineage: tuple[tuple[str, int], ...],
        withheld_before: int | None,
    ) -> Reading:
        """Add the session, or start its history anew from this transcript."""
        self._database.run(
            "INSERT INTO sessions(external_id, transcript_id, generation, state, wanted, wanted_digest, "
            "guessed_parent, project, pi_id, file_key, is_subagent, lineage, withheld_before) "
            "VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (external_id) DO UPDATE SET "
            "transcript_id = excluded.transcript_id, state = excluded.state, excluded = NULL, "
            "guessed_parent = excluded.guessed_parent, project = excluded.project, pi_id = excluded.pi_id, "
            "file_key = excluded.file_key, is_subagent = excluded.is_subagent, lineage = excluded.lineage, "
            "first_entry = NULL, withheld_before = excluded.withheld_before",
            (
                session.external_id,
                transcript_id,
                _encode(session),
                wanted,
                digest,
                guessed_parent,
                project,
                pi_id,
                file_key,
                session.is_subagent,
                _encode(lineage),
                withheld_before,
            ),
        )
        begun = self.by_external_id(session.external_id)
        assert begun is not None  # noqa: S101 - inserted one statement ago
        return begun

    def save(self, session_id: int, session: Session, wanted: bytes, digest: bytes) -> None:
        self._database.run(
            "UPDATE sessions SET state = ?, wanted = ?, wanted_digest = ?, is_subagent = ? WHERE id = ?",
            (_encode(session), wanted, digest, session.is_subagent, session_id),
        )

    def forget_history(self, session_id: int) -> None:
        """Make ready to read the session again from nothing; what was delivered stays known."""
        for table in ("seen", "calls", "delegations", "usage"):
            self._database.run(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        self._database.run(
            "UPDATE sessions SET generation = generation + 1, state = NULL WHERE id = ?", (session_id,)
        )

    def give_up(self, session_id: int) -> None:
        """Forget a session that turned out to be another one, but for what the server may hold of it."""
        self.forget_history(session_id)
        self._database.run("DELETE FROM holdings WHERE session_id = ?", (session_id,))
        self._database.run("UPDATE sessions SET due = NULL WHERE id = ?", (session_id,))
        self._database.run(
            "DELETE FROM sessions WHERE id = ? AND acked_digest IS NULL AND attempted_digest IS NULL",
            (session_id,),
        )

    def exclude(self, session_id: int, reason: str, wanted: bytes) -> None:
        """Keep of the session that it exists, why it stays here, and a payload that says no more."""
        self._database.leave_no_trace()
        self._database.run("DELETE FROM usage WHERE session_id = ?", (session_id,))
        self._database.run(
            "UPDATE sessions SET excluded = ?, due = NULL, state = NULL, wanted_digest = x'', wanted = ? "
            "WHERE id = ?",
            (reason, wanted, session_id),
        )

    def update(self, session_id: int, **values: Any) -> None:
        """Set columns by name."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._database.run(f"UPDATE sessions SET {names} WHERE id = ?", (*values.values(), session_id))

    def wake(self, session_id: int, due: float, *, live: bool) -> None:
        """Have delivery look at the session at that moment (seconds)."""
        self._database.run(
            "UPDATE sessions SET due = min(coalesce(due, ?), ?), live = max(live, ?) WHERE id = ?",
            (due, due, live, session_id),
        )

    def delegate(self, session_id: int, delegations: Iterable[tuple[str, Delegation]]) -> None:
        """Remember usage of subagents, each with the key of its transcript."""
        self._database.run_many(
            "INSERT INTO delegations VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    session_id,
                    key,
                    one.usage.prompt,
                    one.usage.completion,
                    one.usage.cost,
                    one.usage.cache_read,
                    one.usage.cache_write,
                )
                for key, one in delegations
            ],
        )

    def delegated(self, session_id: int) -> Usage:
        """The usage of those subagents that have no session on the dashboard."""
        row = self._database.row(
            "SELECT coalesce(sum(prompt), 0), coalesce(sum(completion), 0), coalesce(sum(cost), 0.0), "
            "coalesce(sum(cache_read), 0), coalesce(sum(cache_write), 0) FROM delegations d "
            "WHERE session_id = ? AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.file_key = d.file_key "
            "AND s.is_subagent AND s.excluded IS NULL)",
            (session_id,),
        )
        return Usage(*row)

    def with_something_kept(self) -> list[int]:
        """The sessions of which a message waits, is parked, or lacks a result."""
        query = "SELECT DISTINCT session_id FROM messages WHERE wanted IS NOT NULL OR draft IS NOT NULL"
        return [row[0] for row in self._database.rows(query)]

    def projects(self) -> list[str | None]:
        """The folders of the sessions that are not excluded."""
        rows = self._database.rows("SELECT DISTINCT project FROM sessions WHERE excluded IS NULL")
        return [row[0] for row in rows]

    def of_project(self, project: str | None) -> list[Reading]:
        """The project's sessions that are not excluded."""
        return self._all("project IS ? AND excluded IS NULL", project)

    def with_lineage(self) -> list[Reading]:
        """The sessions that hold copied entries, or may."""
        return self._all("lineage IS NOT NULL AND lineage <> x'90' AND excluded IS NULL")

    def _find(self, where: str, value: object) -> Reading | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM sessions WHERE {where}", (value,))
        return None if row is None else _reading(row)

    def _all(self, where: str, *values: object) -> list[Reading]:
        query = f"SELECT {_COLUMNS} FROM sessions WHERE {where} ORDER BY id"
        return [_reading(row) for row in self._database.rows(query, values)]


def _reading(row: tuple[Any, ...]) -> Reading:
    return Reading(
        id=row[0],
        external_id=row[1],
        transcript_id=row[2],
        generation=row[3],
        is_rootless=bool(row[4]),
        withheld_before=row[5],
        lineage=_lineage(row[6]) if row[6] else (),
        excluded=row[7],
        project=row[8],
        pi_id=row[9],
        session=_session(row[10]) if row[10] else None,
    )
