"""Pause, preview, set a pattern, resume: what leaves is as the settings are when it leaves."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import START, World, header, said, session_id
from tests.standin.faults import ErrorBefore

THEN = START - 86_400.0
ID = session_id("a")
WORDS = "hush-honey"
PATTERN = {"redact_patterns": ("hush-[a-z]+",)}
TOO_LARGE = ErrorBefore(500, b'{"error":"Error: Value is too large (1.2 MiB > maximum size 1 MiB)"}')


def choose(world: World, settings: dict[str, Any]) -> None:
    """Another process takes over, with other settings."""
    world.settings = world.settings.model_copy(update=settings)
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
