"""Who was forked from whom: families of sessions, a parent with its forks below it."""

import json
import re

from pi_opensync.sqlite import Database, Row

_FORK_TITLE = re.compile(r"\[Fork::([^\]\s]{1,64})\]\s*")
_MARK = re.compile(r"\[(?:Fork|Subagent)::[^\]\s]{1,64}\]\s*")


def fork_prefix(title: str | None) -> str | None:
    """Return the start of the parent's id in a title like `[Fork::1a2b3c4d] Fix the tests`."""
    match = _FORK_TITLE.match(title or "")
    return match[1] if match else None


def bare_title(title: str | None) -> str:
    """Return the title without what says whose fork or subagent it is."""
    text = title or ""
    while match := _MARK.match(text):
        text = text[match.end() :]
    return text


def link(database: Database, session_id: int) -> None:
    """Give a session its parent, if that is known by now, and give forks that waited for it theirs."""
    _adopt(database, session_id)
    row = database.row("SELECT external_id FROM sessions WHERE id = ?", (session_id,))
    external_id: str = row["external_id"]
    prefixes = [external_id[:length] for length in range(1, min(len(external_id), 64) + 1)]
    waiting = database.rows(
        "SELECT id FROM sessions WHERE parent_external_id = ? UNION "
        "SELECT id FROM sessions WHERE fork_prefix IN (SELECT value FROM json_each(?))",
        (external_id, json.dumps(prefixes)),
    )
    for child in waiting:
        if child["id"] != session_id:
            _adopt(database, child["id"])


def remove(database: Database, session_id: int) -> None:
    """Delete a session's row; each of its forks finds another parent, or is the root of a family then."""
    children = database.rows("SELECT id FROM sessions WHERE parent_id = ?", (session_id,))
    database.run("UPDATE sessions SET parent_id = NULL WHERE parent_id = ?", (session_id,))
    database.run("DELETE FROM sessions WHERE id = ?", (session_id,))
    for child in children:
        _root(database, child["id"], child["id"])
        _adopt(database, child["id"])


def _adopt(database: Database, session_id: int) -> None:
    child = database.row("SELECT * FROM sessions WHERE id = ?", (session_id,))
    parent_id = _parent_of(database, child)
    if parent_id is not None and _descends_from(database, parent_id, session_id):
        parent_id = None
    if parent_id == child["parent_id"]:
        return
    root_id = session_id
    if parent_id is not None:
        root_id = database.row("SELECT root_id FROM sessions WHERE id = ?", (parent_id,))["root_id"]
    database.run("UPDATE sessions SET parent_id = ? WHERE id = ?", (parent_id, session_id))
    _root(database, session_id, root_id)


def _root(database: Database, session_id: int, root_id: int) -> None:
    """Give a session and all below it a root."""
    database.run(
        """
        WITH RECURSIVE below (id) AS (
            SELECT ? UNION SELECT sessions.id FROM sessions JOIN below ON sessions.parent_id = below.id
        )
        UPDATE sessions SET root_id = ? WHERE id IN (SELECT id FROM below)
        """,
        (session_id, root_id),
    )


def _parent_of(database: Database, child: Row) -> int | None:
    if child["parent_external_id"]:
        row = database.row(
            "SELECT id FROM sessions WHERE external_id = ? AND id != ?",
            (child["parent_external_id"], child["id"]),
        )
        return row["id"] if row else None
    if not child["fork_prefix"]:
        return None
    prefix: str = child["fork_prefix"]
    # Eight characters of a UUIDv7 are shared by all sessions begun within a minute of each other: of several
    # that fit, take one of the same project and title that is older, and of those the newest.
    candidates = database.rows(
        "SELECT id, title, project_path, created_at FROM sessions "
        "WHERE external_id >= ? AND external_id < ? AND id != ?",
        (prefix, prefix + "\U0010ffff", child["id"]),
    )
    if not candidates:
        return None

    def fits(row: Row) -> tuple[bool, bool, bool, int]:
        return (
            row["project_path"] == child["project_path"],
            row["created_at"] <= child["created_at"],
            bare_title(row["title"]) == bare_title(child["title"]),
            row["created_at"],
        )

    best: int = max(candidates, key=fits)["id"]
    return best


def _descends_from(database: Database, session_id: int, ancestor_id: int) -> bool:
    seen: set[int] = set()
    current: int | None = session_id
    while current is not None and current not in seen:
        if current == ancestor_id:
            return True
        seen.add(current)
        row = database.row("SELECT parent_id FROM sessions WHERE id = ?", (current,))
        current = row["parent_id"] if row else None
    return False
