"""The shapes that OpenSync's public plugins send, each taken whole and shown under its own source.

Read from their sources and from the list of shapes in OpenSync's own dashboard, which draws them.
"""

from typing import Any

import pytest

from tests.local.conftest import START, Local

PI = {
    "externalId": "01a1f87e-3b5e-7387-8bf1-0df43b4b852e",
    "source": "pi",
    "projectPath": "/home/user/src/webapp",
    "projectName": "webapp",
    "title": "[Fork::01a1f87e] Untitled",
    "model": "m",
    "provider": "p",
    "promptTokens": 5,
    "completionTokens": 2,
    "totalTokens": 7,
    "cost": 0.5,
    "messageCount": 3,
    "durationMs": 900,
}


def page_of(local: Local, external_id: str) -> str:
    (row,) = (row for row in local.get("/api/sessions")["sessions"] if row["externalId"] == external_id)
    return local.page(f"/sessions/{row['id']}")


def test_pi_opensync_plugin(local: Local) -> None:
    assert "ignored" not in local.post("/sync/session", PI)
    session = PI["externalId"]
    parts = [
        {"type": "text", "content": "<thinking>\nhm\n</thinking>\n\nI look."},
        {"type": "thinking", "content": "hm"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "ls"}}},
        {"type": "tool-result", "content": "a.py"},
    ]
    assistant = {
        "sessionExternalId": session,
        "externalId": f"{session}-assistant-{START}",
        "role": "assistant",
        "createdAt": START,
        "textContent": "<thinking>\nhm\n</thinking>\n\nI look.",
        "model": "m",
        "promptTokens": 5,
        "completionTokens": 2,
        "parts": parts,
    }
    user = {
        "sessionExternalId": session,
        "externalId": f"{session}-user-{START - 1}",
        "role": "user",
        "createdAt": START - 1,
        "textContent": "Look.",
    }
    local.post("/sync/batch", {"sessions": [], "messages": [user, assistant]})
    page = page_of(local, str(session))
    for expected in ("Look.", "I look.", "<b>bash</b>", "a.py", ">hm<", ">pi<"):
        assert page.count(expected) == 1, expected


def test_opencode_sync_plugin_sends_no_source_and_plain_text(local: Local) -> None:
    local.post(
        "/sync/message",
        {"sessionExternalId": "ses_1", "externalId": "msg_1", "role": "user", "textContent": "Hi"},
    )
    local.post(
        "/sync/session",
        {
            "externalId": "ses_1",
            "title": "Untitled Session",
            "promptTokens": 0,
            "completionTokens": 0,
            "cost": 0,
        },
    )
    local.post(
        "/sync/session",
        {
            "externalId": "ses_1",
            "title": "Real title",
            "projectPath": "/p/x",
            "projectName": "x",
            "promptTokens": 9,
            "cost": 0.1,
        },
    )
    page = page_of(local, "ses_1")
    for expected in ("Real title", "OpenCode", "Hi", "$0.10"):
        assert expected in page


def test_claude_code_sync(local: Local) -> None:
    answer = local.post(
        "/sync/session",
        {
            "externalId": "c1",
            "source": "claude-code",
            "title": "T",
            "messageCount": 2,
            "toolCallCount": 1,
            "endReason": "other",
        },
    )
    assert answer["ignored"] == ["endReason", "toolCallCount"]
    tool = {
        "sessionExternalId": "c1",
        "externalId": "toolu_1",
        "role": "assistant",
        "source": "claude-code",
        "parts": [
            {
                "type": "tool-call",
                "content": {
                    "toolName": "Edit",
                    "args": {"file_path": "a.py", "old_string": "1", "new_string": "2"},
                },
            },
            {"type": "tool-result", "content": "done"},
        ],
    }
    local.post("/sync/message", tool)
    page = page_of(local, "c1")
    for expected in ("Claude Code", "<b>Edit</b>", "a.py", "done", "c-gi"):
        assert expected in page


@pytest.mark.parametrize(
    ("sent", "stored", "label"),
    [
        ("codex-cli", "codex-cli", "Codex CLI"),
        ("cursor", "cursor-sync", "Cursor"),
        ("cursor-sync", "cursor-sync", "Cursor"),
        ("factory-droid", "factory-droid", "Factory Droid"),
        ("something-new", "something-new", "something-new"),
    ],
)
@pytest.mark.parametrize("first", ["session", "message"])
def test_every_source_keeps_its_name_whichever_comes_first(
    local: Local, sent: str, stored: str, label: str, first: str
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/sync/session", {"sessionId": "s1", "source": sent, "title": "T"}),
        (
            "/sync/message",
            {
                "sessionExternalId": "s1",
                "externalId": "m",
                "role": "user",
                "source": sent,
                "textContent": "Hi",
            },
        ),
    ]
    for path, data in calls if first == "session" else reversed(calls):
        local.post(path, data)
    (row,) = local.get("/api/sessions")["sessions"]
    assert (row["source"], row["title"], row["messageCount"]) == (stored, "T", 1)
    assert label in page_of(local, "s1")


def test_parts_as_objects_of_every_plugin(local: Local) -> None:
    parts = [
        {"type": "text", "content": {"text": "from text"}},
        {"type": "text", "content": {"content": "from content"}},
        {"type": "tool-call", "content": {"name": "shell", "arguments": '{"command":["bash","-lc","make"]}'}},
        {"type": "tool-result", "content": {"output": "from output"}},
        {"type": "tool-call", "content": {"name": "edit_file", "input": {"filePath": "b.py"}}},
        {"type": "tool-result", "content": {"result": {"edits": 3}}},
        {"type": "reasoning", "content": {"text": "from reasoning"}},
    ]
    local.message("s1", "m", parts=parts)
    page = page_of(local, "s1")
    for expected in (
        "from text",
        "from content",
        "<b>shell</b>",
        "make",
        "from output",
        "edit_file",
        "b.py",
        "edits",
        "from reasoning",
    ):
        assert expected in page
