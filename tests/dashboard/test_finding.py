"""A search finds what is asked for, by words, filters and files, in every script."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pi_opensync.dashboard.db import finding
from pi_opensync.dashboard.query import parse
from pi_opensync.dashboard.runs import Touch
from pi_opensync.sqlite import Database
from tests.dashboard.conftest import START, Local

DAY = 86_400_000


def found(local: Local, query: str, **options: Any) -> list[str]:
    """The external ids of the messages that are found, the newest first."""
    hits = finding.search(local.store.read, parse(query), limit=50, **options)
    return [hit.message["external_id"] for hit in hits.hits]


@pytest.fixture
def spoken(local: Local) -> Callable[[str, str], list[str]]:
    """Store a text, and search."""

    def say(text: str, query: str) -> list[str]:
        local.message("s", "it", textContent=text)
        return found(local, query)

    return say


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Cafe\u0301 crème", "café creme"),
        ("новая ёлка", "елка"),
        ("ставим елку", "ёлку"),
        ("Tiếng Việt ở Đà Nẵng", "tieng viet da nang"),
        ("هذا مُحَمَّد", "محمد"),
        ("שָׁלוֹם עולם", "שלום"),
        ("ﾃｽﾄ ＡＢＣ", "テスト abc"),  # noqa: RUF001 - full width
        ("日本語のテスト", "本語"),
        ("日本語のテスト", "本"),
        ("日本語のテスト", "ト"),
        ("二〇二六年", "〇"),  # noqa: RUF001 - a digit
        ("한국어를 배운다", "국어"),
        ("ภาษาไทยง่ายมาก", "ไทย"),
        ("ພາສາລາວ", "ລາວ"),
        ("हिन्दी में", "हिन्दी"),
        ("done 🎉 at last", "🎉"),
        ("family 👩‍💻 here", "👩‍💻"),
        ("call foo(bar) now", '"foo(bar)"'),
        ('a "quoted" word', '"a \\"quoted\\" word"'),
        ("std::vector<int>", "std::vector"),
    ],
)
def test_it_is_found_in_every_script(spoken: Callable[[str, str], list[str]], text: str, query: str) -> None:
    assert spoken(text, query) == ["it"]
    assert spoken(text, f"{query} absent") == []


@pytest.mark.parametrize(
    ("text", "query"),
    [("call foo bar", '"foo(bar)"'), ("日本の言語", "日本語"), ("ripe apples, an apple", '"ripe apple"')],
)
def test_words_apart_are_no_phrase(spoken: Callable[[str, str], list[str]], text: str, query: str) -> None:
    assert spoken(text, query) == []


def call(name: str, result: str = "fine", **args: str) -> list[dict[str, Any]]:
    return [
        {"type": "tool-call", "content": {"toolName": name, "args": args}},
        {"type": "tool-result", "content": result},
    ]


@pytest.fixture
def filled(local: Local) -> Local:
    local.session("s1", title="One", projectPath="/src/web", model="opus", createdAt=START)
    local.session("s2", title="Two", projectPath="/old/web/", model="gpt", source="codex-cli")
    local.session("s3", title="Three", projectPath="/src/notes", parentExternalId="s1", createdAt=START + DAY)
    local.message("s1", "a", role="user", textContent="apple pie", createdAt=START)
    local.message(
        "s1", "b", model="opus-4", parts=call("bash", "[error] no", command="apple"), createdAt=START + 1
    )
    local.message("s2", "c", textContent="apple", createdAt=START + DAY)
    edit = call("Edit", path="/src/notes/render.py")
    local.message("s3", "d", textContent="apple", model="haiku", parts=edit, createdAt=START + 2 * DAY)
    return local


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("apple", "dcba"),
        ("apple role:user", "a"),
        ("apple -role:user", "dcb"),
        ("apple tool:bash", "b"),
        ("tool:edit", "d"),
        ("apple model:opus", "ba"),
        ("apple -model:opus", "dc"),
        ("apple project:web", "cba"),
        ("apple project:src/web", "ba"),
        ("apple project:/src/web/", "ba"),
        ("apple source:codex", "c"),
        ("apple is:fork", "d"),
        ("apple -is:fork", "cba"),
        ("apple is:error", "b"),
        ("apple file:render.py", "d"),
        ("apple pie", "a"),
        ("apple -pie", "dcb"),
        ("pie OR haiku OR command OR bash", "ba"),
        ("apple nothing", ""),
    ],
)
def test_filters_narrow(filled: Local, query: str, ids: str) -> None:
    assert found(filled, query) == list(ids)


def test_days_narrow(filled: Local) -> None:
    day = "2026-05-28"  # of START
    assert found(filled, f"apple before:{day}") == []
    assert found(filled, f"apple after:{day}") == list("dcba")
    assert found(filled, "apple after:2026-05-29 before:2026-05-30") == ["c"]


def test_a_filter_alone_finds_sessions(filled: Local) -> None:
    page = filled.page("/search?q=project:web")
    assert re.findall(r'/sessions/\d+">(One|Two|Three)</a>', page) == ["Two", "One"]


def test_the_page_tells_how_many_and_what_was_not_understood(filled: Local) -> None:
    page = filled.page("/search?q=apple+author:me")
    assert "author: is no filter" in page
    assert "4 messages" in filled.page("/search?q=apple")
    answer = filled.get("/api/search?q=apple+author:me")
    (problem,) = answer["problems"]
    assert problem.startswith("author: is no filter (project, model, ")


def test_the_count_is_of_all_pages_and_the_next_page_follows(filled: Local) -> None:
    first = finding.search(filled.store.read, parse("apple"), limit=3)
    assert ([hit.message["external_id"] for hit in first.hits], first.count) == (list("dcb"), 4)
    rest = finding.search(filled.store.read, parse("apple"), limit=3, before=first.next_before)
    assert ([hit.message["external_id"] for hit in rest.hits], rest.next_before) == (["a"], None)


def test_a_search_that_looks_at_too_many_texts_goes_on_later(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_MOST_LOOKS", 5)
    local.message("s", "it", textContent="ripe apple", createdAt=START)
    for number in range(12):
        local.message("s", f"not {number}", textContent="apple, ripe", createdAt=START + 1 + number)
    seen: list[str] = []
    before, pages = None, 0
    while True:
        hits = finding.search(local.store.read, parse('"ripe apple"'), limit=3, before=before)
        seen += [hit.message["external_id"] for hit in hits.hits]
        pages += 1
        if hits.next_before is None:
            break
        before = hits.next_before
    assert (seen, pages) == (["it"], 3)


def test_files_lead_to_the_sessions_that_touched_them(filled: Local) -> None:
    filled.message("s2", "e", parts=call("read", path="C:\\notes\\render.py"), createdAt=START)
    filled.message("s2", "f", parts=call("write", file_path="C:/notes/render.py"), createdAt=START + 1)
    with filled.store.read() as database:
        rows = finding.sessions_that_touched(database, "c:/notes/render")
        assert [(row["external_id"], row["path"], Touch(row["kinds"])) for row in rows] == [
            ("s2", "C:/notes/render.py", Touch.READ | Touch.WRITTEN)
        ]
        assert [tuple(row) for row in finding.files_of(database, rows[0]["id"])] == [
            ("C:/notes/render.py", 3)
        ]


def test_no_view_of_the_database_is_held_while_texts_are_cut(
    filled: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[int] = [0]  # open now
    open_while_cut: list[int] = []

    @contextmanager
    def read() -> Iterator[Database]:
        views[0] += 1
        with filled.store.read() as database:
            yield database
        views[0] -= 1

    def looked(*_arguments: object) -> bool:
        open_while_cut.append(views[0])
        return True

    monkeypatch.setattr(finding, "is_hit", looked)
    finding.search(read, parse('"apple pie"'), limit=5)
    assert open_while_cut
    assert set(open_while_cut) == {0}
