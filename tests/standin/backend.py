"""The OpenSync backend in memory: its HTTP endpoints over `Tables`, one user, one key."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from tests.standin.rows import Counters, Message, Session
from tests.standin.tables import Tables
from tests.standin.values import (
    BATCH_MESSAGE,
    BATCH_SESSION,
    LATER_BATCH_MESSAGE,
    LATER_BATCH_SESSION,
    MESSAGE,
    SESSION,
    RefusedValueError,
    check_arguments,
    check_batch,
    check_request_size,
    is_number,
    js_number,
)

__all__ = ["Counters", "Message", "OpenSync", "Reply", "Session"]

_ID = re.compile(r"[a-z][0-9a-f]{31}")
MOST_SESSIONS = 1_600
MOST_MESSAGES = 4_096
_WORD = re.compile(r"\w+")
_INTEGER = re.compile(r"\s*([+-]?\d+)")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class _RefusedError(Exception):
    """An answer with a status other than 200."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class OpenSync:
    """One deployment with one user, whose API key is `key` (it begins with `osk_`, as all of them do).

    `now` is the server's clock, in seconds since the epoch. `batch_keeps_dates` makes it the later server,
    which takes `createdAt` in a batch, for messages and sessions, and keeps it at their insertion; a batch
    still takes the parts from a message that exists.
    """

    def __init__(self, *, now: Callable[[], float], key: str, batch_keeps_dates: bool = False) -> None:
        if not key.startswith("osk_"):
            raise ValueError("an OpenSync API key begins with osk_")
        self.counters = Counters()
        self._now = now
        self.key = key
        self.tables = Tables(now_ms=lambda: round(now() * 1000), counters=self.counters)
        self._batch_session = LATER_BATCH_SESSION if batch_keeps_dates else BATCH_SESSION
        self._batch_message = LATER_BATCH_MESSAGE if batch_keeps_dates else BATCH_MESSAGE
        self.routes: dict[tuple[str, str], Callable[[Mapping[str, list[str]], bytes], Any]] = {
            ("POST", "/sync/session"): self._post_session,
            ("POST", "/sync/message"): self._post_message,
            ("POST", "/sync/batch"): self._post_batch,
            ("GET", "/sync/sessions/list"): self._list_ids,
            ("GET", "/api/sessions"): self._list_sessions,
            ("GET", "/api/sessions/get"): self._get_session,
            ("GET", "/api/search"): self._search,
        }

    @property
    def sessions(self) -> dict[str, Session]:
        return self.tables.sessions

    @property
    def messages(self) -> dict[str, Message]:
        return self.tables.messages

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """`target` is the path with its query; header names are taken in any case."""
        path, _, query = target.partition("?")
        self.counters.requests[path] = self.counters.requests.get(path, 0) + 1
        if (method, path) == ("GET", "/health"):
            return self.reply(200, {"status": "ok", "timestamp": round(self._now() * 1000)})
        route = self.routes.get((method, path))
        if route is None:
            return self.reply_with(404, "text/plain; charset=utf-8", b"No matching routes found")
        try:
            self._authenticate(path, headers)
            return self.reply(200, route(parse_qs(query), body))
        except _RefusedError as refused:
            return self.reply(refused.status, {"error": str(refused)})
        except RefusedValueError as refused:
            return self.reply(500, {"error": str(refused)})

    def reply(self, status: int, payload: Any) -> Reply:
        return self.reply_with(status, "application/json", json.dumps(payload).encode())

    def reply_with(
        self, status: int, content_type: str, body: bytes, more: Mapping[str, str] | None = None
    ) -> Reply:
        """A reply with the server's own date, also for what stands in front of it."""
        date = formatdate(self._now(), usegmt=True)
        headers = {"Date": date, "Content-Type": content_type, "Access-Control-Allow-Origin": "*"}
        return Reply(status, headers | dict(more or {}), body)

    def snapshot(self) -> dict[str, Any]:
        """What a dashboard shows: equal dashboards give equal snapshots. JSON-able."""
        by_session: dict[str, list[Message]] = {}
        for message in (*self.messages.values(), *self.tables.duplicate_messages):
            by_session.setdefault(message.session_id, []).append(message)
        rows = [(row.external_id, row) for row in self.sessions.values()]
        rows += [
            (f"{row.external_id} (duplicate {index})", row)
            for index, row in enumerate(self.tables.duplicate_sessions, 1)
        ]
        return {
            "sessions": {
                name: _shown_session(row)
                | {"messages": [_shown_message(message) for message in _ordered(by_session.get(row.id, ()))]}
                for name, row in sorted(rows, key=lambda named: named[0])
            }
        }

    def _authenticate(self, path: str, headers: Mapping[str, str]) -> None:
        given = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        if given == f"Bearer {self.key}":
            return
        if given.startswith("Bearer osk_"):
            raise _RefusedError(401, "Invalid API key")
        if path == "/sync/sessions/list":
            raise _RefusedError(401, "Invalid API key format")
        bearer = given.startswith("Bearer ")
        raise _RefusedError(401, "Invalid or expired token" if bearer else "Missing Authorization header")

    def _post_session(self, _query: Mapping[str, list[str]], body: bytes) -> Any:
        sent = self._read(body, "externalId")
        names = (name for name in ("externalId", "sessionId") if _js_true(sent.get(name)))
        external_id = next((sent[name] for name in names), None)
        if external_id is None:
            raise _RefusedError(400, "Missing externalId or sessionId")
        arguments = {name: sent[name] for name in SESSION.optional if name in sent}
        arguments["externalId"] = external_id
        check_arguments(arguments, SESSION)
        row = self.tables.upsert_session(arguments)
        self.counters.embedding_jobs += 1
        return {"ok": True, "sessionId": row.id}

    def _post_message(self, _query: Mapping[str, list[str]], body: bytes) -> Any:
        sent = self._read(body, "sessionExternalId")
        known = (*MESSAGE.required, *MESSAGE.optional)
        arguments = {name: sent[name] for name in known if name in sent}
        check_arguments(arguments, MESSAGE)
        return {"ok": True, "messageId": self.tables.upsert_message(arguments).id}

    def _post_batch(self, _query: Mapping[str, list[str]], body: bytes) -> Any:
        sent = self._read(body, "sessions")
        stored = {"sessions": 0, "messages": 0}
        errors: list[str] = []
        refused_list = False
        for name, validator, write in (
            ("sessions", self._batch_session, self.tables.batch_sessions),
            ("messages", self._batch_message, self.tables.batch_messages),
        ):
            items: Any = sent.get(name)
            if not _js_length(items):
                continue
            try:
                check_batch(name, items, validator)
                batched = write(items)
            except RefusedValueError as refused:
                refused_list = True
                errors.append(f"{name.capitalize()} batch error: {refused}")
            else:
                stored[name] = batched.inserted + batched.updated
                errors += batched.errors
        self.counters.refused_batches += refused_list
        return {"ok": True, **stored, "errors": errors}

    def _list_ids(self, _query: Mapping[str, list[str]], _body: bytes) -> Any:
        _check_read(sessions=len(self._all_sessions()))
        return {"sessionIds": [row.external_id for row in self._all_sessions()]}

    def _list_sessions(self, query: Mapping[str, list[str]], _body: bytes) -> Any:
        whole = _INTEGER.match(query.get("limit", ["50"])[0])
        limit = int(whole[1]) if whole else -1
        if limit < 0:
            raise RefusedValueError("TypeError: Arg 1 `n` to `take` must be a non-negative integer")
        _check_read(sessions=min(limit, len(self._all_sessions())))
        newest_first = sorted(self._all_sessions(), key=lambda row: (row.updated_at, row.id), reverse=True)
        return {"sessions": [_read_session(row) for row in newest_first[:limit]]}

    def _get_session(self, query: Mapping[str, list[str]], _body: bytes) -> Any:
        wanted = query.get("id", [""])[0]
        if not wanted:
            raise _RefusedError(400, "Missing session ID")
        if not _ID.fullmatch(wanted):
            raise RefusedValueError(
                "Error: ArgumentValidationError: Value does not match validator.\nPath: .sessionId\n"
                f'Value: "{wanted}"\nValidator: v.id("sessions")'
            )
        row = next((row for row in self._all_sessions() if row.id == wanted), None)
        if row is None:
            raise _RefusedError(404, "Session not found")
        rows = (*self.messages.values(), *self.tables.duplicate_messages)
        messages = _ordered(message for message in rows if message.session_id == row.id)
        _check_read(messages=len(messages))
        return {"session": _read_session(row), "messages": [_read_message(message) for message in messages]}

    def _search(self, query: Mapping[str, list[str]], _body: bytes) -> Any:
        """Sessions whose search text holds one of the words, those with the most of them first."""
        wanted = query.get("q", [""])[0]
        if not wanted:
            raise _RefusedError(400, "Missing query parameter 'q'")
        words = set(_WORD.findall(wanted.lower()))
        held = (
            (words & set(_WORD.findall((row.searchable_text or "").lower())), row)
            for row in self._all_sessions()
        )
        ranked = sorted(
            ((len(common), row) for common, row in held if common), key=lambda hit: (-hit[0], hit[1].id)
        )
        limit = int(query.get("limit", ["20"])[0])
        return {"results": [_read_session(row) for _count, row in ranked[:limit]]}

    def _all_sessions(self) -> list[Session]:
        return sorted((*self.sessions.values(), *self.tables.duplicate_sessions), key=lambda row: row.id)

    def _read(self, body: bytes, first_field: str) -> dict[str, Any]:
        """The body as the handler sees it: whatever is no object has no fields, but `null` throws."""
        try:
            check_request_size(body)
        except RefusedValueError:
            self.counters.bodies_too_large += 1
            raise
        text = body.decode("utf-8", "replace").removeprefix("\ufeff")
        try:
            sent = json.loads(
                text, parse_int=js_number, parse_float=js_number, parse_constant=_refuse_constant
            )
        except ValueError as error:
            raise RefusedValueError(f"SyntaxError: {error}") from error
        except RecursionError as error:
            raise RefusedValueError("Error: Value is too nested (maximum nesting 64)") from error
        if sent is None:
            raise RefusedValueError(f"TypeError: Cannot read properties of null (reading '{first_field}')")
        return sent if isinstance(sent, dict) else {}


def _check_read(*, sessions: int = 0, messages: int = 0) -> None:
    """A function may read 16 MiB, of which a session's row takes some 10 kB, and 4,096 ranges of an index."""
    if sessions > MOST_SESSIONS:
        raise RefusedValueError("Error: Too many bytes read in a single function execution (limit: 16777216)")
    if messages > MOST_MESSAGES:
        raise RefusedValueError("Error: Too many reads in a single function execution (limit: 4096)")


def _refuse_constant(literal: str) -> float:
    raise ValueError(f"Unexpected token '{literal[0]}', {literal} is not valid JSON")


def _js_true(value: Any) -> bool:
    """As JavaScript sees it: empty arrays and objects are true."""
    return isinstance(value, list | dict) or bool(value)


def _js_length(value: Any) -> bool:
    """Whether JavaScript finds `value.length > 0`."""
    if isinstance(value, dict):
        length = value.get("length")
        return is_number(length) and length > 0
    return isinstance(value, list | str) and len(value) > 0


def _ordered(messages: Iterable[Message]) -> list[Message]:
    """As every dashboard shows them: by createdAt, then as they were inserted."""
    return sorted(messages, key=lambda row: (row.created_at, row.id))


def _shown_session(row: Session) -> dict[str, Any]:
    return {
        "title": row.title,
        "projectPath": row.project_path,
        "projectName": row.project_name,
        "model": row.model,
        "provider": row.provider,
        "source": row.source,
        "promptTokens": row.prompt_tokens,
        "completionTokens": row.completion_tokens,
        "cost": row.cost,
        "durationMs": row.duration_ms,
        "createdAt": row.created_at,
        "messageCount": row.message_count,
    }


def _shown_message(row: Message) -> dict[str, Any]:
    return {
        "externalId": row.external_id,
        "role": row.role,
        "textContent": row.text_content,
        "model": row.model,
        "promptTokens": row.prompt_tokens,
        "completionTokens": row.completion_tokens,
        "durationMs": row.duration_ms,
        "createdAt": row.created_at,
        "parts": [dict(part) for part in row.parts],
    }


def _read_session(row: Session) -> dict[str, Any]:
    shown = {"id": row.id, "externalId": row.external_id, **_shown_session(row)}
    del shown["source"]
    shown |= {"totalTokens": row.total_tokens, "isPublic": False, "updatedAt": row.updated_at}
    return {name: value for name, value in shown.items() if value is not None}


def _read_message(row: Message) -> dict[str, Any]:
    shown = {"id": row.id, **_shown_message(row)}
    return {name: value for name, value in shown.items() if value is not None}
