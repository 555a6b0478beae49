"""What other programs send is stored without its secrets; what our own daemon sends is not touched again."""

import secrets
from typing import Any

import pytest

from pi_opensync.dashboard.web.application import create_app
from pi_opensync.privacy.cleaner import WITHHELD, Cleaner
from pi_opensync.privacy.redact import Redactor
from tests.dashboard.conftest import Local
from tests.privacy.traces import written

SECRET = "ghp_" + secrets.token_hex(18)


@pytest.fixture
def cleaning(local: Local) -> Local:
    """A server that cleans, asked by another program's key."""
    local.app = create_app(local.store, local.keys, now=local.clock, clean=Cleaner(Redactor(), whole=True))
    local.key = local.keys.issue("plugin")
    return local


def message(**fields: Any) -> dict[str, Any]:
    return {"sessionExternalId": "s", "externalId": "m", "role": "assistant"} | fields


@pytest.mark.parametrize("way", ["/sync/message", "/sync/batch"])
def test_no_secret_of_another_program_is_stored(cleaning: Local, way: str) -> None:
    parts = [
        {"type": "text", "content": f"the token is {SECRET}."},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": [f"echo {SECRET}"]}}},
        {"type": "tool_result", "content": [{"text": SECRET}]},
    ]
    sent = message(textContent=f"the token is {SECRET}.", model=SECRET, parts=parts)
    session = {
        "externalId": "s",
        "title": f"Use {SECRET}",
        "projectPath": f"/src/{SECRET}",
        "model": SECRET,
        "provider": SECRET,
    }
    if way == "/sync/batch":
        cleaning.post(way, {"sessions": [session], "messages": [sent]})
    else:
        cleaning.post("/sync/session", session)
        cleaning.post(way, sent)
    stored = cleaning.get("/api/sessions/get?id=1")
    assert SECRET not in str(stored)
    assert str(stored).count("[REDACTED:") >= 9
    assert stored["messages"][0]["parts"][0]["content"].startswith("the token is [REDACTED:")
    assert cleaning.get(f"/api/search?q={SECRET}")["results"] == []
    with cleaning.store.read() as database:
        content = written(database.path)
    assert b"REDACTED" in content
    assert SECRET.removeprefix("ghp_").encode() not in content


def test_a_value_found_once_is_gone_from_the_whole_message(cleaning: Local) -> None:
    value = secrets.token_urlsafe(18) + "7"
    parts = [
        {"type": "text", "content": f"then {value} was used"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"api_key": value}}},
        {"type": "tool-result", "content": f"echo: {value}"},
    ]
    cleaning.post("/sync/message", message(textContent=f"then {value} was used", parts=parts))
    assert value not in str(cleaning.get("/api/sessions/get?id=1"))


def test_what_the_own_daemon_sends_is_not_redacted_twice(cleaning: Local) -> None:
    cleaning.key = cleaning.keys.issue_for_this_run()
    cleaning.post("/sync/message", message(textContent=SECRET))
    assert cleaning.get("/api/sessions/get?id=1")["messages"][0]["textContent"] == SECRET


def test_nothing_is_redacted_where_the_user_does_not_want_it(local: Local) -> None:
    local.key = local.keys.issue("plugin")
    local.post("/sync/message", message(textContent=SECRET))
    assert local.get("/api/sessions/get?id=1")["messages"][0]["textContent"] == SECRET


def test_a_long_text_is_stored_whole_and_without_its_secrets(cleaning: Local) -> None:
    text = "some words " * 150_000 + SECRET + " more words" * 150_000
    cleaning.post("/sync/message", message(textContent=text, parts=[{"type": "text", "content": text}]))
    (stored,) = cleaning.get("/api/sessions/get?id=1")["messages"]
    assert SECRET not in str(stored)
    assert len(stored["textContent"]) > len(text) - 20
    assert stored["parts"][0]["content"] == stored["textContent"]


def test_what_can_not_be_redacted_is_withheld(local: Local) -> None:
    class Broken:
        def text(self, value: str) -> str:
            raise RuntimeError(value)

        def json(self, value: object) -> object:
            raise RuntimeError(value)

    local.app = create_app(local.store, local.keys, now=local.clock, clean=Cleaner(Broken(), whole=True))
    local.key = local.keys.issue("plugin")
    parts = [{"type": "tool-call", "content": {"toolName": "bash"}}]
    local.post("/sync/message", message(textContent="words", parts=parts))
    (stored,) = local.get("/api/sessions/get?id=1")["messages"]
    assert (stored["textContent"], stored["parts"][0]["content"]) == (WITHHELD, WITHHELD)
