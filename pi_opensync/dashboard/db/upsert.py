"""Writing what came in: sessions and messages are created, or brought up to date, never doubled."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db import counts, deleted, forks, index
from pi_opensync.dashboard.db.bookings import rebook
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
    """Ids in the order of what was given; `touched` are the sessions that may have changed."""

    session_ids: list[int]
    message_ids: list[int]
    touched: set[int]


def save(
    connections: Connections, sessions: Sequence[SessionIn], messages: Sequence[MessageIn], now: int
) -> Saved:
    """Write all of them in one transaction; `now` in ms dates what carries no date."""
    with connections.write() as database:
        saved = put(database, sessions, messages, now, next_revision(database))
        rebook(database, saved.touched)
    return saved


def put(
    database: Database, sessions: Sequence[SessionIn], messages: Sequence[MessageIn], now: int, revision: int
) -> Saved:
    """As `save`, in a transaction of the caller's, who books anew what it touched before the end.

    `revision` is that of the transaction.
    """
    session_ids = [_put_session(database, session, now, revision) for session in sessions]
    together = _Messages(database, now, revision)
    message_ids = [together.put(message) for message in messages]
    together.close()
    return Saved(session_ids, message_ids, {*session_ids, *together.touched} - {_NOT_STORED})


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


class _Messages:
    """Messages that are put one after another: what changes with each is written once, at the end."""

    def __init__(self, database: Database, now: int, revision: int) -> None:
        self._database = database
        self._now = now
        self._revision = revision
        self._sessions: dict[str, dict[str, Any] | None] = {}  # None: it was deleted here
        self._counts = counts.Counts()
        self._grown: dict[int, int] = {}  # sessions with the latest date of what is new in them
        self._added: dict[int, set[str]] = {}  # what is new in them, by its external ids
        self.touched: set[int] = set()

    def put(self, message: MessageIn) -> int:
        """Return the message's id, or 0 where its session was deleted here."""
        session = self._session(message)
        if session is None:
            return _NOT_STORED
        self.touched.add(session["id"])
        old = self._stored(session, message.external_id)
        if old is None:
            return self._add(session, message)
        self._change(session, old, message)
        message_id: int = old["id"]
        return message_id

    def close(self) -> None:
        self._counts.write(self._database)
        self._database.run_many(
            "UPDATE sessions SET message_count = message_count + ?, active_at = max(active_at, ?), "
            "updated_at = ?, revision = ? WHERE id = ?",
            [
                (len(self._added.get(session_id, ())), active_at, self._now, self._revision, session_id)
                for session_id, active_at in self._grown.items()
            ],
        )

    def _session(self, message: MessageIn) -> dict[str, Any] | None:
        key = message.session_external_id
        if key not in self._sessions:
            self._sessions[key] = None if deleted.is_deleted(self._database, key) else self._found(message)
        return self._sessions[key]

    def _found(self, message: MessageIn) -> dict[str, Any]:
        find = "SELECT * FROM sessions WHERE external_id = ?"
        session = self._database.row(find, (message.session_external_id,))
        if session is None:
            given: dict[str, Any] = {"source": message.source, "model": message.model}
            given = {name: value for name, value in given.items() if value is not None}
            given["active_at"] = message.created_at if message.created_at is not None else self._now
            key = message.session_external_id
            forks.link(self._database, _new_session(self._database, key, given, self._now, self._revision))
            session = self._database.row(find, (key,))
        return dict(session)

    def _stored(self, session: dict[str, Any], external_id: str) -> Row | None:
        added = self._added.get(session["id"], ())
        if not session["message_count"] and external_id not in added:
            return None
        row: Row | None = self._database.row(
            "SELECT * FROM messages WHERE session_id = ? AND external_id = ?", (session["id"], external_id)
        )
        return row

    def _add(self, session: dict[str, Any], message: MessageIn) -> int:
        session_id: int = session["id"]
        created_at = self._now if message.created_at is None else message.created_at
        message_id = _free_id(self._database, created_at)
        content = StoredContent(message.text_content, list(message.parts or ()))
        values = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
        values |= {
            "id": message_id,
            "session_id": session_id,
            "external_id": message.external_id,
            "role": message.role,
            "created_at": created_at,
            "revision": self._revision,
            "size": len(content.json),
            "body": pack(content),
        }
        _insert(self._database, "messages", values)
        index.learn(self._database, IndexEntry(message_id, session_id, message.role, content))
        copied = counts.is_copy(session, created_at)
        self._counts.usage(values, copied=copied)
        if not copied:
            self._counts.runs(session_id, created_at, content)
        self._added.setdefault(session_id, set()).add(message.external_id)
        self._grown[session_id] = max(self._grown.get(session_id, 0), created_at)
        return message_id

    def _change(self, session: dict[str, Any], old: Row, message: MessageIn) -> None:
        """Bring a message up to date.

        Its role and date stay, as on OpenSync; text and parts that are not sent again stay too.
        """
        session_id: int = session["id"]
        before = unpack(old["body"])
        content = StoredContent(
            before.text if message.text_content is None else message.text_content,
            before.parts if message.parts is None else list(message.parts),
        )
        given = {name: getattr(message, name) for name in _KEPT_IF_ABSENT}
        changed = {name: value for name, value in given.items() if value is not None and old[name] != value}
        if not changed and content == before:
            return
        copied = counts.is_copy(session, old["created_at"])
        self._counts.usage(dict(old), copied=copied, sign=-1)
        self._counts.usage({**dict(old), **changed}, copied=copied)
        if content != before:
            changed |= {"size": len(content.json), "body": pack(content)}
            index.forget(self._database, IndexEntry(old["id"], session_id, old["role"], before))
            index.learn(self._database, IndexEntry(old["id"], session_id, old["role"], content))
            if not copied:
                self._counts.runs(session_id, old["created_at"], before, sign=-1)
                self._counts.runs(session_id, old["created_at"], content)
        _update(self._database, "messages", old["id"], {**changed, "revision": self._revision})
        self._grown.setdefault(session_id, 0)


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
