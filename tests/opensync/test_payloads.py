"""What goes over the wire: what OpenSync's validators take, nothing dropped in silence."""

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.model import Message, Part
from pi_opensync.opensync.payloads import (
    acceptable,
    as_server_dated,
    digest,
    encode,
    mended_key,
    message_payload,
    project_name,
)
from tests.acceptance import accepted
from tests.fold.folding import (
    CALLS,
    EVERYTHING,
    PLAIN,
    SESSION_ID,
    START,
    Item,
    call,
    entry,
    fold_entries,
    fold_lines,
    header,
    result,
    said,
    text,
)
from tests.standin.values import BATCH_MESSAGE, check_arguments

keys = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["", "$ref", "$schema", "_meta", "_", "$", ".$ref", "größe", "a\tb", "😀", "\x7f", "k" * 1_025]
)
arguments = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)


def message(*parts: Part, words: str = "") -> Message:
    return Message(f"{SESSION_ID}-assistant-{START}", 1, START, "assistant", words, parts)


def sent(*entries: Item) -> dict[str, Any]:
    """The payload of the only message that the entries show, as the server sees it."""
    return accepted(message_payload(fold_entries(*entries, options=EVERYTHING).only, SESSION_ID))


def called(**args: Any) -> dict[str, Any]:
    """The arguments of a call as they are sent."""
    (part,) = sent(said("assistant", [call("c", **args)], 1))["parts"]
    shown: dict[str, Any] = part["content"]["args"]
    return shown


# shape


def test_a_message_has_at_least_one_part_of_a_kind_that_the_dashboard_draws() -> None:
    entries = [
        said("user", "x", 1),
        said("assistant", [text("x"), call("c")], 2),
        result("c", "", 3),
        result("none", "x", 3),
        said("bashExecution", ..., 4, command="ls", output=""),
        entry("compaction", 5, summary="x"),
    ]
    for shown in fold_entries(*entries, options=CALLS).shown:
        parts = accepted(message_payload(shown, SESSION_ID))["parts"]
        assert parts
        assert {part["type"] for part in parts} <= {"text", "tool-call", "tool-result"}


def test_a_payload_carries_no_null_for_what_is_not_known() -> None:
    assert None not in message_payload(message(Part("text", "x")), SESSION_ID).values()


def test_a_message_without_its_date_is_one_that_a_batch_takes() -> None:
    payload = message_payload(message(Part("text", "x")), SESSION_ID)
    del payload["createdAt"]
    check_arguments(payload, BATCH_MESSAGE)


def test_a_digest_tells_two_versions_of_a_payload_apart() -> None:
    one = message_payload(message(Part("text", "x")), SESSION_ID)
    assert digest(encode(one)) == digest(encode(copy.deepcopy(one)))
    assert digest(encode(one)) != digest(encode(one | {"textContent": "y"}))


@pytest.mark.parametrize(("cwd", "name"), [("/", "/"), ("C:\\", "C:"), ("/a//b//", "b")])
def test_a_root_has_a_name_too(cwd: str, name: str) -> None:
    assert project_name(cwd) == name


# keys


@pytest.mark.parametrize(
    ("key", "mended"),
    [
        ("$ref", ".$ref"),
        ("_meta", "._meta"),
        ("$", ".$"),
        ("", "."),
        ("größe", "gr\\u00f6\\u00dfe"),
        ("a\tb", "a\\u0009b"),
        ("\0", "\\u0000"),
        ("\x7f", "\\u007f"),
        ("😀", "\\ud83d\\ude00"),
        ("$é", ".$\\u00e9"),
        ("plain", "plain"),
        ("a b.c-d$e_f", "a b.c-d$e_f"),
        (".$ref", ".$ref"),
        ("~", "~"),
        (" ", " "),
        ("k" * 1_000, "k" * 1_000),
    ],
)
def test_a_key_that_opensync_refuses_is_written_so_that_it_takes_it(key: str, mended: str) -> None:
    assert mended_key(key) == mended
    assert called(**{key: 1}) == {mended: 1}


def test_a_key_of_1024_characters_is_not_refused_and_stays() -> None:
    assert called(**{"k" * 1_024: 1}) == {"k" * 1_024: 1}


def test_keys_are_mended_at_any_depth() -> None:
    given_args = {"schema": [{"$defs": {"_a": {"ü": 1}}}]}
    assert called(**given_args) == {"schema": [{".$defs": {"._a": {"\\u00fc": 1}}}]}


def test_two_keys_that_become_the_same_are_both_kept() -> None:
    assert sorted(called(**{"$ref": 1, ".$ref": 2, "é": 3, "\\u00e9": 4}).values()) == [1, 2, 3, 4]
    assert sorted(called(**{"\\u00e9": 4, "é": 3, ".$ref": 2, "$ref": 1}).values()) == [1, 2, 3, 4]
    assert sorted(called(**{"k" * 2_000 + "a": 1, "k" * 2_000 + "b": 2}).values()) == [1, 2]
    assert sorted(called(**{chr(0xD800): 1, chr(0xDC00): 2}).values()) == [1, 2]


@given(keys)
def test_any_key_is_mended_to_one_that_is_taken(key: str) -> None:
    accepted(message_payload(message(Part("tool-call", {"toolName": "x", "args": {key: 1}})), SESSION_ID))


# values


def test_null_within_arguments_stays() -> None:
    assert called(limit=None) == {"limit": None}


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_beyond_a_double_is_not_dropped_in_silence(number: float) -> None:
    assert called(limit=number)["limit"] is not None


def test_a_number_that_a_double_would_change_is_kept_to_the_digit() -> None:
    assert called(a=2**53 + 1, b=2**53 - 1) == {"a": "9007199254740993", "b": 2**53 - 1}


def test_an_object_of_too_many_fields_is_kept_as_its_json() -> None:
    wide = {f"k{number}": number for number in range(1_025)}
    assert json.loads(called(wide=wide)["wide"]) == wide


def test_arguments_of_too_many_fields_are_kept_within_an_object() -> None:
    wide = {f"k{number}": number for number in range(1_025)}
    (kept,) = called(**wide).values()
    assert json.loads(kept) == wide


def test_a_list_of_too_many_items_is_kept_as_its_json() -> None:
    assert json.loads(called(long=[0] * 8_193)["long"]) == [0] * 8_193


@pytest.mark.parametrize("levels", [10, 60, 64, 65, 100, 300, 450, 700, 1_500, 10_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_arguments_of_any_depth_are_taken_with_what_lies_deepest(
    levels: int, opening: str, closing: str
) -> None:
    nested = opening * levels + '"deepest"' + closing * levels
    line = json.dumps(said("assistant", [call("c", x="HERE")], 1)).replace('"HERE"', nested)
    folded = fold_lines([header(), line.encode()], CALLS)
    payload = accepted(message_payload(folded.only, SESSION_ID))
    assert "deepest" in encode(payload).decode()


def test_a_message_of_10000_parts_says_how_many_it_left_out() -> None:
    parts = accepted(message_payload(message(*[Part("text", "x")] * 10_000), SESSION_ID))["parts"]
    told = re.search(r"\d+", parts[-1]["content"].replace(",", ""))
    assert told
    assert len(parts) - 1 + int(told[0]) == 10_000


@given(arguments)
def test_any_arguments_are_taken(value: Any) -> None:
    sent(said("assistant", [{"type": "toolCall", "id": "c", "name": "x", "arguments": value}], 1))


@given(arguments)
def test_what_is_acceptable_stays_as_it_is(value: Any) -> None:
    once = acceptable(PLAIN.json(value))
    assert encode(acceptable(once)) == encode(once)


def test_a_payload_for_server_dates_lacks_only_its_date() -> None:
    payload = {"externalId": "é", "createdAt": 5, "parts": [{"type": "text", "content": "createdAt"}]}
    assert json.loads(as_server_dated(json.dumps(payload).encode())) == {
        "externalId": "é",
        "parts": [{"type": "text", "content": "createdAt"}],
    }
    assert json.loads(as_server_dated(b'{"a":1}')) == {"a": 1}
