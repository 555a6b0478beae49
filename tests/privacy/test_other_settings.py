"""Pause, preview, set a pattern, resume: what leaves is as the settings are when it leaves."""

from pathlib import Path
from typing import Any

import pytest

from pi_opensync.store.parked import retry
from tests.harness import START, World, header, result, said, session_id
from tests.privacy.traces import kept, requested
from tests.standin.faults import ErrorBefore

THEN = START - 86_400.0
ID = session_id("a")
WORDS = "hush-honey"
PATTERN = {"redact_patterns": ("hush-[a-z]+",)}
TOO_LARGE = ErrorBefore(500, b'{"error":"Error: Value is too large (1.2 MiB > maximum size 1 MiB)"}')


def choose(world: World, settings: dict[str, Any]) -> None:
    """Another process takes over, with other settings."""
    world.settings = world.settings.but(**settings)
    world.restart()


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        ({"redact_patterns": ()}, PATTERN, WORDS),
        ({"sync_thinking": True}, {"sync_thinking": False}, "hm"),
        ({"sync_tool_calls": True}, {"sync_tool_calls": False}, "ls"),
        ({"redact_emails": False}, {"redact_emails": True}, "ann@example.net"),
    ],
    ids=["a pattern", "thinking", "tool calls", "e-mail addresses"],
)
def test_what_waits(tmp_path: Path, before: dict[str, Any], after: dict[str, Any], gone: str) -> None:
    with World(tmp_path) as world:
        choose(world, before)
        blocks = [
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": f"{WORDS}, ann@example.net"},
            {"type": "toolCall", "id": "c", "name": "bash", "arguments": {"command": "ls"}},
        ]
        world.append("a.jsonl", header("a", THEN), said("user", "do", THEN + 1))
        world.append("a.jsonl", said("assistant", "", THEN + 2, content=blocks))
        world.sweep()
        world.read()
        assert world.tally().messages_waiting == 2
        choose(world, after)
        world.sync()
        assert world.texts(ID)[0] == "do"
        assert len(world.texts(ID)) == 2
        parts = str(world.snapshot())
        assert gone not in parts
        assert world.side_effects() == {}


def answer(call: str) -> dict[str, Any]:
    block = {"type": "toolCall", "id": call, "name": "bash", "arguments": {"command": f"echo {WORDS}"}}
    return said("assistant", "", THEN + 2, content=[block])


def test_what_is_parked_and_retried(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN), said("user", f"do {WORDS}", THEN + 1))
        world.fail(TOO_LARGE, lambda request: request.path == "/sync/message")
        world.sync()
        assert world.tally().messages_parked == 1
        world.fail(None)
        sent = len(world.transport.log)
        choose(world, PATTERN)
        retry(world.engine.database, None, world.clock.now())
        world.sync()
        assert WORDS not in requested(world.transport.log[sent:])
        assert len(world.texts(ID)) == 1


def test_a_title_that_was_sent_goes_under_the_new_settings(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN, cwd=f"/srv/{WORDS}"), said("user", f"do {WORDS}", THEN + 1))
        world.sync()
        assert WORDS in world.titles()[ID]
        choose(world, PATTERN)
        world.sync()
        assert WORDS not in world.titles()[ID]
        shown = world.snapshot()["sessions"][ID]
        # Its messages were sent before, and are as they were; the server's search finds them by their words.
        assert WORDS not in str({name: value for name, value in shown.items() if name != "messages"})


def test_what_waits_of_a_transcript_that_is_gone(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True, thinking=True) as world:
        thinking = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}]
        path = world.append("a.jsonl", header("a", THEN), said("user", f"do {WORDS}", THEN + 1), answer("c"))
        world.append("a.jsonl", said("assistant", "", THEN + 3, content=thinking))
        world.sweep()
        world.read()
        path.unlink()
        choose(world, PATTERN | {"sync_tool_calls": False, "sync_thinking": False})
        world.sync()
        assert WORDS not in requested(world.transport.log)
        for _ in range(2):  # sweeps, the second of which finds nothing written: the log is emptied
            world.engine.rest()
        assert WORDS not in kept(world.state)
        assert world.texts(ID) == ["do [REDACTED:user-pattern]", "", "so"]
        assert "tool-call" not in str(world.snapshot())


def test_a_call_whose_result_comes_later(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True) as world:
        world.append("a.jsonl", header("a", THEN), said("user", "do", THEN + 1), answer("c"))
        world.sync()
        sent = len(world.transport.log)
        choose(world, PATTERN)
        world.append("a.jsonl", result("c", "done", THEN + 60))
        world.sync()
        assert WORDS not in requested(world.transport.log[sent:])
        assert "done" in str(world.snapshot())
        assert WORDS not in str(world.snapshot())
