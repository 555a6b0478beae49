"""`mcp` as an agent uses it: a process, and the protocol's own client."""

import asyncio
import json
import sys
import time
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.conftest import Cli, new_key
from tests.harness import header, line, said, session_id

pytestmark = pytest.mark.slow


@pytest.fixture
def home(fresh_cli: Cli) -> Cli:
    fresh_cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(fresh_cli.home / "sessions")
    (fresh_cli.home / "sessions").mkdir()
    begun = time.time() - 60
    call = {
        "type": "toolCall",
        "id": "c1",
        "name": "edit",
        "arguments": {"path": "/src/shop/cart.py", "text": "a cent"},
    }
    for name, cwd in (("a", "/src/shop"), ("b", "/src/client")):
        lines = (
            header(name, begun, cwd=cwd),
            said("user", f"the total of {name} is off by a cent", begun + 1),
            said("assistant", "", begun + 2, content=[{"type": "text", "text": "Mended."}, call]),
        )
        (fresh_cli.home / "sessions" / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    return fresh_cli


def ask(cli: Cli, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What the tools answer, one process for all of them."""

    async def asked() -> list[Any]:
        words = ["-m", "pi_opensync", "mcp"]
        command = StdioServerParameters(
            command=sys.executable, args=words, env=cli.environment(), cwd=str(cli.home)
        )
        async with Client(command) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(asked())


def said_by(answer: Any) -> str:
    return "\n".join(block.text for block in answer.content)


def test_an_agent_finds_a_session_and_reads_it_in_pieces(home: Cli) -> None:
    (found,) = ask(home, ("search_sessions", {"words": ["cent", "total"], "project": "/src/shop"}))
    assert session_id("a") in said_by(found)
    assert session_id("b") not in said_by(found)
    first, second, missing = ask(
        home,
        ("read_session", {"session": session_id("a"), "most": 40}),
        ("read_session", {"session": session_id("a"), "start": 40}),
        ("read_session", {"session": "nowhere"}),
    )
    assert "go on with start=40" in said_by(first)
    assert "Mended." in said_by(second)
    assert missing.is_error


def test_files_projects_and_usage_are_asked_for(home: Cli) -> None:
    touched, listed, used = ask(
        home,
        ("sessions_touching_file", {"path": "shop/cart.py", "project": "/src/shop"}),
        ("list_sessions", {"project": "/src/client"}),
        ("sum_up_usage", {}),
    )
    assert session_id("a") in said_by(touched)
    assert session_id("b") in said_by(listed)
    assert session_id("a") not in said_by(listed)
    assert not used.is_error


def test_secrets_and_excluded_projects_stay_out(home: Cli) -> None:
    home.variables["PI_OPENSYNC_EXCLUDE"] = "/src/client"
    key = new_key()
    begun = time.time() - 30
    lines = (header("c", begun, cwd="/src/shop"), said("user", f"a cent for {key}", begun + 1))
    (home.home / "sessions" / "c.jsonl").write_bytes(b"".join(map(line, lines)))
    answers = ask(
        home,
        ("search_sessions", {"words": ["cent"]}),
        ("list_sessions", {}),
        ("read_session", {"session": session_id("c")}),
        ("read_session", {"session": session_id("b")}),
    )
    everything = json.dumps([said_by(answer) for answer in answers])
    assert key not in everything
    assert "REDACTED" in everything
    assert "the total of b" not in everything
    assert "/src/client" not in everything
