"""The API in OpenAPI's words, with the limits that hold; a test sends what it allows and what it does not."""

from collections.abc import Mapping, Sequence
from typing import Any

from pi_opensync import __version__
from pi_opensync.dashboard.show import document, recall
from pi_opensync.dashboard.web.fields import MAX_ID, MAX_NUMBER, MAX_PARTS, MAX_TIME_MS, ROLES
from pi_opensync.dashboard.web.received import MAX_BATCH
from pi_opensync.opensync.answers import OWN_SERVER

Schema = Mapping[str, Any]

_NOT_SAID: Schema = {"const": ""}
_TEXT: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": MAX_NUMBER}
_FLAG: Schema = {"type": ["boolean", "null"]}
_MOMENT: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "maximum": MAX_TIME_MS,
    "description": "Unix milliseconds",
}
_DURATION: Schema = {"type": ["number", "null"], "maximum": MAX_NUMBER, "description": "milliseconds"}
_ID: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID}
_COUNTS: Schema = {
    "promptTokens": _NUMBER,
    "completionTokens": _NUMBER,
    "cacheReadTokens": _NUMBER,
    "cacheWriteTokens": _NUMBER,
    "cost": {**_NUMBER, "description": "US dollars"},
    "durationMs": _DURATION,
    "createdAt": _MOMENT,
}
_SPENT: Schema = {
    "type": ["array", "null"],
    "maxItems": MAX_PARTS,
    "items": {
        "type": "object",
        "properties": {
            "at": _MOMENT,
            "model": _TEXT,
            "kind": _TEXT,
            "promptTokens": _NUMBER,
            "completionTokens": _NUMBER,
            "cost": _NUMBER,
        },
    },
}
_PART: Schema = {
    "type": "object",
    "required": ["type", "content"],
    "properties": {"type": {"type": "string", "minLength": 1}, "content": {}},
}
_SESSION_IN: Schema = {
    "type": "object",
    "required": ["externalId"],
    "properties": {
        "externalId": _ID,
        **dict.fromkeys(("source", "title", "projectPath", "projectName", "model", "provider"), _TEXT),
        **_COUNTS,
        "parentExternalId": _TEXT,
        "isSubagent": _FLAG,
        "machine": _TEXT,
        "repositoryPath": _TEXT,
        "file": _TEXT,
        "spent": _SPENT,
    },
}
_MESSAGE_IN: Schema = {
    "type": "object",
    "required": ["sessionExternalId", "externalId", "role"],
    "properties": {
        "sessionExternalId": _ID,
        "externalId": _ID,
        "role": {"enum": list(ROLES)},
        **dict.fromkeys(("source", "textContent", "model", "entryId", "parentEntryId"), _TEXT),
        **_COUNTS,
        "parts": {"type": ["array", "null"], "maxItems": MAX_PARTS, "items": _PART},
    },
}
_BATCH_IN: Schema = {
    "type": "object",
    "properties": {
        name: {
            "type": ["array", "null"],
            "maxItems": MAX_BATCH,
            "items": {"$ref": f"#/components/schemas/{of}"},
        }
        for name, of in (("sessions", "SessionIn"), ("messages", "MessageIn"))
    },
}
_SESSION: Schema = {
    "type": "object",
    "required": [
        "id",
        "externalId",
        "promptTokens",
        "completionTokens",
        "totalTokens",
        "cost",
        "messageCount",
        "createdAt",
        "updatedAt",
    ],
    "properties": {
        **{name: {"type": "string"} for name in ("id", "externalId", "source", "title", "model", "provider")},
        **{name: {"type": "string"} for name in ("projectPath", "projectName", "parentId", "machine")},
        **{name: {"type": "integer"} for name in ("promptTokens", "completionTokens", "totalTokens")},
        **{name: {"type": "integer"} for name in ("cacheReadTokens", "cacheWriteTokens", "durationMs")},
        **{name: {"type": "integer"} for name in ("messageCount", "createdAt", "updatedAt")},
        "cost": {"type": "number"},
        "isPublic": {"const": False},
    },
}
_MESSAGE: Schema = {
    "type": "object",
    "required": ["id", "externalId", "role", "createdAt", "parts"],
    "properties": {
        **{name: {"type": "string"} for name in ("id", "externalId", "textContent", "model")},
        **{name: {"type": "integer"} for name in ("promptTokens", "completionTokens", "cacheReadTokens")},
        **{name: {"type": "integer"} for name in ("cacheWriteTokens", "durationMs", "createdAt")},
        "role": {"enum": list(ROLES)},
        "cost": {"type": "number"},
        "parts": {"type": "array", "items": _PART},
    },
}


def _object(required: Sequence[str], **properties: Any) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


def _array(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_STRINGS: Schema = {"type": "array", "items": {"type": "string"}}
_SAID: Schema = _object(("role", "content"), role={"enum": list(ROLES)}, content={"type": "string"})
_ERROR: Schema = _object(("error",), error={"type": "string"}, field={"type": "string"})
_OK: Schema = {"const": True}


def _answers(schema: Schema, *statuses: int) -> dict[str, Any]:
    said = {
        401: "No key, or one that is not known",
        400: "What was sent can not be taken",
        404: "There is none",
        413: "More than 64 MiB",
    }
    errors = {
        str(status): {"description": said[status], "content": {"application/json": {"schema": _ERROR}}}
        for status in (*statuses, 401)
    }
    return {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}} | errors


def _query(name: str, what: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "description": what, "required": required, "schema": schema}


def _get(what: str, answers: Mapping[str, Any], *parameters: Schema) -> Schema:
    return {"get": {"summary": what, "parameters": list(parameters), "responses": answers}}


def _post(what: str, body: str, answers: Mapping[str, Any]) -> Schema:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
    return {
        "post": {"summary": what, "requestBody": {"required": True, "content": content}, "responses": answers}
    }


def _limit(usual: int) -> Schema:
    return _query(
        "limit",
        f"At most so many; {usual} unless said",
        {"anyOf": [_NOT_SAID, {"type": "integer", "minimum": 1}]},
    )


def _one_of(name: str, choices: Sequence[str]) -> Schema:
    return _query(name, f"{choices[0]} unless said", {"enum": ["", *choices]})


_DIGITS: Schema = {"type": "string", "pattern": "^[0-9]+$", "maxLength": 18}
_ID_ASKED = _query("id", "A session's `id`", _DIGITS, required=True)
_WORDS_ASKED = _query("q", "What is looked for", {"type": "string", "pattern": r"\S"}, required=True)
_DAY: Schema = {"anyOf": [_NOT_SAID, {"type": "string", "format": "date"}]}

_PATHS: Schema = {
    "/health": {
        "get": {
            "summary": "Whether the server and its database are well",
            "security": [],
            "responses": _answers(
                _object(
                    ("status", "timestamp", "server"),
                    status={"const": "ok"},
                    timestamp={"type": "integer"},
                    server={"const": OWN_SERVER},
                )
            ),
        }
    },
    "/sync/session": _post(
        "Make or change a session",
        "SessionIn",
        _answers(
            _object(("ok", "sessionId"), ok=_OK, sessionId={"type": "string"}, ignored=_STRINGS), 400, 413
        ),
    ),
    "/sync/message": _post(
        "Make or change a message",
        "MessageIn",
        _answers(
            _object(("ok", "messageId"), ok=_OK, messageId={"type": "string"}, ignored=_STRINGS), 400, 413
        ),
    ),
    "/sync/batch": _post(
        "Make or change many: all of it is kept, or none",
        "BatchIn",
        _answers(
            _object(
                ("ok", "sessions", "messages", "errors"),
                ok=_OK,
                sessions={"type": "integer"},
                messages={"type": "integer"},
                errors={"type": "array", "maxItems": 0},
            ),
            400,
            413,
        ),
    ),
    "/sync/sessions/list": _get(
        "The `externalId` of every session", _answers(_object(("sessionIds",), sessionIds=_STRINGS))
    ),
    "/api/sessions": _get(
        "The newest sessions",
        _answers(_object(("sessions",), sessions=_array("Session"), deleted=_STRINGS), 400),
        _limit(50),
    ),
    "/api/sessions/get": _get(
        "A session with its messages",
        _answers(
            _object(
                ("session", "messages"),
                session={"$ref": "#/components/schemas/Session"},
                messages=_array("Message"),
            ),
            400,
            404,
        ),
        _ID_ASKED,
    ),
    "/api/search": _get(
        "Sessions that hold the words",
        _answers(_object(("results",), results=_array("Session"), problems=_STRINGS), 400),
        _WORDS_ASKED,
        _limit(20),
    ),
    "/api/context": _get(
        "The last messages of sessions that hold the words, for a model to read",
        _answers(
            _object(
                ("sessionCount",),
                sessionCount={"type": "integer"},
                text={"type": "string"},
                messages={"type": "array", "items": _SAID},
            ),
            400,
        ),
        _WORDS_ASKED,
        _limit(5),
        _one_of("format", recall.FORMATS),
    ),
    "/api/stats": _get(
        "Sums over whole sessions",
        _answers(
            _object(
                ("sessionCount", "messageCount", "totalTokens", "totalCost", "totalDurationMs", "modelUsage"),
                **{name: {"type": "integer"} for name in ("sessionCount", "messageCount", "totalTokens")},
                totalCost={"type": "number"},
                totalDurationMs={"type": "integer"},
                modelUsage={"type": "object"},
            )
        ),
    ),
    "/api/numbers": _get(
        "What the page of numbers shows, each message on its own day",
        _answers(_object(("total", "periods", "projects", "models", "sources", "tools", "budgets")), 400),
        _query("first", "The first day", _DAY),
        _query("last", "The last day, not before the first", _DAY),
        _one_of("days", ("30", "7", "90", "365", "all")),
        *(
            _query(name, f"Of one {name} alone", {"type": "string"})
            for name in ("project", "model", "source", "machine")
        ),
        _query(
            "worktrees", "`together`: what worktrees took counts for their repository", {"type": "string"}
        ),
    ),
    "/api/export": _get(
        "A session as a file",
        _answers({}, 400, 404)
        | {"200": {"description": "Done", "content": {kind: {} for kind in document.FORMATS.values()}}},
        _ID_ASKED,
        _one_of("format", tuple(document.FORMATS)),
    ),
}

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "pi-opensync",
        "version": __version__,
        "description": "The API of OpenSync, of a dashboard of one's own.",
    },
    "security": [{"key": []}],
    "paths": _PATHS,
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "osk_..."}},
        "schemas": {
            "SessionIn": _SESSION_IN,
            "MessageIn": _MESSAGE_IN,
            "BatchIn": _BATCH_IN,
            "Session": _SESSION,
            "Message": _MESSAGE,
        },
    },
}
