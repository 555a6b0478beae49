"""No message over 900 KB, no text over 256 KiB, and each that was cut says by how much."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi_opensync.model import Message, Part
from pi_opensync.opensync.payloads import message_payload
from tests.acceptance import accepted
from tests.fold.folding import (
    EVERYTHING,
    SESSION_ID,
    START,
    Item,
    call,
    entry,
    fold_entries,
    fold_lines,
    header,
    payload,
    result,
    said,
    text,
)

KIB_256 = 256 * 1024
NOTE = re.compile(r"\n?\[\.\.\. (\d+) bytes left out \.\.\.\]\n?")


def sent(*entries: Item, head: Item | None = None) -> dict[str, Any]:
    """The payload of the only message that the entries show, as the server sees it."""
    folded = fold_lines([head or header(), *entries], EVERYTHING)
    return accepted(message_payload(folded.only, folded.state.external_id))


def bytes_told(shown: str) -> int:
    """The bytes that a cut text kept and those that it says it left out."""
    notes = NOTE.findall(shown)
    assert notes
    return len(NOTE.sub("", shown).encode()) + sum(map(int, notes))


@pytest.mark.parametrize(
    "item",
    [
        said("user", "x" * 1_000_000, 1),
        said("user", [text("x" * 200_000), text("y" * 200_000)], 1),
        said("assistant", [text("x" * 200_000), text("y" * 200_000)], 1),
        said("assistant", [{"type": "thinking", "thinking": "x" * KIB_256}], 1),
        said("assistant", [text("x" * KIB_256)], 1, stopReason="error", errorMessage="e" * 1_000),
        entry("compaction", 1, summary="x" * KIB_256),
        result("none", "x" * KIB_256, 1, isError=True),
        said("bashExecution", ..., 1, command="c" * 200_000, output="o" * 200_000, exitCode=1),
    ],
    ids=["user", "user-blocks", "blocks", "thinking", "error", "compaction", "result", "bash"],
)
def test_no_text_of_a_message_is_over_256_kib(item: Item) -> None:
    payload = sent(item)
    shown = [payload["textContent"], *(part["content"] for part in payload["parts"])]
    assert all(len(words.encode()) <= KIB_256 for words in shown if isinstance(words, str))


def test_a_long_text_says_how_many_bytes_it_left_out() -> None:
    payload = sent(said("user", "0123456789" * 100_000, 1))
    assert bytes_told(payload["textContent"]) == bytes_told(payload["parts"][0]["content"]) == 1_000_000


def test_a_text_that_is_cut_more_than_once_still_says_all_that_it_left_out() -> None:
    """A control character takes six bytes of JSON: 256 KiB of them twice are over 900 KB."""
    payload = sent(said("user", "\x01" * 1_000_000, 1))
    assert bytes_told(payload["textContent"]) == 1_000_000


def test_a_message_of_many_long_results_says_of_each_how_much_it_left_out() -> None:
    calls = said("assistant", [call(f"c{number}") for number in range(8)], 1)
    answers = [result(f"c{number}", "x" * 400_000, 2 + number) for number in range(8)]
    payload = sent(calls, *answers)
    results = [part["content"] for part in payload["parts"] if part["type"] == "tool-result"]
    assert [bytes_told(shown) for shown in results] == [400_000] * 8


@pytest.mark.parametrize("character", ["\0", "\x1b", '"', "\\", "é", "😀", "\u2028", "\ud800"])
def test_no_character_makes_a_message_too_large(character: str) -> None:
    sent(said("user", character * 300_000, 1))
    sent(said("assistant", [call("c", character, x=[character * 100_000] * 20)], 1))


def test_many_long_keys_do_not_make_a_message_too_large() -> None:
    sent(said("assistant", [call("c", x=[{f"{number}{'k' * 900}": 1 for number in range(900)}] * 3)], 1))


def test_many_parts_do_not_make_a_message_too_large() -> None:
    blocks = [
        block for number in range(5_000) for block in (text("x" * 300), call(f"c{number}", x="y" * 300))
    ]
    sent(said("assistant", blocks, 1))


@pytest.mark.parametrize(
    ("item", "head"),
    [
        (said("assistant", [text("x")], 1, model="m" * 1_000_000), header()),
        (said("user", "x", 1), header(id="i" * 1_000_000)),
    ],
    ids=["model", "session-id"],
)
def test_no_long_name_makes_a_message_too_large(item: Item, head: Item) -> None:
    sent(item, head=head)


def test_no_long_entry_id_makes_a_message_too_large() -> None:
    long = said("user", "two", 1, entry_fields={"id": "i" * 1_000_000})
    for shown in fold_entries(said("user", "one", 1), long).shown:
        accepted(message_payload(shown, SESSION_ID))


@pytest.mark.parametrize(
    "lines",
    [
        [header(cwd="/c" * 1_000_000)],
        [header(), entry("session_info", 1, name="n" * 1_000_000)],
        [header(), said("assistant", [], 1, model="m" * 1_000_000)],
        [header(), said("assistant", [], 1, provider="p" * 1_000_000)],
        [header(), entry("model_change", 1, modelId="m" * 1_000_000, provider="p" * 1_000_000)],
        [header(id="i" * 1_000_000)],
        [header(), entry("usage", 1, usage={"input": 1e15, "output": 1e15, "cost": {"total": 1e8}})] * 3,
    ],
    ids=["cwd", "name", "model", "provider", "change", "id", "usage"],
)
def test_a_session_of_long_names_is_taken(lines: list[Item]) -> None:
    accepted(payload(fold_lines(lines).state))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["text", "tool-call", "tool-result"]),
            st.sampled_from('x\0"é\\'),
            st.integers(0, 400_000),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_mix_of_long_parts_is_taken(shapes: list[tuple[Any, str, int]]) -> None:
    parts = [
        Part(kind, {"toolName": "x", "args": {"y": sign * size}} if kind == "tool-call" else sign * size)
        for kind, sign, size in shapes
    ]
    long = Message("id", 1, START, "assistant", "x" * shapes[0][2], tuple(parts))
    accepted(message_payload(long, SESSION_ID))
