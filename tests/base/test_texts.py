"""Rules for strings: cutting, titles, sizes, surrogates."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync import texts

NOTE = re.compile(r"\[\.\.\. (\d+) bytes left out \.\.\.\]")
KIB = 1024

any_text = st.text(st.characters(codec=None), max_size=400)  # surrogates too
wide_text = st.text("ab é€😀\n", max_size=400)


# surrogates


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain", "plain"),
        ("\ud83d", "\ufffd"),
        ("a\ud83db", "a\ufffdb"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\ufeffa\ud83d", "\ufeffa\ufffd"),
        ("\0\x1b\u2028", "\0\x1b\u2028"),
    ],
)
def test_lone_surrogates_become_replacement_characters_and_pairs_are_joined(
    given_text: str, expected: str
) -> None:
    assert texts.well_formed(given_text) == expected


@given(st.text("a😀\ud83d\ude00\udfff\ufeff", max_size=30))
def test_well_formed_replaces_each_lone_surrogate_by_one_character(value: str) -> None:
    paired = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"),
        value,
    )
    assert texts.well_formed(value) == re.sub("[\ud800-\udfff]", "\ufffd", paired)


@given(st.text())
def test_text_that_is_well_formed_stays_the_same_object(value: str) -> None:
    assert texts.well_formed(value) is value


# cut


def test_a_text_of_256_kib_is_kept() -> None:
    assert texts.cut("x" * 256 * KIB) == "x" * 256 * KIB
    assert texts.cut("é" * 128 * KIB) == "é" * 128 * KIB


def test_a_text_over_256_kib_keeps_its_head_and_tail() -> None:
    whole = "".join(f"{number:07d}\n" for number in range(40_000))
    shown = texts.cut(whole)
    head, note, tail = re.split(r"(\[\.\.\. \d+ bytes left out \.\.\.\])", shown)
    assert len(shown.encode()) <= 256 * KIB
    assert whole.startswith(head.rstrip("\n"))
    assert whole.endswith(tail.lstrip("\n"))
    assert min(len(head), len(tail)) > 100 * KIB
    found = NOTE.match(note)
    assert found
    assert abs(len(head) + len(tail) + int(found[1]) - len(whole)) <= 2


def test_a_text_of_wide_characters_is_measured_in_bytes() -> None:
    shown = texts.cut("€" * 100_000)
    assert len(shown.encode()) <= 256 * KIB
    assert "\ufffd" not in shown


@given(wide_text, st.integers(0, 800))
def test_a_cut_text_says_how_many_bytes_it_left_out(value: str, limit: int) -> None:
    shown = texts.cut(value, limit)
    if len(value.encode()) <= limit:
        assert shown == value
        return
    found = NOTE.search(shown)
    assert found
    head, tail = shown[: found.start() - 1], shown[found.end() + 1 :]
    assert value.startswith(head)
    assert value.endswith(tail)
    assert len(head.encode()) + int(found[1]) + len(tail.encode()) == len(value.encode())
    assert len(shown.encode()) <= max(limit, 50)


# title


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("  a \n\t b  ", "a b"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 78 + " " + "y", "x" * 78 + " y"),
        ("x" * 79 + " " + "y", "x" * 79 + "…"),
        ("x" * 78 + " " + "yy", "x" * 78 + "…"),
        ("x" * 40 + " " + "y" * 60, "x" * 40 + "…"),
        ("one " * 19 + "onetwo", "one " * 18 + "one…"),
        ("a\u00a0b\u2003c\u2028d", "a b c d"),
        ("\u200bé" * 40, "\u200bé" * 40),
        ("a" + " " * 10_000 + "b", "a b"),
        (" " * 5_115 + "hello world", "hello world"),
        (" " * 100_000 + "x" * 81, "x" * 79 + "…"),
        ("a b " + "\n" * 10_000 + "c " * 100, "a b " + "c " * 37 + "c…"),
    ],
)
def test_a_title_collapses_white_space_and_is_cut_at_a_word(value: str, expected: str) -> None:
    assert texts.title(value) == expected


@given(st.text("abc \n\t…", max_size=300))
def test_a_title_is_the_words_or_the_first_of_them(value: str) -> None:
    whole = " ".join(value.split())
    shown = texts.title(value)
    assert len(shown) <= 80
    if len(whole) <= 80:
        assert shown == whole
        return
    kept = shown.removesuffix("…")
    assert shown != kept
    assert whole.startswith(kept)
    cut_a_word = whole[len(kept)] != " "
    assert not cut_a_word or " " not in whole[:80]
    assert not cut_a_word or len(kept) == 79


# sizes


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (912, "912 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_234, "1.2 kB"),
        (1_299, "1.3 kB"),
        (999_900, "999.9 kB"),
        (999_999, "1.0 MB"),
        (3_400_000, "3.4 MB"),
        (50_000_000, "50.0 MB"),
        (2_000_000_000, "2.0 GB"),
    ],
)
def test_sizes_are_in_powers_of_1000(count: int, expected: str) -> None:
    assert texts.size(count) == expected


@given(st.integers(0, 10**14))
def test_a_size_is_a_short_number_and_a_unit(count: int) -> None:
    shown = re.fullmatch(r"(\d{1,3}) B|(\d{1,3}\.\d) ([kMGT]B)|", texts.size(count))
    assert shown
    if shown[2]:
        unit = 1000 ** (1 + "kMGT".index(shown[3][0]))
        assert float(shown[2]) >= 1
        assert abs(float(shown[2]) * unit - count) <= unit * 0.051


@given(st.binary(max_size=400))
def test_the_size_of_an_image_is_that_of_its_decoded_bytes(data: bytes) -> None:
    encoded = base64.b64encode(data).decode()
    assert texts.image("image/png", encoded) == f"[image: image/png, {len(data)} B]"
    assert texts.image("image/png", encoded.rstrip("=")) == f"[image: image/png, {len(data)} B]"


@pytest.mark.parametrize("data", [None, 7, ""])
def test_an_image_without_data_is_still_a_line(data: object) -> None:
    assert texts.image("image/gif", data) == "[image: image/gif, 0 B]"
    assert texts.image(None, data).startswith("[image: ")


# lines, numbers


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [(("a", "b"), "a\nb"), (("a\n", "b"), "a\nb"), (("", "b"), "b"), (("a\n\n", "b"), "a\n\nb")],
)
def test_lines_stand_one_below_the_other(pieces: tuple[str, ...], expected: str) -> None:
    assert texts.lines(*pieces) == expected


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None, "x", 2**53 - 1, -(2**53) + 1])
def test_a_number_that_javascript_holds_stays_itself(value: object) -> None:
    assert texts.number(value) is value


@pytest.mark.parametrize("value", [2**53 + 1, -(2**63), 10**400])
def test_a_number_that_javascript_would_change_becomes_text(value: int) -> None:
    assert texts.number(value) == str(value)


@given(any_text)
def test_what_is_cleaned_can_be_sent(value: str) -> None:
    texts.cut(texts.well_formed(value), 64).encode()
