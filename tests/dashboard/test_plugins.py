"""The shapes that OpenSync's public plugins send, each taken whole and shown under its own source.

What pi-opensync-plugin, droid-sync and opencode-sync-plugin send was recorded from them (`record.py`); the
other shapes are from the plugins' documentation and from OpenSync's own dashboard, which draws them.
"""

import json
from typing import Any

import pytest

from tests.dashboard.conftest import START, Local
from tests.dashboard.record import read


def page_of(local: Local, external_id: str) -> str:
    (row,) = (row for row in local.get("/api/sessions")["sessions"] if row["externalId"] == external_id)
    return local.page(f"/sessions/{row['id']}")


def replay(local: Local, name: str, repeat: int = 1) -> None:
    """Post what a plugin posted, as often as asked, and see that each request is taken whole."""
    for request in read(name) * repeat:
        answer = local.post(request["path"], request["body"])
        assert (answer["ok"], answer.get("errors", []), "ignored" in answer) == (True, [], False)


@pytest.mark.parametrize("repeat", [1, 2])
def test_pi_opensync_plugin(local: Local, repeat: int) -> None:
    """Version 0.2.0 in pi 0.58.4: a turn with two tools, another, a new name, a fork that is resumed."""
    replay(local, "pi-opensync-plugin", repeat)
    fork, parent = local.get("/api/sessions")["sessions"]
    assert (parent["title"], parent["source"], parent["messageCount"]) == ("A look around", "pi", 7)
    assert (fork["parentId"], fork["messageCount"]) == (parent["id"], 7)
    page = local.page(f"/sessions/{parent['id']}")
    for expected in (
        "Running it.",
        "The tools are done.",
        "ls -a",
        "echo done",
        "Reply to: Thanks, <strong>",
    ):
        assert page.count(expected) >= 1, expected
    assert page.count("<summary><b>bash</b>") == 2
    assert page.count("<summary>Thinking</summary>") == 4
    assert page.count('<p class="label">Result</p>') == 2
    page = local.page(f"/sessions/{fork['id']}")
    places = [page.index(said) for said in ("Which files", "Reply to: Another way?", "Reply to: Back again.")]
    assert places == sorted(places)


@pytest.mark.parametrize("repeat", [1, 2])
def test_droid_sync(local: Local, repeat: int) -> None:
    """Version 0.1.0: two turns of one session, with three tools, each a message of its own without a date."""
    replay(local, "droid-sync", repeat)
    (row,) = local.get("/api/sessions")["sessions"]
    assert (row["source"], row["title"]) == ("factory-droid", "Repair the parser")
    assert (row["promptTokens"], row["completionTokens"], row["durationMs"]) == (1500, 400, 25000)
    assert row["messageCount"] == 8
    page = local.page(f"/sessions/{row['id']}")
    said = [
        "Factory Droid",
        "Repair the <strong>parser</strong>",
        "I read it first.",
        "<b>Read</b> <span>/home/user/src/webapp/parser.py</span>",
        "<b>Execute</b> <span>python -m pytest -q</span>",
        "<b>Edit</b>",
        '<i class="sign">+</i>return 1',
        "It is repaired.",
        "And the tests?",
        "They pass.",
    ]
    places = [page.index(words) for words in said]
    assert places == sorted(places)


@pytest.mark.parametrize("repeat", [1, 2])
def test_opencode_sync_plugin_sends_no_source_and_plain_text(local: Local, repeat: int) -> None:
    """Version 0.3.6: its `sync`, `sync --all` and `sync --force`, then a session as OpenCode tells of it."""
    replay(local, "opencode-sync-plugin", repeat)
    rows = {row["externalId"]: row for row in local.get("/api/sessions")["sessions"]}
    old, new = rows["ses_old1"], rows["ses_new1"]
    assert (old["title"], old["source"], old["messageCount"]) == ("Earlier work", "opencode", 2)
    assert old["cost"] == 0.0125
    assert (new["title"], new["totalTokens"], new["model"]) == ("Explain the build", 960, "claude-sonnet-4-5")
    page = page_of(local, "ses_new1")
    assert page.index("Explain the build</p>") < page.index("<strong>make</strong>")


def test_cursor_sync_as_its_documentation_describes_it(local: Local) -> None:
    """Tools are messages of their own, told in a line or as JSON; the time is called `timestamp`."""
    session = "c7e5a3b1-cursor"
    edit = {"tool": "file_edit", "path": "src/config.ts", "edits": [{"old": "let a", "new": "const a"}]}
    told = [
        ("user", "Fix the config", {"type": "text", "content": "Fix the config"}),
        ("tool", "npm install", {"type": "tool_use", "content": "shell: npm install"}),
        (
            "tool",
            "Edited: src/config.ts\n\n- let a\n+ const a",
            {"type": "tool_use", "content": json.dumps(edit)},
        ),
        ("assistant", "Done, **all** of it.", {"type": "text", "content": "Done, **all** of it."}),
    ]
    for number, (role, text, part) in enumerate(told):
        message = {
            "sessionExternalId": session,
            "externalId": f"{session}-{number}",
            "source": "cursor-sync",
            "role": role,
            "textContent": text,
            "parts": [part],
            "timestamp": START - 60_000 + number,
        }
        assert "ignored" not in local.post("/sync/message", message)
    local.post(
        "/sync/session",
        {"externalId": session, "source": "cursor-sync", "title": "Fix the config", "projectName": "webapp"},
    )
    (row,) = local.get("/api/sessions")["sessions"]
    assert (row["source"], row["messageCount"]) == ("cursor-sync", 4)
    messages = local.stored(row["id"])[1]
    assert [message["createdAt"] for message in messages] == [START - 60_000 + number for number in range(4)]
    page = local.page(f"/sessions/{row['id']}")
    assert page.count("npm install") == 2  # as what tells most of the call, and among its arguments
    for expected in (
        "Cursor",
        "<b>shell</b>",
        "<b>file_edit</b>",
        '<i class="sign">-</i>let a',
        '<i class="sign">+</i>const a',
        "<strong>all</strong>",
    ):
        assert expected in page
    assert "<li>" not in page.split('id="messages"')[1]


def test_codex_sync_as_its_documentation_describes_it(local: Local) -> None:
    session = "7f9f9a2e-1b3c-4c7a-9b0e-000000000000"
    local.post(
        "/sync/session",
        {
            "externalId": session,
            "source": "codex-cli",
            "projectPath": "/home/user/src/webapp",
            "model": "gpt-5-codex",
            "startedAt": START - 90_000,
            "promptTokens": 5000,
            "completionTokens": 500,
            "cost": 0.0098,
        },
    )
    arguments = '{"command": ["bash", "-lc", "cat main.ts"]}'
    parts = [
        {"type": "text", "content": "I look at it."},
        {"type": "tool-call", "content": {"name": "shell", "arguments": arguments, "call_id": "call_123"}},
        {"type": "tool-result", "content": {"call_id": "call_123", "output": "let x = 1"}},
    ]
    local.message(session, "m1", role="user", textContent="Fix the bug", source="codex-cli")
    local.message(session, "m2", parts=parts, source="codex-cli")
    (row,) = local.get("/api/sessions")["sessions"]
    assert (row["source"], row["projectName"], row["createdAt"]) == ("codex-cli", "webapp", START - 90_000)
    page = local.page(f"/sessions/{row['id']}")
    for expected in ("Codex CLI", "Fix the bug", "I look at it.", "<b>shell</b>", "cat main.ts", "let x = 1"):
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
    for expected in ("Claude Code", "<b>Edit</b>", "a.py", "done", 'class="line added"'):
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
