"""An open page that grows: the browser asks for what changed after the place up to which it knows.

When to ask it is told by `streams`. What it asks for stands here: whole, in order, and nothing twice, also
after a laptop has slept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pi_opensync.dashboard.db import readback
from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.sqlite import Database, Row

MOST = 50
_LAST_ID = 2**62
_CURSOR = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LiveCursor:
    """All changes up to a revision, or within it up to a message's id, are known.

    As text: `12` or `12.345`.
    """

    revision: int
    message_id: int = _LAST_ID

    @classmethod
    def parse(cls, text: str) -> "LiveCursor":
        """Read a cursor. Raises PayloadError for what is none."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise PayloadError("after", "is not a place in the changes")
        return cls(int(match[1]), int(match[2]) if match[2] else _LAST_ID)

    def __str__(self) -> str:
        return str(self.revision) if self.message_id == _LAST_ID else f"{self.revision}.{self.message_id}"


@dataclass(frozen=True, slots=True)
class Growth:
    """What changed in a session, and the cursor for the next question."""

    cursor: LiveCursor
    session: Row
    messages: list[StoredMessage]


def growth(database: Database, session: Row, after: LiveCursor) -> Growth | None:
    """Return the changes after a cursor, at most `MOST` messages of them; None if there are none."""
    if (session["revision"], _LAST_ID) <= (after.revision, after.message_id):
        return None
    messages = readback.changed(database, session["id"], after.revision, after.message_id, MOST)
    cursor = LiveCursor(session["revision"])
    if len(messages) == MOST:
        last = messages[-1].row
        cursor = LiveCursor(last["revision"], last["id"])
    return Growth(cursor, session, messages)


def as_json(growth: Growth, draw: Callable[[StoredMessage], str], header: str) -> dict[str, object]:
    """`{cursor, header, messages: [{id, html}]}`; ids as text, for they exceed what JavaScript can count."""
    return {
        "cursor": str(growth.cursor),
        "header": header,
        "messages": [{"id": str(message.row["id"]), "html": draw(message)} for message in growth.messages],
    }
