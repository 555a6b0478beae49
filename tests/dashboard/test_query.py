"""What is typed is understood, or told; it never fails."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.dashboard.db.index import expression
from pi_opensync.dashboard.matching import is_hit
from pi_opensync.dashboard.query import MAX_QUERY, NAMES, Filter, Term, parse
from pi_opensync.dashboard.snippets import snippet

TODAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("text", "groups", "without"),
    [
        ("apple pear", [["apple"], ["pear"]], []),
        ('"ripe apple" pear', [["ripe apple"], ["pear"]], []),
        ("apple OR pear plum", [["apple", "pear"], ["plum"]], []),
        ("a OR b OR c", [["a", "b", "c"]], []),
        ("apple AND pear", [["apple"], ["pear"]], []),
        ('apple -pear -"ripe plum"', [["apple"]], ["pear", "ripe plum"]),
        ('"say \\"hi\\""', [['say "hi"']], []),
        ("snake_case a-b", [["snake_case"], ["a-b"]], []),
        ("or and not", [["or"], ["and"], ["not"]], []),
    ],
)
def test_words(text: str, groups: list[list[str]], without: list[str]) -> None:
    query = parse(text)
    assert [[term.text for term in group] for group in query.groups] == groups
    assert [term.text for term in query.without] == without
    assert query.problems == ()


def test_a_beginning_and_a_phrase_are_told_from_a_word() -> None:
    query = parse('appl* "ripe pear" plum')
    assert query.terms == (Term("appl", begins=True), Term("ripe pear", is_phrase=True), Term("plum"))


def test_filters() -> None:
    query = parse(
        'project:"my web" -model:gpt role:you tool:bash file:a/b.py source:pi is:forks '
        "after:2026-01 before:7d Project:x",
        TODAY,
    )
    assert query.filters == (
        Filter("project", "my web"),
        Filter("model", "gpt", excludes=True),
        Filter("role", "user"),
        Filter("tool", "bash"),
        Filter("file", "a/b.py"),
        Filter("source", "pi"),
        Filter("is", "fork"),
        Filter("project", "x"),
    )
    assert (query.after, query.before) == (date(2026, 1, 1), date(2026, 5, 13))
    assert (query.groups, query.problems) == ((), ())


@pytest.mark.parametrize("text", ["std::vector", "http://a.test/b", "localhost:8000", "error: x", "10:30"])
def test_a_colon_in_a_word_is_no_filter(text: str) -> None:
    query = parse(text)
    assert (bool(query.groups), query.problems) == (True, ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("author:me", "author: is no filter"),
        ("before:soon", "before: takes a day"),
        ("after:2026-13-40", "after: takes a day"),
        ("-before:2026", "before: takes a day"),
        ("role:boss", "role: is one of"),
        ("is:odd", "is: is one of"),
        ("project:", "project: needs a value"),
        ('"never closed', "A quote is not closed"),
        ("=>", "has no letter or digit"),
        ("a*", "too short a beginning"),
        ("OR a", "OR stands between two words"),
        ("a OR", "OR stands between two words"),
        ("NOT a", "write -word"),
        ("-a", "needs a word that must"),
        ("x" * (MAX_QUERY + 1), "Only the first"),
        ("a " * 30, "Only the first"),
    ],
)
def test_what_is_not_understood_is_told(text: str, told: str) -> None:
    assert any(told in problem for problem in parse(text, TODAY).problems)


@pytest.mark.parametrize(
    ("query", "text", "fits"),
    [
        ('"ripe apple"', "a Ripe  \n apple", True),
        ('"ripe apple"', "ripe apples", False),
        ('"ripe apple"', "apple, ripe", False),
        ('"foo(x)"', "call foo(x);", True),
        ('"foo(x)"', "call foo x", False),
        ('"C++"', "in C++ it is", True),
        ('"C++"', "in C it is", False),
        ("snake_case", "a snake_case word", True),
        ("snake_case", "a case of a snake", False),
        ("日本語", "これは日本語です", True),
        ("日本語", "日本の言語", False),
        ("ไทย", "ภาษาไทยง่าย", True),
        ('apple -"red apple"', "an apple that is red", True),
        ('apple -"red apple"', "a red apple", False),
        ('"a b" OR c', "c", True),
        ('"a b" OR c', "b a", False),
    ],
)
def test_what_the_index_leaves_open_is_looked_up_in_the_text(query: str, text: str, *, fits: bool) -> None:
    assert is_hit(parse(query), text) is fits


PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["OR", "AND", "NOT", '"', "-", "*", "(", "日本", "ไทย", "😀", "é", "\\", "a_b"]),
    st.builds("{}:{}".format, st.sampled_from([*NAMES, "odd"]), st.text(max_size=8)),
)


CONTROLS = "".join(map(chr, range(32)))  # nothing stands in them


@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_nothing_that_is_typed_fails(text: str) -> None:
    query = parse(text, TODAY)
    for each in (query, query.widened()):
        assert isinstance(expression(each), str)
        assert isinstance(is_hit(each, text), bool)
        assert "".join(snippet(text, each).runs) is not None
    if {word.strip("\"'*-" + CONTROLS) for word in text.split()} - {"", "AND"} and not query:
        assert query.problems or not any(char.isalnum() for char in text)


@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=8))
def test_plain_words_are_all_looked_for(words: list[str]) -> None:
    query = parse(" ".join(words))
    assert [group[0].text for group in query.groups] == words
    assert query.problems == ()
