"""What a session cost: tokens, dollars and time, each counted once across a family of forks."""

from typing import Any

import pytest

from pi_opensync.model import Options
from tests.fold.folding import (
    CALLS,
    EVERYTHING,
    HIDDEN,
    Item,
    entry,
    fold_entries,
    fold_lines,
    header,
    old_header,
    payload,
    result,
    said,
    text,
    thinking,
    usage,
)

SPENT = usage(100, 20, 0.25, read=30, write=4)
COUNTED = {"promptTokens": 134, "completionTokens": 20, "cost": 0.25}
NOTHING = {"promptTokens": 0, "completionTokens": 0, "cost": 0.0}
MINUTE = 60
FORKED_AT = 1000.0


def counts(*entries: Item, options: Options = HIDDEN, head: Item | None = None) -> dict[str, Any]:
    shown = payload(fold_lines([head or header(), *entries], options).state)
    return {name: shown[name] for name in ("promptTokens", "completionTokens", "cost")}


def spent_ms(*moments: float, head: Item | None = None) -> int:
    entries = [entry("label", moment, label=str(number)) for number, moment in enumerate(moments)]
    duration: int = payload(fold_lines([head or header(), *entries]).state)["durationMs"]
    return duration


def fork(at: float = FORKED_AT) -> Item:
    return header(at, parentSession="/sessions/parent.jsonl")


def answer(at: float, **fields: Any) -> Item:
    return said("assistant", [text("yes")], at, usage=SPENT, **fields)


# usage counts wherever it stands


@pytest.mark.parametrize("options", [HIDDEN, CALLS, EVERYTHING])
@pytest.mark.parametrize(
    "spending",
    [
        answer(1),
        said("assistant", [], 1, usage=SPENT),
        said("assistant", [thinking("hm")], 1, usage=SPENT),
        said("assistant", [text("")], 1, usage=SPENT, stopReason="aborted"),
        result("none", "output", 1, usage=SPENT),
        entry("compaction", 1, summary="short", tokensBefore=9, usage=SPENT),
        entry("compaction", 1, summary="", usage=SPENT),
        entry("branch_summary", 1, summary="short", fromId="a", usage=SPENT),
        entry("usage", 1, kind="title", provider="p", model="m", usage=SPENT),
        entry("from_the_future", 1, usage=SPENT),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else None,
)
def test_usage_counts_wherever_it_stands(spending: Item, options: Options) -> None:
    assert counts(spending, options=options) == COUNTED


def test_usage_adds_up_over_the_session() -> None:
    entries = answer(1), result("x", "y", 2, usage=SPENT), entry("usage", 3, usage=SPENT)
    assert counts(*entries) == {"promptTokens": 402, "completionTokens": 60, "cost": 0.75}


def test_the_prompt_is_input_and_both_caches() -> None:
    assert counts(entry("usage", 1, usage=usage(1)))["promptTokens"] == 1
    assert counts(entry("usage", 1, usage=usage(read=2)))["promptTokens"] == 2
    assert counts(entry("usage", 1, usage=usage(write=4)))["promptTokens"] == 4


def test_the_cost_is_the_total_that_pi_wrote_not_its_items() -> None:
    assert counts(entry("usage", 1, usage=usage(dollars=0.125)))["cost"] == 0.125


def test_counts_are_shown_also_where_nothing_was_spent() -> None:
    assert counts(said("user", "hello", 1)) == NOTHING


@pytest.mark.parametrize("branch", ["other", None])
def test_every_branch_of_the_tree_was_paid_for(branch: str | None) -> None:
    entries = answer(1), answer(2, entry_fields={"parentId": branch})
    assert counts(*entries)["promptTokens"] == 268


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        "usage",
        [],
        {},
        {"input": "5", "output": None, "cost": 3},
        {"input": -5, "output": True, "cost": {"total": -1}},
        {"input": 1e400, "output": float("nan"), "cost": {"total": float("inf")}},
        {"input": 10**30, "cost": {"total": "1"}},
    ],
)
def test_usage_that_is_none_counts_nothing(wrong: object) -> None:
    assert counts(entry("usage", 1, usage=wrong), answer(2)) == COUNTED


# a repeat


def test_an_entry_id_seen_before_is_a_repeat_without_message_and_usage() -> None:
    first = answer(1)
    folded = fold_entries(
        first, first, said("assistant", [text("other")], 2, entry_fields={"id": first["id"]})
    )
    assert [message.text for message in folded.shown] == ["yes"]
    assert folded.state.usage.prompt == 134


def test_a_session_appended_twice_is_counted_once() -> None:
    entries = [said("user", "hello", 1), answer(2), entry("session_info", 3, name="named")]
    assert fold_entries(*entries, *entries) == fold_entries(*entries)


def test_a_repeat_does_not_name_the_session_anew() -> None:
    first = entry("session_info", 1, name="old")
    folded = fold_entries(first, entry("session_info", 2, name="new"), first)
    assert folded.state.name == "new"


def test_entries_without_ids_are_never_repeats() -> None:
    spending = answer(1, entry_fields={"id": ...})
    assert counts(spending, spending, head=old_header())["promptTokens"] == 268


# own entries


def test_a_fork_shows_its_whole_history_and_counts_its_own_usage() -> None:
    entries = answer(FORKED_AT - 60), answer(FORKED_AT + 60)
    folded = fold_lines([fork(), *entries])
    assert len(folded.messages) == 2
    assert counts(*entries, head=fork()) == COUNTED


def test_an_entry_as_old_as_the_header_of_the_fork_is_its_own() -> None:
    assert counts(answer(FORKED_AT), head=fork()) == COUNTED
    assert counts(answer(FORKED_AT - 0.001), head=fork()) == NOTHING


def test_the_timestamp_of_the_entry_decides_not_that_of_its_message() -> None:
    started_before = answer(FORKED_AT + 5, timestamp=1)
    assert counts(started_before, head=fork()) == COUNTED


def test_without_a_parent_older_entries_are_own_too() -> None:
    assert counts(answer(10), head=header(1000)) == COUNTED


def test_money_is_counted_once_across_a_family() -> None:
    history = [said("user", "hello", 1), answer(2), entry("compaction", 3, summary="s", usage=SPENT)]
    later = [answer(FORKED_AT + 1), answer(FORKED_AT + 2)]
    parent = counts(*history)["promptTokens"]
    child = counts(*history, *later, head=fork())["promptTokens"]
    assert parent + child == 134 * 4


def test_a_copied_assistant_message_still_tells_its_own_tokens() -> None:
    (message,) = fold_lines([fork(), answer(1)]).shown
    assert message.usage is not None
    assert (message.usage.prompt, message.usage.completion) == (134, 20)


# durationMs


def test_the_time_spent_is_the_sum_of_the_gaps_between_entries() -> None:
    assert spent_ms(10, 12.5, 13, 43) == 33_000


def test_the_time_from_the_header_to_the_first_entry_is_no_gap() -> None:
    assert spent_ms(600) == 0


def test_a_gap_over_30_minutes_counts_as_nothing() -> None:
    assert spent_ms(0, 30 * MINUTE) == 30 * MINUTE * 1000
    assert spent_ms(0, 30 * MINUTE + 0.001) == 0
    assert spent_ms(0, 10, 10 + 31 * MINUTE, 15 + 31 * MINUTE) == 15_000


def test_the_gaps_of_a_fork_are_those_between_its_own_entries() -> None:
    assert spent_ms(0, 60, FORKED_AT + 5, FORKED_AT + 8, head=fork()) == 3_000


def test_every_type_of_entry_is_time_spent() -> None:
    entries = [
        entry(kind, at) for at, kind in enumerate(("label", "custom", "from_the_future", "model_change"))
    ]
    assert fold_entries(*entries).state.duration_ms == 3_000


def test_a_step_back_counts_nothing_and_what_follows_counts_from_there() -> None:
    assert spent_ms(0, 300, 60, 300) == 540_000


def test_an_entry_without_timestamp_is_no_gap() -> None:
    lines = [entry("label", 1), entry("label", 2, timestamp=...), entry("label", 3, timestamp="x")]
    assert fold_entries(*lines, entry("label", 4)).state.duration_ms == 3_000
