"""Writing what came in: sessions and messages are created, or brought up to date, never doubled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pi_opensync.dashboard.db import forks
from pi_opensync.dashboard.db.connections import Connections, next_revision
from pi_opensync.dashboard.db.contents import insert_parts, load_parts
from pi_opensync.dashboard.db.index import forget_words, learn_words
from pi_opensync.dashboard.db.schema import ID_BITS, SLOT_MS
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.dashboard.parts import to_json
from pi_opensync.sqlite import Database, Row

SOURCE_IF_ABSENT = "opencode"

_KEPT_IF_ABSENT = (
    "text_content",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost",
    "duration_ms",
)


@dataclass(frozen=True, slots=True)
class Saved:
    """Ids in the order of what was given."""

    session_ids: list[int]
    message_ids: list[int]


def save(
    connections: Connections, sessions: Sequence[SessionIn], messages: Sequence[MessageIn], now: int
) -> Saved:
    """Write all of them in one transaction; `now` in ms dates what carries no date."""
    with connections.write() as database:
        revision = next_revision(database)
        session_ids = [_put_session(database, session, now, revision) for session in sessions]
        message_ids = [_put_message(database, message, now, revision) for message in messages]
    return Saved(session_ids, message_ids)


def _put_session(database: Database, session: SessionIn, now: int, revision: int) -> int:
    old = database.row("SELECT * FROM sessions WHERE external_id = ?", (session.external_id,))
    given: dict[str, Any] = {
        "source": session.source,
        "title": session.title,
        "project_path": session.project_path,
        "project_name": session.project_name or _last_of(session.project_path),
        "model": session.model,
        "provider": session.provider,
        # As on OpenSync, 0 tokens never lower a number.
        "prompt_tokens": session.prompt_tokens or None,
        "completion_tokens": session.completion_tokens or None,
        "cache_read_tokens": session.cache_read_tokens,
        "cache_write_tokens": session.cache_write_tokens,
        "cost": _known(session, session.cost, old and old["cost"]),
        "duration_ms": _known(session, session.duration_ms, old and old["duration_ms"]),
        "created_at": session.created_at,
        "parent_external_id": session.parent_external_id,
        "fork_prefix": forks.fork_prefix(session.title),
    }
    given = {name: value for name, value in given.items() if value is not None}
    if old is None:
        session_id = _new_session(database, session.external_id, given, now, revision)
    else:
        session_id = int(old["id"])
        if old["is_dated"]:
            given.pop("created_at", None)
        changed = {name: value for name, value in given.items() if old[name] != value}
        if not changed:
            return session_id
        if "created_at" in changed:
            changed["is_dated"] = 1
            last = database.row("SELECT max(created_at) FROM messages WHERE session_id = ?", (session_id,))[0]
            changed["active_at"] = max(changed["created_at"], last or 0)
        _update(database, "sessions", session_id, {**changed, "updated_at": now, "revision": revision})
    forks.link(database, session_id)
    return session_id


def _known(session: SessionIn, given: float | None, old: float | None) -> float | None:
    """Return what is given; a 0 only where it says something.

    opencode-sync-plugin, which names no source, sends 0 for "not known yet" after it has sent the number.
    """
    return given if given or session.source is not None or old is None else None


def _new_session(database: Database, external_id: str, given: dict[str, Any], now: int, revision: int) -> int:
    # A session's first date stays, as on OpenSync; one that nobody gave gives way to one that somebody did.
    created_at = given.get("created_at", now)
    values = {
        "source": SOURCE_IF_ABSENT,
        "active_at": created_at,
        **given,
        "external_id": external_id,
        "created_at": created_at,
        "is_dated": int("created_at" in given),
        "updated_at": now,
        "revision": revision,
        "root_id": 0,
    }
    session_id = _insert(database, "sessions", values)
    database.run("UPDATE sessions SET root_id = id WHERE id = ?", (session_id,))
    return session_id


def _put_message(database: Database, message: MessageIn, now: int, revision: int) -> int:
    session = database.row("SELECT id FROM sessions WHERE external_id = ?", (message.session_external_id,))
    if session is None:
        given: dict[str, Any] = {"source": message.source, "model": message.model}
        given = {name: value for name, value in given.items() if value is not None}
        given["active_at"] = message.created_at if message.created_at is not None else now
        session_id = _new_session(database, message.session_external_id, given, now, revision)
        forks.link(database, session_id)
    else:
        session_id = session["id"]
    old = database.row(
        "SELECT * FROM messages WHERE session_id = ? AND external_id = ?", (session_id, message.external_id)
    )
    if old is None:
        return _new_message(database, session_id, message, now, revision)
    _change_message(database, old, message, now, revision)
    message_id: int = old["id"]
    return message_id


def _new_message(database: Database, session_id: int, message: MessageIn, now: int, revision: int) -> int:
    created_at = now if message.created_at is None else message.created_at
    message_id = _free_id(database, created_at)
    parts = list(message.parts or ())
    stored = [(part.type, to_json(part.content)) for part in parts]
    values = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
    values |= {
        "id": message_id,
        "session_id": session_id,
        "external_id": message.external_id,
        "role": message.role,
        "created_at": created_at,
        "revision": revision,
        "size": _size(message.text_content, stored),
    }
    _insert(database, "messages", values)
    insert_parts(database, message_id, stored)
    learn_words(database, message_id, session_id, message.text_content, parts)
    tokens = (message.prompt_tokens or 0) + (message.completion_tokens or 0)
    database.run(
        "INSERT INTO activity VALUES (?, ?, 1, ?) "
        "ON CONFLICT DO UPDATE SET messages = messages + 1, tokens = tokens + excluded.tokens",
        (session_id, created_at // SLOT_MS, tokens),
    )
    database.run(
        "UPDATE sessions SET message_count = message_count + 1, active_at = max(active_at, ?), "
        "updated_at = ?, revision = ? WHERE id = ?",
        (created_at, now, revision, session_id),
    )
    return message_id


def _change_message(database: Database, old: Row, message: MessageIn, now: int, revision: int) -> None:
    """Bring a message up to date.

    Its role and date stay, as on OpenSync; parts that are not sent again stay too.
    """
    old_parts = load_parts(database, old["id"])
    parts = old_parts if message.parts is None else list(message.parts)
    given = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
    changed = {name: value for name, value in given.items() if value is not None and old[name] != value}
    if not changed and parts == old_parts:
        return
    merged = {**dict(old), **changed}
    stored = [(part.type, to_json(part.content)) for part in parts]
    _update(
        database,
        "messages",
        old["id"],
        {**changed, "revision": revision, "size": _size(merged["text_content"], stored)},
    )
    if parts != old_parts:
        database.run("DELETE FROM parts WHERE message_id = ?", (old["id"],))
        insert_parts(database, old["id"], stored)
    forget_words(database, old["id"], old["session_id"], old["text_content"], old_parts)
    learn_words(database, old["id"], old["session_id"], merged["text_content"], parts)
    tokens = (merged["prompt_tokens"] or 0) + (merged["completion_tokens"] or 0)
    tokens -= (old["prompt_tokens"] or 0) + (old["completion_tokens"] or 0)
    database.run(
        "UPDATE activity SET tokens = tokens + ? WHERE session_id = ? AND slot = ?",
        (tokens, old["session_id"], old["created_at"] // SLOT_MS),
    )
    database.run(
        "UPDATE sessions SET updated_at = ?, revision = ? WHERE id = ?", (now, revision, old["session_id"])
    )


def _free_id(database: Database, created_at: int) -> int:
    first = created_at << ID_BITS
    while True:
        after = first + (1 << ID_BITS)
        last = database.row("SELECT max(id) FROM messages WHERE id >= ? AND id < ?", (first, after))[0]
        candidate: int = first if last is None else last + 1
        if candidate < after:
            return candidate
        first = after


def _size(text: str | None, stored: list[tuple[str, str]]) -> int:
    return len(text or "") + sum(len(content) for _, content in stored)


def _last_of(path: str | None) -> str | None:
    return (path or "").replace("\\", "/").rstrip("/").rpartition("/")[2] or None


def _insert(database: Database, table: str, values: dict[str, Any]) -> int:
    marks = ", ".join("?" * len(values))
    return database.insert(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
    )


def _update(database: Database, table: str, row_id: int, values: dict[str, Any]) -> None:
    sets = ", ".join(f"{name} = ?" for name in values)
    database.run(
        f"UPDATE {table} SET {sets} WHERE id = ?",
        (*values.values(), row_id),
    )
