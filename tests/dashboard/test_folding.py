"""The same word is the same however it is written, and what a search finds can be marked where it stands."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.dashboard.folding import fold, fold_with_places, spaced, words_of
from pi_opensync.dashboard.matching import is_hit
from pi_opensync.dashboard.query import parse
from pi_opensync.dashboard.snippets import snippet


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "cafe"),
        ("ёлка", "елка"),
        ("Việt Nam", "viet nam"),
        ("Đà Nẵng", "da nang"),
        ("ﾃｽﾄ", "テスト"),
        ("ｶﾞ", "ガ"),
        ("ＡＢＣ１２", "abc12"),  # noqa: RUF001 - full width
        ("مُحَمَّد", "محمد"),
        ("شـــكرا", "شكرا"),
        ("שָׁלוֹם", "שלום"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("ΟΔΟΣ", "οδος"),
    ],
)
def test_spellings_of_one_word_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, one)) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("мой", "мои"), ("が", "か"), ("한", "하"), ("ก่", "ก")])
def test_words_that_differ_stay_two(one: str, other: str) -> None:
    assert fold(one) != fold(other)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXT)
def test_each_place_is_one_of_the_text_and_they_only_go_on(text: str) -> None:
    folded, places = fold_with_places(text)
    assert len(places) == len(folded) + 1
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)


@given(TEXT)
def test_folding_twice_changes_nothing_that_the_index_sees(text: str) -> None:
    once = fold(text)
    assert words_of(fold(once)) == words_of(once)


@given(st.text("abcdé日本語ไทย 😀_-", max_size=30), st.data())
def test_every_piece_of_a_text_is_found_in_it_and_marked(text: str, data: st.DataObject) -> None:
    words = text.split()
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    query = parse(f'"{word}"')
    if not query.groups:
        return
    known = set(spaced(fold(text)).split()) | set(words_of(fold(text)))
    for asked in query.groups[0][0].words:
        stem = asked.rstrip("*")
        assert any(each.startswith(stem) if asked.endswith("*") else each == asked for each in _cut(known))
    assert is_hit(query, text)
    assert len(snippet(text, query).runs) > 1


def _cut(words: set[str]) -> set[str]:
    """Words as SQLite cuts them: at what is no letter."""
    return {piece for word in words for piece in words_of(word.replace("_", " "))} | {
        piece for word in words for piece in word.replace("-", " ").replace("_", " ").split()
    }
