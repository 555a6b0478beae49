"""What can not be redacted is parked, never sent as it is; what comes after it goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.daemon import chosen
from pi_opensync.privacy.cleaner import WITHHELD
from pi_opensync.privacy.redact import Finding, OverBudget, Redactor
from pi_opensync.privacy.redact.engine import Meter
from pi_opensync.privacy.redact.learned import LearnedValues
from pi_opensync.store.parked import parked, retry
from tests.harness import START, World, entry, header, line, result, said, session_id
from tests.privacy.traces import everywhere

THEN = START - 86_400.0
BAD = "tricky-words"
ID = session_id("a")


class Failing(Redactor):
    """Gives up where it meets the bad words, quoting them."""

    error: type[Exception] = OverBudget

    def scan(
        self, value: str, meter: Meter | None = None, known: LearnedValues | None = None
    ) -> tuple[str, tuple[Finding, ...]]:
        if BAD in value:
            raise self.error(f"too costly: {value}")
        return super().scan(value, meter, known)


@pytest.fixture(params=[OverBudget, ValueError, MemoryError], ids=lambda kind: kind.__name__)
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(Failing, "error", request.param)
    monkeypatch.setattr(chosen, "redactor", lambda _settings: Failing())
    with World(tmp_path, tool_calls=True, thinking=True) as made:
        yield made


def arguments(value: Any) -> list[dict[str, Any]]:
    return [{"type": "toolCall", "id": "c", "name": "bash", "arguments": value}]


def nested(text: str) -> bytes:
    """A call with arguments that are nested more deeply than Python walks, before the text."""
    value = "[" * 800 + "]" * 800
    call = f'{{"type":"toolCall","id":"c","name":"bash","arguments":{{"a":{value}}}}}'
    message = said("assistant", "", THEN + 2, content=["@", {"type": "text", "text": text}])
    return line(message).replace(b'"@"', call.encode())


ENTRIES: dict[str, Any] = {
    "user": said("user", f"one {BAD}", THEN + 2),
    "assistant": said("assistant", f"one {BAD}", THEN + 2),
    "thinking": said("assistant", "", THEN + 2, content=[{"type": "thinking", "thinking": BAD}]),
    "arguments": said("assistant", "", THEN + 2, content=arguments({"a": [BAD]})),
    "key of arguments": said("assistant", "", THEN + 2, content=arguments({BAD: 1})),
    "orphan result": result("none", BAD, THEN + 2),
    "error": said("assistant", "", THEN + 2, stopReason="error", errorMessage=BAD),
    "compaction": entry(THEN + 2, type="compaction", summary=BAD),
    "deeply nested": nested(BAD),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_it_is_parked_with_its_reason_and_the_next_are_delivered(world: World, kind: str) -> None:
    world.append("a.jsonl", header("a", THEN), said("user", "before", THEN + 1), ENTRIES[kind])
    world.append("a.jsonl", said("user", "after", THEN + 30))
    world.append("b.jsonl", header("b", THEN), said("user", "other", THEN + 1))
    world.sync()
    assert world.texts(ID) == ["before", "after"]
    assert world.texts(session_id("b")) == ["other"]
    (row,) = parked(world.engine.database)
    assert row.kind == "message"
    assert row.reason == WITHHELD
    assert row.can_be_retried
    assert world.tally().messages_parked == 1
    assert [place for place, text in everywhere(world).items() if BAD in text] == []


def test_retry_sends_only_the_marker(world: World) -> None:
    world.append("a.jsonl", header("a", THEN), said("user", "before", THEN + 1))
    world.append("a.jsonl", said("user", BAD, THEN + 2))
    world.sync()
    assert retry(world.engine.database, None, world.clock.now()) == 1
    world.sync()
    assert world.texts(ID) == ["before", WITHHELD]
    world.restart()
    world.sync()
    assert world.tally().messages_parked == 0
    assert [place for place, text in everywhere(world).items() if BAD in text] == []


def test_a_title_and_a_folder_that_can_not_be_redacted_are_withheld(world: World) -> None:
    world.append("a.jsonl", header("a", THEN, cwd=f"/srv/{BAD}"), said("user", "hi", THEN + 1))
    world.append("a.jsonl", entry(THEN + 2, type="session_info", name=BAD))
    world.sync()
    row = world.opensync.sessions[ID]
    assert row.title == WITHHELD
    assert row.project_path == WITHHELD
    assert world.texts(ID) == ["hi"]
    assert BAD not in everywhere(world)["requests"]


def test_a_call_that_was_withheld_stays_parked_when_its_result_comes(world: World) -> None:
    world.append("a.jsonl", header("a", THEN), said("user", "before", THEN + 1))
    world.append("a.jsonl", said("assistant", "", THEN + 2, content=arguments({"a": BAD})))
    world.append("a.jsonl", result("c", "fine", THEN + 3))
    world.sync()
    assert world.texts(ID) == ["before"]
    assert [row.reason for row in parked(world.engine.database)] == [WITHHELD]


def test_a_result_that_is_withheld_leaves_what_was_sent_of_its_call(world: World) -> None:
    world.append("a.jsonl", header("a", THEN), said("assistant", "look", THEN + 1, calls=[("c", "ls")]))
    world.sync()
    world.append("a.jsonl", result("c", BAD, THEN + 3), said("user", "after", THEN + 4))
    world.sync()
    assert world.texts(ID) == ["look", "after"]
    assert [row.reason for row in parked(world.engine.database)] == [WITHHELD]
    assert [place for place, text in everywhere(world).items() if BAD in text] == []


def test_a_text_over_budget_is_parked_by_the_real_redactor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi_opensync.privacy.redact.redactor._MOST_PASSES", 0)
    with World(tmp_path) as world:
        secret = "gh" + "p_" + "a1B2" * 9
        world.append("a.jsonl", header("a", THEN), said("user", f"{BAD} {secret}", THEN + 1))
        world.sync()
        assert [row.reason for row in parked(world.engine.database)] == [WITHHELD]
        assert [place for place, text in everywhere(world).items() if BAD in text] == []
