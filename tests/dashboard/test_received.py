"""Whatever comes in, the answer says which field is wrong, and the server goes on."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pi_opensync.dashboard.parts import MAX_DEPTH
from pi_opensync.dashboard.web.fields import MAX_PARTS, PayloadError
from pi_opensync.dashboard.web.received import MAX_BATCH, batch_from, decode, message_from, session_from
from tests.dashboard.conftest import Local

GOOD = {"sessionExternalId": "s1", "externalId": "a", "role": "user"}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sessionExternalId": None}, "sessionExternalId"),
        ({"sessionExternalId": 5}, "sessionExternalId"),
        ({"externalId": ""}, "externalId"),
        ({"externalId": "x" * 513}, "externalId"),
        ({"externalId": ["a"]}, "externalId"),
        ({"role": None}, "role"),
        ({"role": "robot"}, "role"),
        ({"role": {"a": 1}}, "role"),
        ({"textContent": 5}, "textContent"),
        ({"textContent": ["a"]}, "textContent"),
        ({"model": {}}, "model"),
        ({"promptTokens": "5"}, "promptTokens"),
        ({"promptTokens": -1}, "promptTokens"),
        ({"promptTokens": True}, "promptTokens"),
        ({"completionTokens": 10**16}, "completionTokens"),
        ({"durationMs": "fast"}, "durationMs"),
        ({"createdAt": "2026-01-01"}, "createdAt"),
        ({"createdAt": -5}, "createdAt"),
        ({"createdAt": 10**15}, "createdAt"),
        ({"parts": {}}, "parts"),
        ({"parts": "text"}, "parts"),
        ({"parts": [1]}, "parts[0]"),
        ({"parts": [{"content": "x"}]}, "parts[0].type"),
        ({"parts": [{"type": "", "content": "x"}]}, "parts[0].type"),
        ({"parts": [{"type": "text", "content": "x"}, {"type": "text"}]}, "parts[1].content"),
        ({"parts": [{"type": "text", "content": nested(MAX_DEPTH + 1)}]}, "parts[0].content"),
        ({"parts": [{"type": "text", "content": "x"}] * (MAX_PARTS + 1)}, "parts"),
        ({"source": 7}, "source"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    local: Local, change: dict[str, Any], field: str
) -> None:
    answer = local.post("/sync/message", {**GOOD, **change}, status=400)
    assert (answer["field"], answer["error"].startswith(field)) == (field, True)
    assert local.get("/sync/sessions/list")["sessionIds"] == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "externalId"),
        ({"externalId": None, "sessionId": None}, "externalId"),
        ({"sessionId": 4}, "sessionId"),
        ({"externalId": "s", "cost": "1"}, "cost"),
        ({"externalId": "s", "cost": False}, "cost"),
        ({"externalId": "s", "title": 1}, "title"),
    ],
)
def test_a_wrong_session_is_named(local: Local, data: Any, field: str) -> None:
    assert local.post("/sync/session", data, status=400)["field"] == field


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff\xfe{}",
        b'{"externalId": "\xff"}',
        b'{"externalId": "s", "cost": NaN}',
        b'{"externalId": "s", "cost": Infinity}',
        b'{"externalId": "s", "cost": 1e999}',
        b'{"externalId": "s", "cost": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"externalId=s&title=x",
        b"<xml/>",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("path", ["/sync/session", "/sync/message", "/sync/batch"])
def test_a_body_that_is_no_json_object_is_refused(local: Local, path: str, body: bytes) -> None:
    assert local.post(path, body, status=400)["error"]
    assert local.get("/api/stats")["sessionCount"] == 0


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"sessions": {}}, "sessions"),
        ({"messages": "all"}, "messages"),
        ({"messages": [GOOD] * (MAX_BATCH + 1)}, "messages"),
        ({"sessions": [None]}, "sessions[0]"),
        ({"messages": [GOOD, {**GOOD, "parts": [{"type": "text"}]}]}, "messages[1].parts[0].content"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_batch_is_named(local: Local, data: Any, field: str) -> None:
    assert local.post("/sync/batch", data, status=400)["field"] == field


def test_an_empty_batch_is_fine(local: Local) -> None:
    assert local.post("/sync/batch", {}) == {"ok": True, "sessions": 0, "messages": 0, "errors": []}


def test_a_body_over_the_limit_is_refused_before_it_is_read(local: Local) -> None:
    headers = {**local.bearer, "content-length": str(10**12)}
    answer = local.ask("POST", "/sync/message", content=b"{}", headers=headers)
    assert (answer.status_code, "64" in answer.json()["error"] or "bytes" in answer.json()["error"]) == (
        413,
        True,
    )


def test_a_very_large_message_is_stored_whole(local: Local) -> None:
    text = "0123456789 " * 500_000
    local.message("s1", "a", textContent=text, parts=[{"type": "tool-result", "content": text}])
    _, (message,) = local.stored(local.session("s1"))
    assert (len(message["textContent"]), message["parts"][0]["content"] == text) == (len(text), True)


def test_a_negative_duration_counts_as_none() -> None:
    assert session_from({"externalId": "s", "durationMs": -5}).duration_ms == 0


def test_a_long_title_is_cut_and_cursor_has_its_new_name() -> None:
    session = session_from({"externalId": "s", "title": "x" * 10_000, "source": "cursor"})
    assert (len(session.title or ""), session.source) == (4096, "cursor-sync")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    [
        "sessionExternalId",
        "externalId",
        "sessionId",
        "role",
        "source",
        "title",
        "textContent",
        "model",
        "promptTokens",
        "completionTokens",
        "cost",
        "durationMs",
        "createdAt",
        "parts",
        "sessions",
        "messages",
    ]
)


@given(st.dictionaries(_NAMES | st.text(max_size=5), _JSON, max_size=8))
@settings(max_examples=200)
def test_no_json_raises_anything_but_a_payload_error(data: dict[str, Any]) -> None:
    for read in (session_from, message_from, batch_from):
        with contextlib.suppress(PayloadError):
            read(decode(json.dumps(data).encode()))


@given(data=st.dictionaries(_NAMES, _JSON, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_stops_the_server(local: Local, data: dict[str, Any]) -> None:
    for path in ("/sync/session", "/sync/message", "/sync/batch"):
        body = json.dumps({"externalId": "s", "sessionExternalId": "s", "role": "user", **data}).encode()
        answer = local.ask("POST", path, content=body, headers=local.bearer)
        assert answer.status_code in (200, 400), answer.text
    local.page("/")
