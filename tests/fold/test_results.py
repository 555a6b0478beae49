"""Results of tools: the latest call of that id without one has it, or it stands by itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.fold import open_calls
from pi_opensync.model import Message
from tests.fold.folding import (
    CALLS,
    HIDDEN,
    THINKING,
    Item,
    call,
    entry,
    fold_entries,
    image,
    result,
    said,
    text,
)


def asked(*content: Item, at: float = 1) -> Item:
    return said("assistant", list(content), at)


def parts(message: Message) -> list[tuple[str, Any]]:
    return [
        (part.type, part.content["toolName"] if part.type == "tool-call" else part.content)
        for part in message.parts
    ]


def only_parts(*entries: Item) -> list[tuple[str, Any]]:
    return parts(fold_entries(*entries, options=CALLS).only)


def test_a_result_follows_its_call() -> None:
    assert only_parts(asked(text("look"), call("c"), text("more")), result("c", "output", 2)) == [
        ("text", "look"),
        ("tool-call", "bash"),
        ("tool-result", "output"),
        ("text", "more"),
    ]


def test_the_results_of_parallel_calls_follow_each_its_own_in_any_order() -> None:
    question = asked(call("a", "read"), call("b", "write"))
    expected = [("tool-call", "read"), ("tool-result", "A"), ("tool-call", "write"), ("tool-result", "B")]
    assert only_parts(question, result("a", "A", 2), result("b", "B", 2)) == expected
    assert only_parts(question, result("b", "B", 2), result("a", "A", 2)) == expected


def test_a_message_whose_calls_wait_is_shown_as_it_is_and_then_complete() -> None:
    question = asked(call("c"))
    before = fold_entries(question, options=CALLS).only
    after = fold_entries(question, result("c", "output", 2), options=CALLS).only
    assert open_calls(before.parts) == ("c",)
    assert open_calls(after.parts) == ()
    same = ("external_id", "position", "created_at", "role", "text", "model", "duration_ms")
    assert all(getattr(before, name) == getattr(after, name) for name in same)


def test_the_result_belongs_to_the_latest_call_of_its_id() -> None:
    folded = fold_entries(asked(call("c"), at=1), asked(call("c"), at=2), result("c", "x", 3), options=CALLS)
    first, second = folded.shown
    assert parts(first) == [("tool-call", "bash")]
    assert parts(second) == [("tool-call", "bash"), ("tool-result", "x")]


def test_the_result_belongs_to_the_latest_call_without_one() -> None:
    entries = asked(call("c"), at=1), asked(call("c"), at=2), result("c", "x", 3), result("c", "y", 4)
    first, second = fold_entries(*entries, options=CALLS).shown
    assert parts(first) == [("tool-call", "bash"), ("tool-result", "y")]
    assert parts(second) == [("tool-call", "bash"), ("tool-result", "x")]


def test_of_two_calls_of_one_id_in_a_message_the_latter_is_answered_first() -> None:
    question = asked(call("c", "first"), call("c", "second"))
    assert only_parts(question, result("c", "x", 2)) == [
        ("tool-call", "first"),
        ("tool-call", "second"),
        ("tool-result", "x"),
    ]
    assert only_parts(question, result("c", "x", 2), result("c", "y", 3))[1] == ("tool-result", "y")


def test_a_result_without_its_call_is_a_message_of_role_tool() -> None:
    message = fold_entries(result("none", "output", 1), options=CALLS).only
    assert (message.role, message.text, parts(message)) == ("tool", "output", [("tool-result", "output")])


@pytest.mark.parametrize(
    "lines",
    [
        [result("c", "x", 1), asked(call("c"), at=2)],
        [asked(call("c"), at=1), result("c", "first", 2), result("c", "x", 3)],
        [asked(call("d"), at=1), result("c", "x", 3)],
    ],
)
def test_no_call_waits_before_it_is_made_or_after_it_is_answered(lines: list[Item]) -> None:
    (orphan,) = [message for message in fold_entries(*lines, options=CALLS).shown if message.role == "tool"]
    assert orphan.text == "x"


@pytest.mark.parametrize("options", [HIDDEN, THINKING])
def test_without_tool_calls_a_result_shows_nothing(options: Any) -> None:
    folded = fold_entries(asked(text("look"), call("c")), result("c", "x", 2), options=options)
    assert parts(folded.only) == [("text", "look")]
    assert not fold_entries(result("none", "x", 1), options=options).messages


def test_the_error_of_a_tool_is_marked() -> None:
    question = asked(call("c"))
    assert only_parts(question, result("c", "no such file", 2, isError=True))[1] == (
        "tool-result",
        "[error] no such file",
    )
    orphan = fold_entries(result("none", "no such file", 2, isError=True), options=CALLS).only
    assert orphan.text == "[error] no such file"


def test_texts_and_images_of_a_result_are_shown_as_those_of_a_user() -> None:
    blocks = [text("one"), image("AAAA", "image/jpeg"), text("two")]
    assert only_parts(asked(call("c")), result("c", blocks, 2))[1] == (
        "tool-result",
        "one\n[image: image/jpeg, 3 B]\ntwo",
    )


def test_an_empty_result_answers_its_call() -> None:
    message = fold_entries(asked(call("c")), result("c", [], 2), options=CALLS).only
    assert parts(message) == [("tool-call", "bash"), ("tool-result", "")]
    assert open_calls(message.parts) == ()


def test_an_empty_result_without_its_call_shows_nothing() -> None:
    assert not fold_entries(result("none", [], 2), options=CALLS).messages


@pytest.mark.parametrize("call_id", [None, 7, [], {}, ""])
def test_a_result_of_a_broken_id_is_shown_by_itself(call_id: Any) -> None:
    folded = fold_entries(asked(call("c")), result(call_id, "x", 2), options=CALLS)
    assert [message.text for message in folded.shown if message.role == "tool"] == ["x"]


def test_a_result_repeated_answers_once() -> None:
    answer = result("c", "x", 3)
    folded = fold_entries(asked(call("c"), at=1), asked(call("c"), at=2), answer, answer, options=CALLS)
    assert sum(len(message.parts) for message in folded.shown) == 3


def test_entries_between_a_call_and_its_result_do_not_part_them() -> None:
    between = entry("model_change", 2, modelId="m"), said("user", "quick question", 3)
    folded = fold_entries(asked(call("c")), *between, result("c", "x", 4), options=CALLS)
    assert parts(folded.shown[0]) == [("tool-call", "bash"), ("tool-result", "x")]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c"])), max_size=20))
def test_every_result_is_shown_once_behind_the_latest_call_that_waits(steps: list[tuple[bool, str]]) -> None:
    entries: list[Item] = []
    calls: list[list[str]] = []
    alone: list[str] = []
    for number, (asks, call_id) in enumerate(steps):
        if asks:
            entries.append(asked(call(call_id), at=number))
            calls.append([call_id])
            continue
        entries.append(result(call_id, f"result {number}", number))
        waiting = [made for made in calls if made == [call_id]]
        (waiting[-1] if waiting else alone).append(f"result {number}")
    shown = fold_entries(*entries, options=CALLS).shown
    answered = [message for message in shown if message.role == "assistant"]
    assert [[part.content for part in message.parts[1:]] for message in answered] == [
        made[1:] for made in calls
    ]
    assert [message.text for message in shown if message.role == "tool"] == alone
