"""What was met earlier in a session: `fold.Memory` over the tables."""

import msgspec

from pi_opensync import texts
from pi_opensync.model import Message
from pi_opensync.store.database import KEPT_BACK, StateDatabase

_message = msgspec.msgpack.Decoder(Message).decode


class SessionMemory:
    """Of one session and one reading of it from the start. `threads`: remember what stands below what.

    What is new is kept in memory until `keep`. Of a session that has just been begun nothing need be asked.
    """

    def __init__(
        self, database: StateDatabase, session_id: int, generation: int, *, threads: bool = False
    ) -> None:
        self._database = database
        self._session_id = session_id
        self._generation = generation
        self._threads = threads
        self._new: dict[str, str | None] = {}
        self._taken: set[str] = set()
        query = "SELECT 1 FROM seen WHERE session_id = ? LIMIT 1"
        self._is_begun = database.one(query, session_id) is not None

    def seen(self, key: str) -> bool:
        stored = texts.storable(key)
        if stored in self._new or not self._is_begun:
            return stored in self._new
        query = "SELECT 1 FROM seen WHERE session_id = ? AND entry_id = ?"
        return self._database.one(query, self._session_id, stored) is not None

    def remember(self, key: str, *, parent_id: str | None, message_id: str | None) -> None:
        """`message_id` is of the message that the entry made or completed."""
        shown = None
        if message_id is not None:
            self._taken.add(message_id)
        if self._threads:
            shown = (
                texts.identifier(key)
                if message_id is not None
                else self.shown_above(parent_id)
                if parent_id is not None
                else None
            )
        self._new.setdefault(texts.storable(key), None if shown is None else texts.storable(shown))

    def keep(self) -> None:
        """Write down what is new. To be called in the transaction of what was read."""
        self._database.run_many(
            "INSERT OR IGNORE INTO seen(session_id, entry_id, shown) VALUES (?, ?, ?)",
            [(self._session_id, key, shown) for key, shown in self._new.items()],
        )
        self._is_begun = self._is_begun or bool(self._new)
        self._new.clear()
        self._taken.clear()

    def shown_above(self, entry_id: str) -> str | None:
        if not self._threads:
            return None
        stored = texts.storable(entry_id)
        if stored in self._new or not self._is_begun:
            return self._new.get(stored)
        query = "SELECT shown FROM seen WHERE session_id = ? AND entry_id = ?"
        found: str | None = self._database.one(query, self._session_id, stored)
        return found

    def taken(self, message_id: str) -> bool:
        if message_id in self._taken or not self._is_begun:
            return message_id in self._taken
        query = "SELECT 1 FROM messages WHERE external_id = ? AND generation = ? AND session_id = ?"
        return self._database.one(query, message_id, self._generation, self._session_id) is not None

    def waiting_for(self, call_id: str) -> Message | None:
        row = self._database.row(
            "SELECT m.draft, m.wanted_digest FROM calls c JOIN messages m ON m.id = c.message_id "
            "WHERE c.session_id = ? AND c.call_id = ? ORDER BY c.position DESC LIMIT 1",
            (self._session_id, texts.storable(call_id)),
        )
        if row is None or row[0] is None:
            return None
        kept_back = self._database.kept_back
        return kept_back[row[1]].draft if kept_back is not None and row[0] == KEPT_BACK else _message(row[0])
