"""What a message of the assistant shows: text, thinking, calls, a bad end."""

from typing import Any

import pytest

from pi_opensync.model import Options
from pi_opensync.opensync.payloads import message_payload
from tests.fold.folding import (
    CALLS,
    EVERYTHING,
    HIDDEN,
    SESSION_ID,
    START,
    THINKING,
    Item,
    call,
    fold_entries,
    said,
    text,
    thinking,
    usage,
)

EVERY_WAY = pytest.mark.parametrize("options", [HIDDEN, CALLS, THINKING, EVERYTHING])


def payload(item: Item, options: Options = HIDDEN) -> dict[str, Any]:
    return message_payload(fold_entries(item, options=options).only, SESSION_ID)


def shown_text(item: Item, options: Options = HIDDEN) -> Any:
    return payload(item, options)["textContent"]


def parts(item: Item, options: Options = HIDDEN) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = payload(item, options)["parts"]
    return shown


def spoken(words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "content": words}]


def test_an_assistant_message_carries_model_tokens_and_duration() -> None:
    item = said(
        "assistant",
        [text("yes")],
        9,
        timestamp=START + 2_000,
        model="opus",
        provider="anthropic",
        usage=usage(100, 20, 0.5, read=30, write=4),
        stopReason="stop",
    )
    assert payload(item) == {
        "sessionExternalId": SESSION_ID,
        "externalId": f"{SESSION_ID}-assistant-{START + 2000}",
        "role": "assistant",
        "textContent": "yes",
        "source": "pi",
        "parts": spoken("yes"),
        "createdAt": START + 2_000,
        "model": "opus",
        "promptTokens": 134,
        "completionTokens": 20,
        "durationMs": 7_000,
    }


def test_a_negative_duration_is_left_out() -> None:
    assert "durationMs" not in payload(said("assistant", [text("x")], 1, timestamp=START + 1_001))
    assert payload(said("assistant", [text("x")], 1))["durationMs"] == 0


@pytest.mark.parametrize("missing", [{"timestamp": ...}, {"entry_fields": {"timestamp": ...}}])
def test_a_duration_needs_both_its_ends(missing: Item) -> None:
    assert "durationMs" not in payload(said("assistant", [text("x")], 1, **missing))


def test_the_texts_of_an_assistant_are_joined_and_empty_ones_left_out() -> None:
    assert shown_text(said("assistant", [text("one"), text(""), text("two")], 1)) == "one\ntwo"


@pytest.mark.parametrize("options", [HIDDEN, CALLS])
def test_thinking_is_hidden(options: Options) -> None:
    shown = payload(said("assistant", [thinking("secretly"), text("aloud")], 1), options)
    assert (shown["textContent"], shown["parts"]) == ("aloud", spoken("aloud"))


@pytest.mark.parametrize("options", [THINKING, EVERYTHING])
def test_thinking_is_shown_as_text_in_its_place(options: Options) -> None:
    content = [text("a"), thinking("b\nc"), thinking(""), text("d")]
    shown = payload(said("assistant", content, 1), options)
    assert shown["textContent"] == "a\n<thinking>\n\nb\nc\n\n</thinking>\n\nd"
    assert shown["parts"] == spoken("a\n<thinking>\n\nb\nc\n\n</thinking>\n\nd")


def test_a_part_is_a_run_of_text_and_thinking_or_a_call() -> None:
    content = [
        thinking("t"),
        text("a"),
        call("c", "read", path="x"),
        text("b"),
        text("c"),
        call("d"),
        call("e"),
    ]
    assert parts(said("assistant", content, 1), EVERYTHING) == [
        {"type": "text", "content": "<thinking>\n\nt\n\n</thinking>\n\na"},
        {"type": "tool-call", "content": {"toolName": "read", "args": {"path": "x"}}},
        {"type": "text", "content": "b\nc"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {}}},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {}}},
    ]


def test_calls_are_not_in_the_text() -> None:
    content = [text("a"), call("c", command="ls"), text("b")]
    assert shown_text(said("assistant", content, 1), CALLS) == "a\nb"
    assert payload(said("assistant", [call("c")], 1), CALLS)["textContent"] == ""


@pytest.mark.parametrize("options", [HIDDEN, THINKING])
def test_calls_are_hidden(options: Options) -> None:
    shown = payload(said("assistant", [text("a"), call("c"), text("b")], 1), options)
    assert shown["textContent"] == "a\nb"
    assert {part["type"] for part in shown["parts"]} == {"text"}


def test_a_call_without_arguments_has_none() -> None:
    bare = {"type": "toolCall", "id": "c", "name": "ls"}
    assert parts(said("assistant", [bare], 1), CALLS)[0]["content"] == {"toolName": "ls", "args": {}}


@pytest.mark.parametrize("arguments", ['{"torn": ', ["ls"], 7])
def test_arguments_that_are_no_object_are_kept_within_one(arguments: Any) -> None:
    broken = {"type": "toolCall", "id": "c", "name": "ls", "arguments": arguments}
    (part,) = parts(said("assistant", [broken], 1), CALLS)
    assert isinstance(part["content"]["args"], dict)
    assert arguments in part["content"]["args"].values()


@pytest.mark.parametrize(
    ("ending", "line"),
    [
        ({"stopReason": "error", "errorMessage": "rate limit"}, "[error: rate limit]"),
        ({"stopReason": "error"}, "[error]"),
        ({"stopReason": "error", "errorMessage": ""}, "[error]"),
        ({"stopReason": "aborted"}, "[aborted]"),
        ({"stopReason": "aborted", "errorMessage": "Request was aborted."}, "[aborted]"),
    ],
)
@EVERY_WAY
def test_a_bad_end_is_a_last_line(ending: Item, line: str, options: Options) -> None:
    shown = payload(said("assistant", [text("half")], 1, **ending), options)
    assert (shown["textContent"], shown["parts"]) == (f"half\n{line}", spoken(f"half\n{line}"))
    assert shown_text(said("assistant", [], 1, **ending), options) == line


def test_a_bad_end_stands_behind_the_calls() -> None:
    item = said("assistant", [text("a"), call("c")], 1, stopReason="aborted")
    assert [part["type"] for part in parts(item, CALLS)] == ["text", "tool-call", "text"]
    assert parts(item, CALLS)[-1]["content"] == "[aborted]"


@pytest.mark.parametrize("reason", ["stop", "length", "toolUse", "from_the_future", None, ...])
def test_any_other_end_adds_nothing(reason: Any) -> None:
    assert shown_text(said("assistant", [text("a")], 1, stopReason=reason, errorMessage="x")) == "a"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ([], EVERYTHING),
        ([text("")], EVERYTHING),
        ([thinking("t")], HIDDEN),
        ([thinking("t"), call("c")], HIDDEN),
        ([thinking("t")], CALLS),
        ([call("c")], THINKING),
        ([thinking(""), text("")], EVERYTHING),
        ([{"type": "from_the_future", "text": "x"}], EVERYTHING),
    ],
)
def test_an_assistant_message_with_nothing_to_show_is_none(content: Any, options: Options) -> None:
    assert not fold_entries(said("assistant", content, 1), options=options).messages
