"""A line of a transcript to entries: nothing raises, nothing is lost uncounted."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.model import Broken, Header
from pi_opensync.pi.entries import Decoded, Entry, decode_line, flattened, milliseconds
from pi_opensync.pi.tail import Line
from tests.fold.folding import START, encoded, entry, header, old_header, said, text

ONE = encoded(said("user", "one", 1))
TWO = encoded(said("user", "two", 2))
TORN = encoded(said("assistant", [text(f"piece {number}") for number in range(40)], 3))[:-9]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def texts_of(items: list[Decoded]) -> list[Any]:
    return [item.body["message"]["content"] for item in items if isinstance(item, Entry)]


def test_an_entry_keeps_its_type_its_id_its_moment_and_its_body() -> None:
    item = entry("label", 1.5, id="0000abcd", label="start")
    assert decode_line(encoded(item)) == [Entry("label", "0000abcd", START + 1500, item)]


def test_an_entry_of_an_old_file_may_lack_id_and_timestamp() -> None:
    (item,) = decode_line(b'{"type":"message"}')
    assert isinstance(item, Entry)
    assert (item.id, item.timestamp) == (None, None)


def test_an_unknown_type_is_an_entry() -> None:
    (item,) = decode_line(encoded(entry("from_the_future", 1)))
    assert isinstance(item, Entry)
    assert item.type == "from_the_future"


def test_a_header_is_told_from_an_entry() -> None:
    (item,) = decode_line(encoded(header(parentSession="/sessions/a_b.jsonl")))
    assert isinstance(item, Header)
    assert item.timestamp == START
    assert item.version == 3
    assert item.parent == "/sessions/a_b.jsonl"


def test_a_header_without_version_is_of_version_1_and_keeps_its_model() -> None:
    (item,) = decode_line(encoded(old_header(provider="anthropic", modelId="claude-2")))
    assert isinstance(item, Header)
    assert (item.version, item.provider, item.model) == (1, "anthropic", "claude-2")


def test_a_header_without_an_id_is_broken() -> None:
    line = encoded(header(id=...))
    assert decode_line(line) == [Broken(0, len(line))]


@pytest.mark.parametrize("line", [b"", b"  ", b"\t", b"\r"])
def test_a_blank_line_holds_nothing(line: bytes) -> None:
    assert decode_line(line) == []


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"17",
        b'"text"',
        b"[]",
        b"{}",
        b'{"id":"a"}',
        b'{"type":5}',
        b"{",
        b"}",
        b"garbage",
        b"\xff\xfe",
        b"\0\0\0",
        b'{"type":"message"',
        b'{"type":"message",}',
        b'{"type":"label","x":"a\nb"}',
    ],
)
def test_what_holds_no_object_of_pis_is_broken_over_all_its_bytes(line: bytes) -> None:
    assert decode_line(line) == [Broken(0, len(line))]


@pytest.mark.parametrize("before", [b"\0" * 4096, b"\xef\xbb\xbf", b"  ", b"\r"])
def test_an_entry_stands_behind_a_run_of_nuls_or_a_byte_order_mark(before: bytes) -> None:
    assert texts_of(decode_line(before + ONE)) == ["one"]


def test_a_windows_line_end_does_not_matter() -> None:
    assert texts_of(decode_line(ONE + b"\r")) == ["one"]


def test_two_objects_glued_into_one_line_are_two_entries() -> None:
    assert texts_of(decode_line(ONE + TWO)) == ["one", "two"]


def test_however_many_entries_are_glued_all_are_found() -> None:
    glued = [encoded(said("user", f"text {number}", number)) for number in range(200)]
    assert texts_of(decode_line(b"".join(glued))) == [f"text {number}" for number in range(200)]


def test_an_entry_glued_to_a_torn_one_is_found_and_the_torn_bytes_are_counted() -> None:
    torn = ONE[:-5]
    broken, entry_behind = decode_line(torn + TWO)
    assert broken == Broken(0, len(torn))
    assert texts_of([entry_behind]) == ["two"]


def test_an_entry_glued_to_a_torn_one_of_many_blocks_is_found() -> None:
    items = decode_line(TORN + TWO)
    assert texts_of(items) == ["two"]
    assert [item for item in items if isinstance(item, Broken)] == [Broken(0, len(TORN))]


def test_the_blocks_of_a_torn_entry_are_not_entries() -> None:
    assert decode_line(TORN) == [Broken(0, len(TORN))]


def test_a_torn_entry_behind_a_whole_one_is_counted() -> None:
    items = decode_line(ONE + TWO[:-3])
    assert texts_of(items) == ["one"]
    assert items[-1] == Broken(len(ONE), len(ONE) + len(TWO) - 3)


def test_a_header_glued_to_an_entry_is_a_header() -> None:
    first, second = decode_line(ONE + encoded(header()))
    assert isinstance(first, Entry)
    assert isinstance(second, Header)


@pytest.mark.parametrize("digits", [19, 20, 400, 4_299, 4_301, 100_000])
@pytest.mark.parametrize("sign", [b"", b"-"])
def test_a_number_of_many_digits_does_not_break_its_entry(digits: int, sign: bytes) -> None:
    (item,) = decode_line(b'{"type":"label","x":' + sign + b"1" * digits + b"}")
    assert isinstance(item, Entry)


@pytest.mark.parametrize("levels", [100, 990, 1_000, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_does_not_break_its_entry(levels: int, opening: bytes, closing: bytes) -> None:
    inner = opening * levels + b"1" + closing * levels
    (item,) = decode_line(b'{"type":"label","x":' + inner + b',"y":2}')
    assert isinstance(item, Entry)
    assert item.body["y"] == 2


def test_flattened_keeps_a_hundred_levels_and_the_rest_as_text() -> None:
    inner = b"[" * 300 + b'"]"' + b"]" * 300
    (item,) = flattened(b'{"type":"label","x":' + inner + b"}")
    assert isinstance(item, Entry)
    value = item.body["x"]
    levels = 0
    while isinstance(value, list):
        (value,) = value
        levels += 1
    assert levels < 150
    assert value == "[" * (300 - levels) + '"]"' + "]" * (300 - levels)


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    line = encoded(said("user", "caf?", 1)).replace(b"caf?", b"caf\xe9")
    assert texts_of(decode_line(line)) == ["caf\ufffd"]


def test_a_lone_surrogate_does_not_break_its_entry() -> None:
    assert texts_of(decode_line(encoded(said("user", "a\ud83d", 1)))) == ["a\ud83d"]


@given(json_values)
def test_any_json_value_as_body_comes_back_as_it_was(value: Any) -> None:
    line = json.dumps({"type": "label", "x": value}, allow_nan=True).encode()
    (item,) = decode_line(line)
    assert isinstance(item, Entry)
    assert json.dumps(item.body["x"]) == json.dumps(value)


@given(json_values)
def test_any_json_value_is_decoded(value: Any) -> None:
    assert decode_line(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_and_broken_ranges_lie_within_them(data: bytes) -> None:
    for item in decode_line(data):
        if isinstance(item, Broken):
            assert 0 <= item.start < item.end <= len(data)


@given(st.integers(0, len(ONE) + len(TWO)), st.binary(max_size=20))
def test_what_is_not_an_entry_is_covered_by_broken_ranges(cut: int, wedge: bytes) -> None:
    """A glued line with bytes wedged in: an entry is whole, or all its bytes are counted as broken."""
    whole = ONE + TWO
    line = whole[:cut] + wedge + whole[cut:]
    items = decode_line(line)
    entries = [item for item in items if isinstance(item, Entry | Header)]
    ranges = [(item.start, item.end) for item in items if isinstance(item, Broken)]
    assert ranges == sorted(ranges)
    assert all(left[1] <= right[0] for left, right in pairwise(ranges))
    if 0 < cut < len(ONE):
        assert any(item.type == "message" for item in entries if isinstance(item, Entry))
    if not entries:
        assert ranges == [(0, len(line))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20T10:00:00.000Z", START),
        ("2026-11-20T10:00:00.628Z", START + 628),
        ("2026-11-20T11:00:00+01:00", START),
        ("2026-11-20T10:00:00", START),
        (START, START),
        (float(START), START),
        ("yesterday", None),
        ("", None),
        ("2026-11-20T10:00:00\ud800", None),
        (None, None),
        (True, None),
        ([], None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (8.64e15 + 1, None),
        (10**400, None),
    ],
)
def test_milliseconds_of_what_pi_writes(value: object, expected: int | None) -> None:
    assert milliseconds(value) == expected


@given(st.text() | st.floats() | st.integers() | st.datetimes().map(lambda moment: moment.isoformat()))
def test_milliseconds_never_raises(value: object) -> None:
    assert isinstance(milliseconds(value), int | None)


def test_neither_a_line_nor_an_entry_shows_what_it_says() -> None:
    [item] = decode_line(ONE)
    shown = f"{item!r} {Line(0, len(ONE), ONE)!r}"
    assert "user" not in shown
    assert "one" not in shown
