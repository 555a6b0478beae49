"""What a sync would send, a line a session."""

import json
from dataclasses import dataclass

from pi_opensync.store.database import Database


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A session as it would be sent; `bytes` of its messages' JSON, `created_at` in Unix milliseconds."""

    external_id: str
    title: str
    project: str
    created_at: int | None
    messages: int
    bytes: int
    tokens: int
    cost: float


def survey(database: Database) -> list[Surveyed]:
    """The sessions of a store, with what waits in each."""
    rows = database.execute(
        "SELECT s.wanted, count(m.id), coalesce(sum(m.bytes), 0) FROM sessions s "
        "LEFT JOIN messages m ON m.session_id = s.id GROUP BY s.id"
    )
    return [_surveyed(*row) for row in rows]


def _surveyed(wanted: bytes, messages: int, size: int) -> Surveyed:
    payload = json.loads(wanted)
    return Surveyed(
        external_id=payload["externalId"],
        title=payload["title"],
        project=payload.get("projectName", "-"),
        created_at=payload.get("createdAt"),
        messages=messages,
        bytes=size,
        tokens=payload["promptTokens"] + payload["completionTokens"],
        cost=payload["cost"],
    )
