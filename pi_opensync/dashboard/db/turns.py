"""A session's turns: each prompt with all that answered it, and what that took."""

from collections.abc import Iterable
from dataclasses import dataclass

from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.parts import IMAGE_LINE, text_of
from pi_opensync.sqlite import Database, Row

_BEGINNING = 300
_LINE = 160
_COLUMNS = "id, role, cost, prompt_tokens, completion_tokens, duration_ms, created_at"


@dataclass(slots=True)
class Turn:
    """What follows a prompt up to the next one: US dollars, tokens, ms from the prompt to the last answer."""

    messages: int = 0
    cost: float = 0.0
    tokens: int = 0
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """`text` is its beginning, on one line."""

    id: int
    created_at: int
    text: str
    turn: Turn


def outline(database: Database, session_id: int) -> list[Prompt]:
    """Return all prompts of a session in order."""
    rows = database.rows(
        f"SELECT {_COLUMNS}, CASE role WHEN 'user' THEN body END AS body FROM messages "
        "WHERE session_id = ? ORDER BY id",
        (session_id,),
    )
    turns = _turns(rows)
    return [
        Prompt(row["id"], row["created_at"], _beginning(StoredMessage(row)), turns[row["id"]])
        for row in rows
        if row["role"] == "user"
    ]


def _beginning(message: StoredMessage) -> str:
    said = message.text or next((text_of(part.content) for part in message.parts if part.type == "text"), "")
    words = said[:_BEGINNING]
    text = " ".join((IMAGE_LINE.sub("", words).strip() or words).split())
    return text if len(text) <= _LINE else text[:_LINE].rsplit(" ", 1)[0] + "…"


def turns_among(database: Database, session_id: int, first: int, last: int) -> dict[int, Turn]:
    """Return the turns of the prompts from one message to another, by the prompts' ids."""
    end = database.one(
        "SELECT id FROM messages WHERE session_id = ? AND id > ? AND role = 'user' ORDER BY id LIMIT 1",
        session_id,
        last,
    )
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM messages WHERE session_id = ? AND id >= ? AND id < ? ORDER BY id",
        (session_id, first, end if end is not None else 2**63 - 1),
    )
    return _turns(rows)


def turn_of(database: Database, session_id: int, message_id: int) -> int | None:
    """Return the id of the prompt that a message answers, or its own if it is one."""
    found: int | None = database.one(
        "SELECT id FROM messages WHERE session_id = ? AND id <= ? AND role = 'user' ORDER BY id DESC LIMIT 1",
        session_id,
        message_id,
    )
    return found


def _turns(rows: Iterable[Row]) -> dict[int, Turn]:
    turns: dict[int, Turn] = {}
    current = Turn()
    began = 0
    for row in rows:
        if row["role"] == "user":
            current = turns[row["id"]] = Turn()
            began = row["created_at"]
            continue
        current.messages += 1
        current.cost += row["cost"] or 0.0
        current.tokens += (row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0)
        current.duration_ms = max(current.duration_ms, row["created_at"] + (row["duration_ms"] or 0) - began)
    return turns
