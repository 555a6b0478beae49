"""A client that nobody here wrote: claude-code-sync from npm, whose hooks Claude Code would call."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import Local

pytestmark = pytest.mark.slow

LOCK = Path(__file__).parent / "npm" / "claude-code-sync"
SESSION = "0f8b1c5e-1111-4222-8333-444455556666"


def absent(reason: str) -> None:
    if os.environ.get("PI_OPENSYNC_REQUIRE_NPM") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        absent("npm is not installed")
    folder = tmp_path_factory.mktemp("npm") / "claude-code-sync"
    shutil.copytree(LOCK, folder)
    done = subprocess.run(
        [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        absent(f"npm could not install claude-code-sync: {done.stderr[-300:]}")
    return [str(node), str(folder / "node_modules/claude-code-sync/dist/cli.js")]


@pytest.fixture
def hook(program: list[str], url: str, local: Local, tmp_path: Path) -> Callable[[str, dict[str, Any]], None]:
    """Log in by the program's configuration file, and give what Claude Code does: call a hook with JSON."""
    config = tmp_path / ".config/claude-code-sync/config.json"
    config.parent.mkdir(parents=True)
    config.write_text(
        json.dumps({"convexUrl": url, "apiKey": local.key, "autoSync": True, "syncToolCalls": True})
    )

    def call(event: str, data: dict[str, Any]) -> None:
        done = subprocess.run(
            [*program, "hook", event],
            input=json.dumps({"session_id": SESSION, **data}),
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == ""

    return call


def transcript(path: Path) -> Path:
    usage = {
        "input_tokens": 100,
        "output_tokens": 40,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 10,
    }
    entries = [
        {
            "type": "user",
            "uuid": "u1",
            "timestamp": "2026-05-28T10:00:00Z",
            "cwd": "/src/webapp",
            "slug": "tidy-otter",
        },
        {
            "type": "assistant",
            "uuid": "a1",
            "timestamp": "2026-05-28T10:01:00Z",
            "message": {
                "model": "claude-sonnet-4-20250514",
                "usage": usage,
                "content": [{"type": "text", "text": "I **ran** it.\n\n```python\nx = 1\n```"}],
            },
        },
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_a_session_of_claude_code_appears_whole_under_its_own_source(
    hook: Callable[[str, dict[str, Any]], None], local: Local, tmp_path: Path
) -> None:
    hook("SessionStart", {"cwd": "/src/webapp", "source": "startup", "model": "claude-sonnet-4-20250514"})
    hook("UserPromptSubmit", {"prompt": "Run the tests, please <b>now</b>"})
    hook(
        "PostToolUse",
        {
            "tool_name": "Bash",
            "tool_use_id": "toolu_01",
            "tool_input": {"command": "make test"},
            "tool_result": {"output": "3 passed"},
            "duration_ms": 1200,
        },
    )
    hook("Stop", {"transcript_path": str(transcript(tmp_path / "t.jsonl"))})
    hook(
        "SessionEnd", {"transcript_path": str(tmp_path / "t.jsonl"), "reason": "clear", "cwd": "/src/webapp"}
    )

    (row,) = local.get("/api/sessions")["sessions"]
    session, messages = local.stored(row["id"])
    assert session["externalId"] == SESSION
    assert (session["source"], session["title"], session["projectName"]) == (
        "claude-code",
        "tidy-otter",
        "webapp",
    )
    assert (session["promptTokens"], session["completionTokens"], session["durationMs"]) == (1010, 40, 60_000)
    assert session["cost"] > 0
    assert [message["role"] for message in messages] == ["user", "assistant", "assistant"]
    page = local.page(f"/sessions/{row['id']}")
    for expected in (
        "Claude Code",
        "Run the tests, please &lt;b&gt;now&lt;/b&gt;",
        "<b>Bash</b> <span>make test</span>",
        '<pre class="plain">3 passed</pre>',
        "<strong>ran</strong>",
    ):
        assert page.count(expected) == 1, expected


def test_its_connection_test_passes(program: list[str], url: str, local: Local, tmp_path: Path) -> None:
    done = subprocess.run(
        [*program, "synctest"],
        env={
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "CLAUDE_SYNC_CONVEX_URL": url,
            "CLAUDE_SYNC_API_KEY": local.key,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert local.get("/api/sessions")["sessions"][0]["title"] == "Connection Test"
