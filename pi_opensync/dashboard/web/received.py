"""What may come in: sessions and messages as OpenSync's plugins send them, checked field by field.

Optional fields may be absent, null or an empty string, which all mean the same. Fields that OpenSync does not
know are not an error; they are named in the answer.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from pi_opensync.dashboard.incoming import MessageIn, SessionIn, SpentIn
from pi_opensync.dashboard.web.fields import (
    MAX_ID,
    MAX_NAME,
    MAX_TIME_MS,
    Fields,
    PayloadError,
    clean,
    finite,
    is_moment,
)

MAX_BATCH = 5000

_T = TypeVar("_T")


SESSION_FIELDS = frozenset(
    [
        "externalId",
        "sessionId",
        "source",
        "title",
        "projectPath",
        "projectName",
        "model",
        "provider",
        "promptTokens",
        "completionTokens",
        "totalTokens",
        "cacheReadTokens",
        "cacheWriteTokens",
        "cost",
        "durationMs",
        "createdAt",
        "messageCount",
        "parentExternalId",
        "isSubagent",
        "file",
        "machine",
        "repositoryPath",
        "spent",
    ]
)
MESSAGE_FIELDS = frozenset(
    [
        "sessionExternalId",
        "externalId",
        "role",
        "source",
        "textContent",
        "model",
        "promptTokens",
        "completionTokens",
        "cacheReadTokens",
        "cacheWriteTokens",
        "cost",
        "durationMs",
        "createdAt",
        "parts",
        "entryId",
        "parentEntryId",
    ]
)


def decode(body: bytes) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises PayloadError for anything else, also for NaN and nesting that is too deep.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise PayloadError("", f"The body is not JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise PayloadError("", "The body must be a JSON object.")
    return value


def session_from(data: Any, at: str = "") -> SessionIn:
    """Return a session of `/sync/session` or `/sync/batch`. Raises PayloadError."""
    fields = Fields(data, at)
    return SessionIn(
        external_id=fields.identity("externalId", "sessionId"),
        source=fields.source(),
        title=fields.text("title", MAX_NAME),
        project_path=fields.text("projectPath", MAX_NAME),
        project_name=fields.text("projectName", MAX_NAME),
        model=fields.text("model", MAX_ID),
        provider=fields.text("provider", MAX_ID),
        prompt_tokens=fields.count("promptTokens"),
        completion_tokens=fields.count("completionTokens"),
        cache_read_tokens=fields.count("cacheReadTokens"),
        cache_write_tokens=fields.count("cacheWriteTokens"),
        cost=fields.number("cost"),
        duration_ms=fields.duration(),
        created_at=fields.moment(),
        parent_external_id=fields.text("parentExternalId", MAX_ID),
        is_subagent=fields.flag("isSubagent"),
        file=fields.text("file", MAX_NAME),
        machine=fields.text("machine", MAX_ID),
        repository_path=fields.text("repositoryPath", MAX_NAME),
        spent=_spent(fields.objects("spent")),
    )


def message_from(data: Any, at: str = "") -> MessageIn:
    """Return a message of `/sync/message` or `/sync/batch`. Raises PayloadError."""
    fields = Fields(data, at)
    return MessageIn(
        session_external_id=fields.identity("sessionExternalId"),
        external_id=fields.identity("externalId"),
        role=fields.role(),
        source=fields.source(),
        text_content=fields.text("textContent", None),
        model=fields.text("model", MAX_ID),
        prompt_tokens=fields.count("promptTokens"),
        completion_tokens=fields.count("completionTokens"),
        cache_read_tokens=fields.count("cacheReadTokens"),
        cache_write_tokens=fields.count("cacheWriteTokens"),
        cost=fields.number("cost"),
        duration_ms=fields.duration(),
        created_at=fields.moment(),
        parts=fields.parts(),
        entry_id=fields.text("entryId", MAX_ID),
        parent_entry_id=fields.text("parentEntryId", MAX_ID),
    )


def _spent(items: list[Fields] | None) -> tuple[SpentIn, ...] | None:
    if items is None:
        return None
    return tuple(
        SpentIn(
            at=item.count("at", MAX_TIME_MS) or 0,
            model=item.text("model", MAX_ID) or "",
            kind=item.text("kind", MAX_ID) or "",
            prompt_tokens=item.count("promptTokens") or 0,
            completion_tokens=item.count("completionTokens") or 0,
            cost=item.number("cost") or 0.0,
        )
        for item in items
    )


def batch_from(data: dict[str, Any]) -> tuple[list[SessionIn], list[MessageIn], list[PayloadError]]:
    """Return the sessions and messages of `/sync/batch`, and what is wrong with the others.

    Raises PayloadError if one of the two is no list, or too long.
    """
    errors: list[PayloadError] = []
    sessions = _each(data, "sessions", session_from, errors)
    messages = _each(data, "messages", message_from, errors)
    return sessions, messages, errors


def ignored_in(data: dict[str, Any], *, message: bool) -> list[str]:
    """Return the names of the fields that were sent and are not stored, cleaned for the answer."""
    known = MESSAGE_FIELDS if message else SESSION_FIELDS
    return sorted(
        clean(name)[:MAX_ID] for name in data if name not in known and not is_moment(name, data[name])
    )[:50]


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _each(
    data: dict[str, Any], name: str, read: Callable[[Any, str], _T], errors: list[PayloadError]
) -> list[_T]:
    items = data.get(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise PayloadError(name, "must be a list")
    if len(items) > MAX_BATCH:
        raise PayloadError(name, f"at most {MAX_BATCH} at a time")
    good = []
    for index, item in enumerate(items):
        try:
            good.append(read(item, f"{name}[{index}]"))
        except PayloadError as error:
            errors.append(error)
    return good
