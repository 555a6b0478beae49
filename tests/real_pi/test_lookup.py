"""A real pi looks up what was done in an earlier session: over MCP, and with the skill of the docs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT, blocks
from tests.real_pi.home import agent_dir, environment
from tests.real_pi.machine import Machine, entries
from tests.real_pi.model import StubModel
from tests.real_pi.process import Installed

pytest_plugins = ("tests.real_pi.fixtures",)

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs/mcp.md"
DONE_BEFORE = "The basket was off by a cent"


@pytest.fixture
def path(machine: Machine, newest_pi: Installed) -> str:
    """PATH of a user who has installed pi-opensync."""
    programs = machine.home / "bin"
    programs.mkdir()
    program = programs / "pi-opensync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pi_opensync "$@"\n')
    program.chmod(0o755)
    return f"{programs}:{environment(machine.home, newest_pi.node)['PATH']}"


@pytest.fixture
def earlier(machine: Machine, newest_pi: Installed) -> str:
    """The id of a session that was held before."""
    machine.say_once(newest_pi, DONE_BEFORE)
    (transcript,) = machine.transcripts()
    found: str = entries(transcript)[0]["id"]
    return found


def pi_commands() -> Iterator[list[str]]:
    """What the page tells to type for pi."""
    for block in blocks(PAGE, "sh"):
        yield from (line.split() for line in block.lines if line.startswith("pi "))


def results(machine: Machine, tool: str) -> list[str]:
    """What a tool answered to pi, in any session."""
    found = []
    for transcript in machine.transcripts():
        for entry in entries(transcript):
            message = entry.get("message", {})
            if message.get("role") == "toolResult" and message.get("toolName") == tool:
                found.append("\n".join(part["text"] for part in message["content"]))
    return found


def test_pi_finds_an_earlier_session_over_mcp(
    machine: Machine, newest_pi: Installed, stub_model: StubModel, path: str, earlier: str
) -> None:
    env = environment(machine.home, newest_pi.node) | {"PATH": path}
    said = ""
    for _pi, *arguments in pi_commands():
        done = subprocess.run(
            [newest_pi.node, newest_pi.cli, *arguments],
            cwd=machine.project,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout
    assert "search_sessions" in said
    asked = 'CALL: mcp__sessions__search_sessions {"words": ["basket", "cent"]}'
    with machine.pi(newest_pi, variables={"PATH": path}) as pi:
        pi.prompt(asked)
        pi.prompt(f'CALL: mcp__sessions__read_session {{"session": "{earlier}"}}')
    (found,) = results(machine, "mcp__sessions__search_sessions")
    assert earlier in found
    (read,) = results(machine, "mcp__sessions__read_session")
    assert DONE_BEFORE in read
    offered = {tool["function"]["name"] for tool in stub_model.requests[-1]["tools"]}
    assert "mcp__sessions__search_sessions" in offered


def test_the_skill_of_the_docs_is_offered_and_its_commands_work_in_pi(
    machine: Machine, newest_pi: Installed, stub_model: StubModel, path: str, earlier: str
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (skill,) = re.findall(
        r"^```markdown\n(---\nname: past-sessions\n.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    folder = agent_dir(machine.home) / "skills/past-sessions"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(skill)
    commands = re.findall(r"`(pi-opensync [^`]+)`", skill)
    named = [line.replace("WORDS", "basket cent").replace("ID", earlier) for line in commands]
    assert len(named) >= 3
    with machine.pi(newest_pi, variables={"PATH": path}) as pi:
        pi.prompt("\n".join(f"TOOL: {line}" for line in named))
    system = json.dumps(stub_model.requests[-1]["messages"][0])
    assert "past-sessions" in system
    assert str(folder / "SKILL.md") in system
    search, show, *rest = results(machine, "bash")
    assert earlier in search
    assert DONE_BEFORE in show
    assert all(rest)
