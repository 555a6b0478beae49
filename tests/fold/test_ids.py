"""Ids of messages: computed from the transcript, the same whenever it is read, one for each message."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fold.folding import (
    CALLS,
    EVERYTHING,
    SESSION_ID,
    START,
    Item,
    call,
    encoded,
    entry,
    fold_entries,
    fold_lines,
    header,
    image,
    old_header,
    result,
    said,
    text,
)

ENTRY_IDS = ("0badcafe", "12345678", "2", "3", "\ud800", "\udc00", "x" * 40)


def ids(*entries: Item, head: Item | None = None) -> list[str]:
    return list(fold_lines([head or header(), *entries], EVERYTHING).messages)


def at_once(role: str, entry_id: Any, words: str = "hello", **fields: Any) -> Item:
    """A message of the first second of the session."""
    content = [text(words)] if role == "assistant" else words
    return said(role, content, 1, entry_fields={"id": entry_id}, **fields)


@pytest.mark.parametrize(
    ("shown", "role"),
    [
        (said("user", "x", 1), "user"),
        (said("assistant", [text("x")], 1), "assistant"),
        (said("bashExecution", ..., 1, command="ls", output=""), "tool"),
        (result("no-such-call", "x", 1), "tool"),
        (said("custom", "x", 1, display=True), "system"),
        (said("hookMessage", "x", 1, display=True), "system"),
        (entry("custom_message", 1, content="x", display=True), "system"),
        (entry("compaction", 1, summary="x"), "system"),
        (entry("branch_summary", 1, summary="x"), "system"),
    ],
)
def test_an_id_is_session_role_as_sent_and_date(shown: Item, role: str) -> None:
    assert ids(shown) == [f"{SESSION_ID}-{role}-{START + 1000}"]


def test_the_id_of_a_session_of_custom_id_is_its_external_id() -> None:
    folded = fold_lines([header(id="nightly-run"), said("user", "x", 1)])
    assert folded.only.external_id == f"{folded.state.external_id}-user-{START + 1000}"


# createdAt


def test_the_date_is_that_of_the_message_not_of_its_entry() -> None:
    message = fold_entries(said("assistant", [text("x")], 9, timestamp=START + 4_321)).only
    assert message.created_at == START + 4_321
    assert message.external_id.endswith(f"-{START + 4_321}")


def test_without_a_date_of_the_message_that_of_the_entry_counts() -> None:
    assert fold_entries(said("user", "x", 9, timestamp=...)).only.created_at == START + 9_000


def test_a_summary_is_dated_by_its_entry() -> None:
    assert fold_entries(entry("compaction", 9, summary="x")).only.created_at == START + 9_000


# collisions


def test_the_second_message_of_a_moment_carries_its_entry_id() -> None:
    first, second, third = ids(*(at_once("user", name) for name in ("aaaaaaaa", "bbbbbbbb", "cccccccc")))
    assert (second, third) == (f"{first}-bbbbbbbb", f"{first}-cccccccc")


def test_another_role_of_the_same_moment_is_no_collision() -> None:
    assert ids(at_once("user", "a"), at_once("assistant", "b")) == [
        f"{SESSION_ID}-user-{START + 1000}",
        f"{SESSION_ID}-assistant-{START + 1000}",
    ]


def test_tool_messages_of_every_kind_share_a_role() -> None:
    first, second = ids(
        at_once("bashExecution", "a", command="ls", output=""),
        at_once("toolResult", "b", toolCallId="none"),
    )
    assert second == f"{first}-b"


def test_messages_of_a_moment_without_entry_ids_are_counted_from_2() -> None:
    first, second, third = ids(*(at_once("user", ..., str(n)) for n in range(3)), head=old_header())
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_the_count_is_that_of_the_id_not_of_the_session() -> None:
    lines = [said("user", str(n), at, entry_fields={"id": ...}) for n, at in enumerate((1, 1, 2, 2, 1))]
    assert [key.partition("-user-")[2] for key in ids(*lines, head=old_header())] == [
        f"{START + 1000}",
        f"{START + 1000}-2",
        f"{START + 2000}",
        f"{START + 2000}-2",
        f"{START + 1000}-3",
    ]


def test_an_entry_that_shows_nothing_takes_no_id() -> None:
    assert ids(at_once("user", "a", ""), at_once("user", "b")) == [f"{SESSION_ID}-user-{START + 1000}"]


@pytest.mark.parametrize(
    "entry_ids",
    [
        (..., ..., "2"),
        ("a", "2", ...),
        ("a", "\ud800", "\udc00"),
        ("a", "b", "b-2", ..., "2"),
    ],
)
def test_an_entry_id_like_a_count_or_another_takes_no_id_twice(
    entry_ids: tuple[Any, ...],
) -> None:
    lines = [at_once("user", entry_id, str(number)) for number, entry_id in enumerate(entry_ids)]
    assert len(ids(*lines)) == len(entry_ids)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant", "bashExecution", "toolResult", "custom"]),
            st.sampled_from([..., *ENTRY_IDS]),
            st.sampled_from([1, 2]),
        ),
        max_size=12,
    ),
    st.sampled_from([header(), old_header()]),
)
def test_no_two_entries_share_an_id(shapes: list[tuple[str, Any, int]], head: Item) -> None:
    lines = [
        said(
            role,
            [text(f"text {number}")],
            at,
            entry_fields={"id": entry_id},
            command="ls",
            toolCallId="none",
            display=True,
        )
        for number, (role, entry_id, at) in enumerate(shapes)
    ]
    names = [entry_id for _role, entry_id, _at in shapes]
    expected = len({name for name in names if name is not ...}) + names.count(...)
    assert len(ids(*lines, head=head)) == expected


# the same ids again


def migrated(lines: list[Item]) -> list[Item]:
    """What pi makes of a version 1 transcript: random ids, `version` last, `hookMessage` as `custom`."""
    head, *entries = copy.deepcopy(lines)
    result = [head | {"version": 3}]
    for number, item in enumerate(entries):
        moved = item | {"id": f"{0xFACE0000 + number:08x}", "parentId": None}
        if moved.get("message", {}).get("role") == "hookMessage":
            moved["message"]["role"] = "custom"
        result.append(moved)
    return result


OLD = [
    old_header(provider="p", modelId="m"),
    said("user", [text("look"), image("AAAA")], 1, entry_fields={"id": ...}),
    said("assistant", [text("yes"), call("c1"), call("c2")], 2, entry_fields={"id": ...}),
    result("c1", "one", 3, entry_fields={"id": ...}),
    result("c2", "two", 3, entry_fields={"id": ...}),
    result("none", "three", 3, entry_fields={"id": ...}),
    result("none", "four", 3, entry_fields={"id": ...}),
    said("hookMessage", "hook", 4, display=True, entry_fields={"id": ...}),
    said("hookMessage", "again", 4, display=True, entry_fields={"id": ...}),
    entry("compaction", 5, id=..., summary="short"),
]


def test_a_transcript_that_pi_migrated_gives_the_same_messages() -> None:
    assert fold_lines(migrated(OLD), CALLS).messages == fold_lines(OLD, CALLS).messages


def test_a_transcript_migrated_from_version_2_gives_the_same_messages() -> None:
    lines = [
        header(version=2),
        at_once("user", "aaaaaaaa"),
        at_once("user", "bbbbbbbb"),
        at_once("hookMessage", "cccccccc", display=True),
        at_once("hookMessage", "dddddddd", display=True),
    ]
    moved = [json.loads(json.dumps(line).replace("hookMessage", "custom")) for line in lines]
    moved[0]["version"] = 3
    assert fold_lines(moved).messages == fold_lines(lines).messages


def test_a_migrated_transcript_that_goes_on_gives_the_same_ids_again() -> None:
    more = [at_once("user", "eeeeeeee", "more"), at_once("user", "ffffffff", "and more")]
    lines = migrated(OLD) + more
    rewritten = migrated(OLD)
    for number, item in enumerate(rewritten[1:]):
        item["id"] = f"{0xBEEF0000 + number:08x}"
    assert list(fold_lines(rewritten + more, CALLS).messages) == list(fold_lines(lines, CALLS).messages)


def test_a_broken_line_that_pi_drops_changes_no_id() -> None:
    lines: list[bytes | Item] = [*OLD[:4], b"{torn", *OLD[4:]]
    assert fold_lines(lines, CALLS).messages == fold_lines(OLD, CALLS).messages


@given(st.integers(0, len(OLD)))
def test_what_was_read_before_a_crash_has_the_ids_of_the_whole(length: int) -> None:
    whole = list(fold_lines(OLD, CALLS).messages)
    part = fold_lines([OLD[0], *OLD[1 : length + 1]], CALLS).messages
    assert list(part) == whole[: len(part)]


def test_the_way_a_line_is_written_changes_no_id() -> None:
    loose = [json.dumps(item, indent=None, ensure_ascii=False).encode() for item in OLD]
    assert fold_lines(loose, CALLS) == fold_lines([encoded(item) for item in OLD], CALLS)
