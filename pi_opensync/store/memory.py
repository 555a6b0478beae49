"""What was met earlier in a session: `fold.Memory` over the tables."""

import msgspec

from pi_opensync import texts
from pi_opensync.model import Message
from pi_opensync.store.database import Database

_message = msgspec.msgpack.Decoder(Message).decode


class SessionMemory:
    """Of one session and one reading of it from the start. `threads`: remember what stands below what."""

    def __init__(
        self, database: Database, session_id: int, generation: int, *, threads: bool = False
    ) -> None:
        self._database = database
        self._session_id = session_id
        self._generation = generation
        self._threads = threads

    def seen(self, key: str) -> bool:
        query = "SELECT 1 FROM seen WHERE session_id = ? AND entry_id = ?"
        return self._database.one(query, self._session_id, texts.storable(key)) is not None

    def remember(self, key: str, *, parent_id: str | None, shows: bool) -> None:
        shown = None
        if self._threads:
            shown = (
                texts.identifier(key)
                if shows
                else self.shown_above(parent_id)
                if parent_id is not None
                else None
            )
        self._database.run(
            "INSERT OR IGNORE INTO seen(session_id, entry_id, shown) VALUES (?, ?, ?)",
            (self._session_id, texts.storable(key), None if shown is None else texts.storable(shown)),
        )

    def shown_above(self, entry_id: str) -> str | None:
        if not self._threads:
            return None
        query = "SELECT shown FROM seen WHERE session_id = ? AND entry_id = ?"
        found: str | None = self._database.one(query, self._session_id, texts.storable(entry_id))
        return found

    def taken(self, message_id: str) -> bool:
        query = "SELECT 1 FROM messages WHERE external_id = ? AND generation = ? AND session_id = ?"
        return self._database.one(query, message_id, self._generation, self._session_id) is not None

    def waiting_for(self, call_id: str) -> Message | None:
        draft = self._database.one(
            "SELECT m.draft FROM calls c JOIN messages m ON m.id = c.message_id "
            "WHERE c.session_id = ? AND c.call_id = ? ORDER BY c.position DESC LIMIT 1",
            self._session_id,
            texts.storable(call_id),
        )
        return None if draft is None else _message(draft)
