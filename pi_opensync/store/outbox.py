"""Rows of the messages: what is wanted on the server, and what is known to be there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pi_opensync.fold import open_calls
from pi_opensync.model import Message
from pi_opensync.privacy.cleaner import WITHHELD
from pi_opensync.store.database import KEPT_BACK, KeptBack, StateDatabase

_encode = msgspec.msgpack.Encoder().encode
_COLUMNS = (
    "id, external_id, position, created_at, wanted, wanted_digest, acked_digest, acked_at, attempted_digest, "
    "failures, next_try, checked"
)
_WAITING = "wanted IS NOT NULL AND parked IS NULL"
_OF_WAITING = "messages INDEXED BY messages_waiting"  # else SQLite may look at all messages of a session


SEVERAL = b"several"  # versions were attempted, and any of them may be there


def attempted(wanted: bytes, before: bytes | None, acked: bytes | None) -> bytes:
    """What is recorded of an attempt after an earlier one; each a digest of a version."""
    return wanted if before in (None, acked, wanted) else SEVERAL


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that the server does not have as it is wanted. Times in seconds, `created_at` in ms."""

    id: int
    external_id: str
    position: int
    created_at: int
    wanted: bytes
    wanted_digest: bytes
    acked_digest: bytes | None
    acked_at: float | None
    attempted_digest: bytes | None
    failures: int
    next_try: float
    checked: int

    @property
    def may_be_there(self) -> bool:
        """Whether the server may hold any version of it."""
        return self.acked_digest is not None or self.attempted_digest is not None


class Outbox:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def put(
        self,
        session_id: int,
        generation: int,
        message: Message,
        payload: bytes,
        digest: bytes,
        *,
        not_before: float = 0.0,
        parked: str | None = None,
    ) -> None:
        """Want the message so. What the server already holds in this version is not wanted again.

        `not_before` (seconds) holds back a message that another entry is about to complete; `parked` is
        the reason why it must not be sent.
        """
        calls = open_calls(message.parts)
        kept_back = self._database.kept_back
        draft = None
        if calls:
            draft = _encode(message) if kept_back is None else KEPT_BACK
        row = self._database.row(
            "INSERT INTO messages(session_id, external_id, generation, position, created_at, wanted, bytes, "
            "wanted_digest, next_try, draft, parked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (external_id) DO UPDATE SET session_id = excluded.session_id, "
            "generation = excluded.generation, position = excluded.position, "
            "wanted = CASE "
            "WHEN (acked_digest IS excluded.wanted_digest AND attempted_digest IS acked_digest) "
            "OR held_as IS NOT NULL "
            "OR (parked IS NOT NULL AND wanted IS NULL AND wanted_digest IS excluded.wanted_digest) "
            "THEN NULL ELSE excluded.wanted END, "
            "bytes = excluded.bytes, wanted_digest = excluded.wanted_digest, "
            "next_try = CASE WHEN failures > 0 THEN next_try ELSE excluded.next_try END, "
            "parked = CASE WHEN wanted_digest IS excluded.wanted_digest OR parked IS ? THEN parked "
            "ELSE excluded.parked END, "
            "failures = CASE WHEN wanted_digest IS excluded.wanted_digest THEN failures ELSE 0 END, "
            "draft = excluded.draft RETURNING id",
            (
                session_id,
                message.external_id,
                generation,
                message.position,
                message.created_at,
                payload if kept_back is None else KEPT_BACK,
                len(payload),
                digest,
                not_before,
                draft,
                parked,
                WITHHELD,
            ),
        )
        if kept_back is not None:
            kept_back[digest] = KeptBack(row[0], payload, message if calls else None)
        if not any(part.call_id is not None for part in message.parts):
            return  # it has no calls, and never had any
        self._database.run("DELETE FROM calls WHERE message_id = ?", row)
        self._database.run_many(
            "INSERT OR REPLACE INTO calls(session_id, call_id, position, message_id) VALUES (?, ?, ?, ?)",
            [(session_id, _key(call), message.position, row[0]) for call in calls],
        )

    def hold(self, session_id: int, until: float) -> None:
        """Hold back the unsent messages of the session that wait for results."""
        self._database.run(
            f"UPDATE {_OF_WAITING} SET next_try = max(next_try, ?) WHERE session_id = ? AND {_WAITING} "
            "AND draft IS NOT NULL AND attempted_digest IS NULL",
            (until, session_id),
        )

    def fresh(self, session_id: int, limit: int) -> list[Waiting]:
        """The first waiting messages that the server has in no version that we know of, in order."""
        return self._select("acked_digest IS NULL", "position", session_id, limit)

    def updates(self, session_id: int, limit: int) -> list[Waiting]:
        """Waiting messages of which the server acknowledged another version, the soonest first."""
        return self._select("acked_digest IS NOT NULL", "next_try", session_id, limit)

    def backlog(self, session_id: int | None = None) -> tuple[int, int]:
        """(messages, bytes) that wait, of one session or of all."""
        query = f"SELECT count(*), coalesce(sum(bytes), 0) FROM {_OF_WAITING} WHERE {_WAITING}"
        if session_id is None:
            row = self._database.row(query)
        else:
            row = self._database.row(f"{query} AND session_id = ?", (session_id,))
        return row[0], row[1]

    def withdraw(self, session_id: int) -> None:
        """Forget what waits of the session: it must not leave any more."""
        self._database.leave_no_trace()
        self._database.run(
            "DELETE FROM messages WHERE session_id = ? AND wanted IS NOT NULL AND acked_digest IS NULL "
            "AND attempted_digest IS NULL",
            (session_id,),
        )
        self._database.run(
            "UPDATE messages SET wanted = NULL, parked = NULL, draft = NULL, wanted_digest = x'' "
            "WHERE session_id = ? AND wanted IS NOT NULL",
            (session_id,),
        )
        self._database.run("UPDATE messages SET draft = NULL WHERE session_id = ?", (session_id,))

    def kept(self, session_id: int) -> list[tuple[int, bytes]]:
        """(id, payload) of what waits or is parked."""
        query = "SELECT id, wanted, wanted_digest FROM messages WHERE session_id = ? AND wanted IS NOT NULL"
        return [(row[0], self._body(row[1], row[2])) for row in self._database.rows(query, (session_id,))]

    def rewrite(self, message_id: int, payload: bytes, digest: bytes, parked: str | None) -> None:
        """Want another payload of a message whose transcript is gone; `parked` is why it must not be sent."""
        self._database.run(
            "UPDATE messages SET wanted = ?, bytes = ?, wanted_digest = ?, parked = coalesce(?, parked), "
            "draft = NULL WHERE id = ?",
            (payload, len(payload), digest, parked, message_id),
        )

    def attempt(self, messages: Sequence[Waiting]) -> None:
        """Record, before the request, that the server may get to hold these."""
        self._database.run_many(
            "UPDATE messages SET attempted_digest = ? WHERE id = ?",
            [
                (attempted(message.wanted_digest, message.attempted_digest, message.acked_digest), message.id)
                for message in messages
            ],
        )

    def unattempt(self, messages: Sequence[Waiting]) -> None:
        """The attempt is known to have stored nothing: give back what was recorded before it."""
        self._database.run_many(
            "UPDATE messages SET attempted_digest = ? WHERE id = ?",
            [(message.attempted_digest, message.id) for message in messages],
        )

    def acknowledge(self, messages: Sequence[Waiting], server_time: float) -> None:
        """The server holds these versions and no other; a newer one that came meanwhile stays wanted."""
        self._database.run_many(
            "UPDATE messages SET acked_digest = :digest, attempted_digest = :digest, acked_at = :at, "
            "failures = 0, next_try = 0, unfound = 0, "
            "wanted = CASE WHEN wanted_digest = :digest THEN NULL ELSE wanted END "
            "WHERE id = :id",
            [{"digest": m.wanted_digest, "at": server_time, "id": m.id} for m in messages],
        )

    def search_emptied(self, session_id: int) -> None:
        """The server's search holds none of the messages that it has of the session."""
        self._database.run(
            "UPDATE messages SET unfound = 1 WHERE session_id = ? AND acked_digest IS NOT NULL", (session_id,)
        )

    def search_filled(self, session_id: int, external_ids: Sequence[str]) -> None:
        """The server's search holds these again; ids as they stand there."""
        self._database.run_many(
            "UPDATE messages SET unfound = 0 WHERE session_id = ? AND (external_id = ? OR held_as = ?)",
            [(session_id, external_id, external_id) for external_id in external_ids],
        )

    def searchable(self, session_id: int) -> set[str]:
        """The ids, as they stand on the server, of the session's messages that its search holds."""
        query = (
            "SELECT coalesce(held_as, external_id) FROM messages "
            "WHERE session_id = ? AND acked_digest IS NOT NULL AND NOT unfound"
        )
        return {row[0] for row in self._database.rows(query, (session_id,))}

    def checked(self, messages: Sequence[Waiting]) -> None:
        """These were looked for on the server."""
        self._database.run_many(
            "UPDATE messages SET checked = 1 WHERE id = ?", [(message.id,) for message in messages]
        )

    def held_otherwise(self, messages: Sequence[Waiting], server_time: float) -> None:
        """The server holds other versions of these: what is wanted is an update."""
        self._database.run_many(
            "UPDATE messages SET acked_digest = x'', acked_at = ? WHERE id = ?",
            [(server_time, message.id) for message in messages],
        )

    def held_as(self, messages: Sequence[tuple[Waiting, str]]) -> None:
        """Somebody else's messages on the server count as these, for good."""
        self._database.run_many(
            "UPDATE messages SET held_as = ?, acked_digest = wanted_digest, wanted = NULL WHERE id = ?",
            [(key, message.id) for message, key in messages],
        )

    def held_ids(self, session_id: int) -> set[str]:
        """The ids of somebody else's messages that count as messages of the session."""
        query = "SELECT held_as FROM messages WHERE session_id = ? AND held_as IS NOT NULL"
        return {row[0] for row in self._database.rows(query, (session_id,))}

    def postpone(self, messages: Sequence[Waiting], until: float, *, failed: bool) -> None:
        self._database.run_many(
            "UPDATE messages SET next_try = ?, failures = failures + ? WHERE id = ?",
            [(until, failed, message.id) for message in messages],
        )

    def park(self, message: Waiting, reason: str) -> None:
        self._database.run("UPDATE messages SET parked = ? WHERE id = ?", (reason, message.id))

    def _select(self, where: str, order: str, session_id: int, limit: int) -> list[Waiting]:
        rows: list[tuple[Any, ...]] = self._database.rows(
            f"SELECT {_COLUMNS} FROM {_OF_WAITING} WHERE session_id = ? AND {_WAITING} AND {where} "
            f"ORDER BY {order} LIMIT ?",
            (session_id, limit),
        )
        return [Waiting(*(*row[:4], self._body(row[4], row[5]), *row[5:])) for row in rows]

    def _body(self, wanted: bytes, digest: bytes) -> bytes:
        kept_back = self._database.kept_back
        return wanted if wanted != KEPT_BACK or kept_back is None else kept_back[digest].body


def _key(text: str) -> str:
    """A string of a transcript as SQLite takes it: lone surrogates are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
