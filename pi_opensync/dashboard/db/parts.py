"""The parts of a message as rows of their own, in their order."""

import json
import sqlite3

from pi_opensync.dashboard.db.transcript import Part


def load_parts(con: sqlite3.Connection, message_id: int) -> list[Part]:
    rows = con.execute(
        "SELECT type, content FROM parts WHERE message_id = ? ORDER BY position", (message_id,)
    )
    return [Part(kind, json.loads(content)) for kind, content in rows]


def insert_parts(con: sqlite3.Connection, message_id: int, stored: list[tuple[str, str]]) -> None:
    """Write parts as (type, content as JSON)."""
    con.executemany(
        "INSERT INTO parts VALUES (?, ?, ?, ?)",
        [(message_id, position, kind, content) for position, (kind, content) in enumerate(stored)],
    )
