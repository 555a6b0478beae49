"""The parts of a message as rows of their own, in their order."""

import json

from pi_opensync.dashboard.parts import Part
from pi_opensync.sqlite import Database


def load_parts(database: Database, message_id: int) -> list[Part]:
    rows = database.rows(
        "SELECT type, content FROM parts WHERE message_id = ? ORDER BY position", (message_id,)
    )
    return [Part(kind, json.loads(content)) for kind, content in rows]


def insert_parts(database: Database, message_id: int, stored: list[tuple[str, str]]) -> None:
    """Write parts as (type, content as JSON)."""
    database.run_many(
        "INSERT INTO parts VALUES (?, ?, ?, ?)",
        [(message_id, position, kind, content) for position, (kind, content) in enumerate(stored)],
    )
