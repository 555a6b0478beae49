"""What a reader keeps beside a session, here alone: a star, tags, a note, whether it is hidden."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pi_opensync.dashboard.db.connections import next_revision
from pi_opensync.sqlite import Database

MAX_NOTE = 4000
MAX_TAG = 40
MAX_TAGS = 20


@dataclass(frozen=True, slots=True)
class Noted:
    is_starred: bool = False
    is_hidden: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""


_NOTHING = Noted()


def of(database: Database, session_id: int) -> Noted:
    return of_all(database, [session_id]).get(session_id, _NOTHING)


def of_all(database: Database, session_ids: Iterable[int]) -> dict[int, Noted]:
    """Return what is kept, by the sessions that something is kept of."""
    rows = database.rows(
        "SELECT * FROM noted WHERE session_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(session_ids)),),
    )
    return {
        row["session_id"]: Noted(
            bool(row["is_starred"]), bool(row["is_hidden"]), tuple(json.loads(row["tags"])), row["note"]
        )
        for row in rows
    }


def keep(database: Database, session_id: int, noted: Noted) -> None:
    """Keep it in place of what was kept; open pages are told."""
    revision = next_revision(database)
    database.run("UPDATE sessions SET revision = ? WHERE id = ?", (revision, session_id))
    if noted == _NOTHING:
        database.run("DELETE FROM noted WHERE session_id = ?", (session_id,))
        return
    database.run(
        "INSERT OR REPLACE INTO noted VALUES (?, ?, ?, ?, ?)",
        (
            session_id,
            int(noted.is_starred),
            int(noted.is_hidden),
            json.dumps(noted.tags, ensure_ascii=False),
            noted.note,
        ),
    )


def tags_of(text: str) -> tuple[str, ...]:
    """Read tags that are parted by commas: each once, in their order."""
    tags = (" ".join(tag.split())[:MAX_TAG] for tag in text.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]


def known_tags(database: Database) -> list[str]:
    """Return all tags that are in use, by their names."""
    rows = database.rows("SELECT DISTINCT value FROM noted, json_each(noted.tags) ORDER BY value LIMIT 200")
    return [row[0] for row in rows]
