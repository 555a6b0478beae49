"""Subagents of real extensions: each a session of its own, linked to the one it works for, paid for once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.real_pi.machine import (
    Machine,
    entries,
    same_money,
    wait_for_texts,
    whole_cost,
)
from tests.real_pi.process import Installed, RealPi
from tests.standin.backend import OpenSync

pytest_plugins = ("tests.real_pi.fixtures",)

pytestmark = pytest.mark.slow


def asked(words: str, **call: Any) -> str:
    """A prompt that makes the model call the extension's tool."""
    return f"{words}\nCALL: subagent {json.dumps(call)}"


@contextmanager
def pi_with(machine: Machine, version: Installed, extension: str) -> Iterator[RealPi]:
    """A pi with that npm package's extension, which may start other pis by name."""
    package = version.packages / extension
    described = json.loads((package / "package.json").read_text())
    version.compiled.mkdir(exist_ok=True)
    variables = {
        "PATH": f"{version.node.parent}:{version.cli.parent}:/usr/bin:/bin",
        "TMPDIR": str(version.compiled),
    }
    files = [package / path for path in described["pi"]["extensions"]]
    with machine.pi(version, extensions=files, variables=variables) as pi:
        yield pi


def results(transcript: Path) -> list[dict[str, Any]]:
    messages = [entry.get("message", {}) for entry in entries(transcript)]
    return [message for message in messages if message.get("role") == "toolResult"]


def test_a_subagent_is_linked_to_its_parent_and_paid_for_once(
    machine: Machine, opensync: OpenSync, newest_pi: Installed
) -> None:
    """The extension puts the child's usage on the parent's tool result as well."""
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with pi_with(machine, newest_pi, "pi-subagents") as pi:
            pi.prompt(asked("Ask the scout", agent="scout", task="Find the login page", **{"async": False}))
            parent = pi.session_file()
            pi.prompt("Thank you")
        (result,) = results(parent)
        child = Path(result["details"]["results"][0]["sessionFile"])
        assert result["usage"]["cost"]["total"] > 0
        assert "parentSession" not in entries(child)[0]

        wait_for_texts(opensync, "Ask the scout", "Find the login page", "Reply to: Thank you")
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    parent_id, child_id = entries(parent)[0]["id"], entries(child)[0]["id"]
    assert set(opensync.sessions) == {parent_id, child_id}
    assert opensync.sessions[child_id].title == f"[Subagent::{parent_id[:8]}] Find the login page"
    assert opensync.sessions[child_id].cost == same_money(machine.paid(child_id))
    assert whole_cost(opensync) == same_money(machine.paid())
    assert machine.differences() == []
    transcripts = [path.name for path in machine.transcripts()]
    assert any(name.endswith("_transcript.jsonl") for name in transcripts)
    assert "broken" not in machine.cli("status").out


def test_subagents_side_by_side_in_a_row_and_in_the_background_are_each_paid_for_once(
    machine: Machine, opensync: OpenSync, newest_pi: Installed
) -> None:
    """An older extension: its children are processes, and the parent's tool results have no usage."""
    tests = {"agent": "scout", "task": "Look at the tests"}
    docs = {"agent": "worker", "task": "Look at the docs"}
    now = {"async": False, "clarify": False}
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with pi_with(machine, newest_pi, "pi-subagents-0.34") as pi:
            pi.prompt(asked("Side by side", tasks=[tests, docs], **now))
            pi.prompt(asked("In a row", chain=[{**tests, "task": "Look at the first step"}, docs], **now))
            pi.prompt(asked("Later", agent="scout", task="Look around", **{"async": True, "clarify": False}))
            parent = pi.session_file()
            wait_until(lambda: b"subagent-notify" in parent.read_bytes(), "the end of the background task")
        named = [
            Path(child["sessionFile"]) for result in results(parent) for child in result["details"]["results"]
        ]
        assert len(named) == 4
        wait_for_texts(opensync, "Side by side", "Look at the first step", "Look around")
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    parent_id = entries(parent)[0]["id"]
    fresh = [path for path in machine.transcripts() if path.name == "session.jsonl"]
    forks = [path for path in named if path not in fresh]
    assert (len(fresh), len(forks)) == (3, 2)
    assert set(opensync.sessions) == {entries(path)[0]["id"] for path in (parent, *fresh, *forks)}
    prefix = f"[Subagent::{parent_id[:8]}] "
    shown = [opensync.sessions[entries(path)[0]["id"]].title or "" for path in (*fresh, *forks)]
    assert sorted(shown) == [
        prefix + task
        for task in (
            "Look around",
            "Look at the docs",
            "Look at the docs",
            "Look at the first step",
            "Look at the tests",
        )
    ]
    assert not any("---" in title for title in shown)
    assert whole_cost(opensync) == same_money(machine.paid())
    assert machine.differences() == []
