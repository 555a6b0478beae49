"""What each kind of entry shows."""

import base64
from typing import Any

import pytest

from pi_opensync.model import Message, Options
from pi_opensync.opensync.payloads import message_payload
from tests.fold.folding import (
    CALLS,
    EVERYTHING,
    HIDDEN,
    SESSION_ID,
    START,
    THINKING,
    Folding,
    Item,
    encoded,
    entry,
    fold_entries,
    header,
    image,
    said,
    text,
    usage,
)

EVERY_WAY = pytest.mark.parametrize("options", [HIDDEN, CALLS, THINKING, EVERYTHING])


def one(item: Item, options: Options = HIDDEN) -> Message:
    return fold_entries(item, options=options).only


def shows_nothing(item: Item, options: Options) -> bool:
    return not fold_entries(item, options=options).messages


def payload(item: Item, options: Options = HIDDEN) -> dict[str, Any]:
    return message_payload(one(item, options), SESSION_ID)


def parts(item: Item, options: Options = HIDDEN) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = payload(item, options)["parts"]
    return shown


def spoken(words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "content": words}]


def test_both_options_are_off_by_default() -> None:
    assert Options() == Options(sync_tool_calls=False, sync_thinking=False)


# user


@pytest.mark.parametrize("content", ["hello", [text("hello")]])
@EVERY_WAY
def test_a_user_message_is_its_text(content: Any, options: Options) -> None:
    shown = payload(said("user", content, 1), options)
    assert shown == {
        "sessionExternalId": SESSION_ID,
        "externalId": f"{SESSION_ID}-user-{START + 1000}",
        "role": "user",
        "textContent": "hello",
        "source": "pi",
        "parts": spoken("hello"),
        "createdAt": START + 1000,
    }


def test_the_text_blocks_of_a_user_are_joined_with_newlines() -> None:
    assert one(said("user", [text("one"), text("two\n"), text("three")], 1)).text == "one\ntwo\n\nthree"


def test_an_image_is_a_line_in_its_place() -> None:
    data = base64.b64encode(bytes(1234)).decode()
    content = [text("look"), image(data), text("here")]
    shown = payload(said("user", content, 1))
    assert shown["textContent"] == "look\n[image: image/png, 1.2 kB]\nhere"
    assert shown["parts"] == spoken("look\n[image: image/png, 1.2 kB]\nhere")


def test_an_image_alone_is_a_message() -> None:
    data = base64.b64encode(bytes(912)).decode()
    assert one(said("user", [image(data, "image/webp")], 1)).text == "[image: image/webp, 912 B]"


def test_white_space_of_a_text_is_kept() -> None:
    assert one(said("user", "  a\n\n\tb  \n", 1)).text == "  a\n\n\tb  \n"


@pytest.mark.parametrize("content", ["", [], [text("")], None, 7, {}, [None, 7, "x", {}], [{"type": "text"}]])
def test_a_user_message_with_nothing_to_show_is_none(content: Any) -> None:
    assert shows_nothing(said("user", content, 1), EVERYTHING)


# bashExecution


def bash(output: str, **fields: Any) -> Item:
    return said("bashExecution", ..., 1, command="make test", output=output, **fields)


@pytest.mark.parametrize(
    ("output", "code", "shown"),
    [
        ("fine", 0, "fine"),
        ("fine\n", None, "fine\n"),
        ("bad", 2, "bad\n[exit code 2]"),
        ("bad\n", 2, "bad\n[exit code 2]"),
        ("", 127, "[exit code 127]"),
        ("killed", -9, "killed\n[exit code -9]"),
        ("", ..., ""),
    ],
)
@pytest.mark.parametrize("options", [CALLS, EVERYTHING])
def test_a_command_of_the_user_is_a_call_and_its_result(
    output: str, code: Any, shown: str, options: Options
) -> None:
    made = payload(bash(output, exitCode=code, cancelled=False, truncated=False), options)
    assert made["role"] == "tool"
    assert made["textContent"] == f"$ make test\n{shown}"
    assert made["parts"] == [
        {"type": "text", "content": "$ make test"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "make test"}}},
        {"type": "tool-result", "content": shown},
    ]


@pytest.mark.parametrize("options", [HIDDEN, THINKING])
def test_a_command_of_the_user_is_hidden_without_tool_calls(options: Options) -> None:
    assert shows_nothing(bash("fine"), options)


# custom


def custom_entries(content: Any, display: Any) -> list[Item]:
    return [
        entry("custom_message", 1, customType="note", content=content, display=display),
        said("custom", content, 1, customType="note", display=display),
        said("hookMessage", content, 1, customType="note", display=display),
    ]


@EVERY_WAY
@pytest.mark.parametrize("content", ["noted", [text("noted")]])
def test_a_custom_message_on_display_is_of_the_system(content: Any, options: Options) -> None:
    for item in custom_entries(content=content, display=True):
        shown = payload(item, options)
        assert (shown["role"], shown["textContent"], shown["parts"]) == ("system", "noted", spoken("noted"))


@EVERY_WAY
@pytest.mark.parametrize("display", [False, None, ..., 1, "true"])
def test_a_custom_message_not_on_display_is_none(display: Any, options: Options) -> None:
    for item in custom_entries(content="noted", display=display):
        assert shows_nothing(item, options)


def test_a_custom_message_without_text_is_none() -> None:
    for item in custom_entries(content=[], display=True):
        assert shows_nothing(item, EVERYTHING)


# summaries


@EVERY_WAY
@pytest.mark.parametrize(
    ("kind", "title"), [("compaction", "[Compaction summary]"), ("branch_summary", "[Branch summary]")]
)
def test_a_summary_is_of_the_system_below_its_title(kind: str, title: str, options: Options) -> None:
    shown = payload(entry(kind, 5, summary="We did\nthings."), options)
    assert shown["role"] == "system"
    assert shown["textContent"] == f"{title}\n\nWe did\nthings."
    assert shown["parts"] == spoken(f"{title}\n\nWe did\nthings.")
    assert shown["createdAt"] == START + 5_000


@pytest.mark.parametrize("summary", ["", None, ..., 7])
def test_an_empty_summary_is_none(summary: Any) -> None:
    assert shows_nothing(entry("compaction", 1, summary=summary), EVERYTHING)


# all others


@EVERY_WAY
@pytest.mark.parametrize(
    "item",
    [
        said("system", "You are pi", 1),
        said("system", [text("You are pi")], 1),
        said("branchSummary", ..., 1, summary="x"),
        said("compactionSummary", ..., 1, summary="x"),
        said("from_the_future", [text("x")], 1),
        entry("from_the_future", 1, content="x", display=True),
        entry("custom", 1, customType="x", data={"content": "x"}),
        entry("label", 1, label="x"),
        entry("context_edit", 1),
        entry("thinking_level_change", 1, thinkingLevel="high"),
        entry("model_change", 1, provider="x", modelId="y"),
        entry("session_info", 1, name="x"),
        entry("usage", 1, kind="title", usage=usage(1, 1)),
        entry("message", 1, message=None),
        entry("message", 1),
    ],
)
def test_all_others_show_nothing(item: Item, options: Options) -> None:
    assert shows_nothing(item, options)


@pytest.mark.parametrize(
    ("item", "counted"),
    [
        (entry("from_the_future", 1), ["from_the_future"]),
        (said("branchSummary", ..., 1), ["message:branchSummary"]),
        (said("compactionSummary", ..., 1), ["message:compactionSummary"]),
        (said("from_the_future", "x", 1), ["message:from_the_future"]),
        (entry("message", 1, message=None), ["message"]),
        (said("system", "You are pi", 1), []),
        (entry("label", 1), []),
        (entry("context_edit", 1), []),
        (entry("custom", 1), []),
        (entry("thinking_level_change", 1), []),
    ],
)
def test_what_is_not_known_is_counted_by_its_type(item: Item, counted: list[str]) -> None:
    folding = Folding(EVERYTHING)
    folding.take(encoded(header()))
    folding.take(encoded(item))
    assert folding.unknown == counted
