"""Writing what came in: sessions and messages are created, or brought up to date, never doubled."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db import counts, deleted, forks, index
from pi_opensync.dashboard.db.connections import Connections, next_revision
from pi_opensync.dashboard.db.contents import StoredContent, pack, unpack
from pi_opensync.dashboard.db.index import IndexEntry
from pi_opensync.dashboard.db.layout import ID_BITS
from pi_opensync.dashboard.folding import fold
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.sqlite import Database, Row

SOURCE_IF_ABSENT = "opencode"
_NOT_STORED = 0  # the id of what was not stored, as its session was deleted here

_KEPT_IF_ABSENT = (
    "model",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost",
    "duration_ms",
    "entry_id",
    "parent_entry_id",
)
_SAYS_WHAT_IS_COPIED = frozenset(("created_at", "parent_external_id", "fork_prefix"))


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
        return put(database, sessions, messages, now, next_revision(database))


def put(
    database: Database, sessions: Sequence[SessionIn], messages: Sequence[MessageIn], now: int, revision: int
) -> Saved:
    """As `save`, within a transaction of the caller's, in which `revision` is the next one."""
    session_ids = [_put_session(database, session, now, revision) for session in sessions]
    message_ids = [_put_message(database, message, now, revision) for message in messages]
    return Saved(session_ids, message_ids)


def _put_session(database: Database, session: SessionIn, now: int, revision: int) -> int:
    if deleted.is_deleted(database, session.external_id):
        return _NOT_STORED
    old = database.row("SELECT * FROM sessions WHERE external_id = ?", (session.external_id,))
    given: dict[str, Any] = {
        "source": session.source,
        "title": session.title,
        "project_path": session.project_path,
        "project_name": session.project_name or _last_of(session.project_path),
        "project": _project(session),
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
        "is_subagent": None if session.is_subagent is None else int(session.is_subagent),
        "file": session.file,
        "machine": session.machine,
        "repository": project_names.key_of(session.repository_path, None) or None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    title, project = (given.get(name) or (old and old[name]) or "" for name in ("title", "project"))
    given["said"] = fold(f"{title} {project}")
    if old is None:
        session_id = _new_session(database, session.external_id, given, now, revision)
        _put_spent(database, session_id, session)
    else:
        session_id = int(old["id"])
        if old["is_dated"]:
            given.pop("created_at", None)
        changed = {name: value for name, value in given.items() if old[name] != value}
        spent_more = _put_spent(database, session_id, session)
        if not changed and not spent_more:
            return session_id
        if "created_at" in changed:
            changed["is_dated"] = 1
            last = database.row("SELECT max(created_at) FROM messages WHERE session_id = ?", (session_id,))[0]
            changed["active_at"] = max(changed["created_at"], last or 0)
        _update(database, "sessions", session_id, {**changed, "updated_at": now, "revision": revision})
        if old["message_count"] and not _SAYS_WHAT_IS_COPIED.isdisjoint(changed):
            counts.recount(database, session_id)
    forks.link(database, session_id)
    return session_id


def _put_spent(database: Database, session_id: int, session: SessionIn) -> bool:
    """Put what a session spent outside messages in the place of what is known of it; whether it changed."""
    if session.spent is None:
        return False
    known = database.rows(
        "SELECT at, model, kind, prompt_tokens, completion_tokens, cost FROM spent WHERE session_id = ? "
        "ORDER BY rowid",
        (session_id,),
    )
    given = [astuple(one) for one in session.spent]
    if [tuple(row) for row in known] == given:
        return False
    database.run("DELETE FROM spent WHERE session_id = ?", (session_id,))
    database.run_many(
        "INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?, ?)", [(session_id, *values) for values in given]
    )
    return True


def _project(session: SessionIn) -> str | None:
    return project_names.key_of(session.project_path, session.project_name) or None


def _known(session: SessionIn, given: float | None, old: float | None) -> float | None:
    """Return what is given; a 0 only where it says something.

    opencode-sync-plugin, which names no source, sends 0 for "not known yet" after it has sent the number.
    """
    return given if given or session.source is not None or old is None else None


def _new_session(database: Database, external_id: str, given: dict[str, Any], now: int, revision: int) -> int:
    # A session's first date stays, as on OpenSync; one that nobody gave gives way to one that somebody did.
    created_at = given.get("created_at", now)
    values = {
        "id": deleted.free_id(database),
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
    if deleted.is_deleted(database, message.session_external_id):
        return _NOT_STORED
    find = "SELECT * FROM sessions WHERE external_id = ?"
    session = database.row(find, (message.session_external_id,))
    if session is None:
        given: dict[str, Any] = {"source": message.source, "model": message.model}
        given = {name: value for name, value in given.items() if value is not None}
        given["active_at"] = message.created_at if message.created_at is not None else now
        session_id = _new_session(database, message.session_external_id, given, now, revision)
        forks.link(database, session_id)
        session = database.row(find, (message.session_external_id,))
    old = database.row(
        "SELECT * FROM messages WHERE session_id = ? AND external_id = ?",
        (session["id"], message.external_id),
    )
    if old is None:
        return _new_message(database, session, message, now, revision)
    _change_message(database, session, old, message, now=now, revision=revision)
    message_id: int = old["id"]
    return message_id


def _new_message(database: Database, session: Row, message: MessageIn, now: int, revision: int) -> int:
    created_at = now if message.created_at is None else message.created_at
    message_id = _free_id(database, created_at)
    content = StoredContent(message.text_content, list(message.parts or ()))
    values = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
    values |= {
        "id": message_id,
        "session_id": session["id"],
        "external_id": message.external_id,
        "role": message.role,
        "created_at": created_at,
        "revision": revision,
        "size": len(content.json),
        "body": pack(content),
    }
    _insert(database, "messages", values)
    index.learn(database, IndexEntry(message_id, session["id"], message.role, content))
    copied = counts.is_copy(dict(session), created_at)
    counts.count_usage(database, values, copied=copied)
    if not copied:
        counts.count_runs(database, session["id"], created_at, content)
    database.run(
        "UPDATE sessions SET message_count = message_count + 1, active_at = max(active_at, ?), "
        "updated_at = ?, revision = ? WHERE id = ?",
        (created_at, now, revision, session["id"]),
    )
    return message_id


def _change_message(
    database: Database, session: Row, old: Row, message: MessageIn, *, now: int, revision: int
) -> None:
    """Bring a message up to date.

    Its role and date stay, as on OpenSync; text and parts that are not sent again stay too.
    """
    before = unpack(old["body"])
    content = StoredContent(
        before.text if message.text_content is None else message.text_content,
        before.parts if message.parts is None else list(message.parts),
    )
    given = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
    changed = {name: value for name, value in given.items() if value is not None and old[name] != value}
    if not changed and content == before:
        return
    copied = counts.is_copy(dict(session), old["created_at"])
    counts.count_usage(database, dict(old), copied=copied, sign=-1)
    counts.count_usage(database, {**dict(old), **changed}, copied=copied)
    if content != before:
        changed |= {"size": len(content.json), "body": pack(content)}
        index.forget(database, IndexEntry(old["id"], session["id"], old["role"], before))
        index.learn(database, IndexEntry(old["id"], session["id"], old["role"], content))
        if not copied:
            counts.count_runs(database, session["id"], old["created_at"], before, sign=-1)
            counts.count_runs(database, session["id"], old["created_at"], content)
    _update(database, "messages", old["id"], {**changed, "revision": revision})
    database.run(
        "UPDATE sessions SET updated_at = ?, revision = ? WHERE id = ?", (now, revision, session["id"])
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
