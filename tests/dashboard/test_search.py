"""Search finds every word wherever it stands, shows it, and forgets what is no longer said."""

import re

import pytest

from pi_opensync.dashboard.query import parse
from pi_opensync.dashboard.snippets import Snippet, snippet
from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import checked


def found(local: Local, query: str) -> list[str]:
    page = local.page("/search?q=" + query.replace("+", "%2B").replace("#", "%23").replace("&", "%26"))
    return re.findall(r"named (\w+)", re.sub(r"</?mark>", "", page.split("<main ")[1]))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("apple", ["three", "one"]),
        ("APPLE", ["three", "one"]),
        ("apple pear", ["one"]),
        ('"ripe apple"', ["one"]),
        ('"apple ripe"', []),
        ("appl*", ["three", "one"]),
        ("cafe", ["two"]),
        ("café", ["two"]),
        ("snake_case", ["two"]),
        ("needle", ["four"]),
        ("outcome", ["four"]),
        ("bash", ["four"]),
        ("日本", ["five"]),
        ("本語", ["five"]),
        ("zebra", []),
    ],
)
def test_what_is_found(local: Local, query: str, expected: list[str]) -> None:
    local.message("s1", "1", textContent="named one: a ripe apple and a pear", createdAt=START)
    local.message("s1", "2", textContent="named two: Café, a snake_case word", createdAt=START + 1)
    local.message("s2", "3", role="user", textContent="named three: Apple", createdAt=START + 2)
    tool = {
        "type": "tool-call",
        "content": {"toolName": "bash", "args": {"cmd": ["named four", {"x": "needle"}]}},
    }
    local.message("s2", "4", parts=[tool, {"type": "tool-result", "content": "outcome"}], createdAt=START + 3)
    local.message("s3", "5", textContent="named five 日本語", createdAt=START + 4)
    assert found(local, query) == expected


def test_words_without_a_hit_are_taken_as_beginnings(local: Local) -> None:
    local.message("s1", "1", textContent="named one: the watcher watched")
    assert found(local, "watc") == ["one"]
    assert "words that begin so" in local.page("/search?q=watc")


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "++",
        '"',
        '""',
        "*",
        "a*b",
        "AND",
        "OR NOT",
        "NEAR(a b)",
        "body:x",
        "scope : session1",
        "(",
        '"a" OR "b',
        "a:b",
        "-x",
        "^x",
        "{a b}",
        "\0",
        "x\0y",
        "'",
        "; DROP TABLE search",
        "%",
        "_",
        "\u202e",
        "x" * 5000,
        "a " * 500,
    ],
)
def test_no_query_breaks_the_search(local: Local, query: str) -> None:
    local.message("s1", "1", textContent="named one: a or b")
    for url in ("/search", "/api/search"):
        answer = local.ask("GET", url, params={"q": query}, headers={"cookie": local.cookie, **local.bearer})
        assert answer.status_code in (200, 400), answer.text


def test_a_changed_message_is_found_by_its_new_words_only(local: Local) -> None:
    local.message(
        "s1", "1", textContent="named one: old", parts=[{"type": "text", "content": "named one: old"}]
    )
    local.message(
        "s1", "1", textContent="named one: new", parts=[{"type": "text", "content": "named one: new"}]
    )
    local.message("s1", "1", textContent="named one: new")
    assert (found(local, "old"), found(local, "new")) == ([], ["one"])
    with local.store.write() as database:
        database.run("INSERT INTO search (search) VALUES ('integrity-check')")


def test_hits_are_newest_first_whatever_the_order_of_arrival(local: Local) -> None:
    for name, at in (("b", 20), ("d", 40), ("a", 10), ("c", 30)):
        local.message(f"s{name}", name, textContent=f"named {name} word", createdAt=START + at)
    assert found(local, "word") == ["d", "c", "b", "a"]


def test_all_hits_can_be_reached(local: Local) -> None:
    messages = [
        {
            "sessionExternalId": "s",
            "externalId": f"{n}",
            "role": "user",
            "textContent": f"word number{n}.",
            "createdAt": START + n,
        }
        for n in range(75)
    ]
    local.post("/sync/batch", {"messages": messages})
    seen: list[str] = []
    url = "/search?q=word"
    while url:
        page = local.page(url)
        seen += re.findall(r"number(\d+)\.", page)
        more = re.search(r'class="more"><a href="([^"]*)"', page)
        url = more[1].replace("&amp;", "&") if more else ""
    assert seen == [str(n) for n in reversed(range(75))]


def test_a_session_can_be_searched_alone(local: Local) -> None:
    local.message("s1", "1", textContent="named one word")
    local.message("s2", "1", textContent="named two word")
    page = local.page(f"/search?q=word&in={local.session('s1')}")
    assert ("named one" in page, "named two" in page) == (True, False)


def test_titles_and_projects_are_found(local: Local) -> None:
    local.session("s1", title="Fix 100% of_it", projectPath="/src/webapp")
    local.session("s2", title="Other")
    for query in ("fix", "webapp", "fix%20webapp", "100%25"):
        assert re.findall(r'/sessions/\d+">(.*?)</a>', local.page(f"/search?q={query}")) == ["Fix 100% of_it"]


@pytest.mark.parametrize(
    ("text", "query", "runs"),
    [
        ("the cat sat", "cat", ("the ", "cat", " sat")),
        ("Café au lait", "cafe", ("", "Café", " au lait")),
        ("concat cat", "cat", ("concat ", "cat", "")),
        ("concat", "con*", ("", "con", "cat")),
        ("snake_case here", "snake_case", ("", "snake_case", " here")),
        ("日本語", "本", ("日", "本", "語")),
        ("nothing", "else", ("nothing",)),
    ],
)
def test_hits_are_marked_where_they_stand(text: str, query: str, runs: tuple[str, ...]) -> None:
    assert snippet(text, parse(query)) == Snippet(runs)


def test_a_hit_deep_in_a_long_text_is_shown_in_its_context() -> None:
    shown = snippet("hay " * 100_000 + "the needle is here " + "hay " * 1000, parse("needle"))
    assert shown.runs[1] == "needle"
    assert shown.runs[0].endswith("the ")
    assert len("".join(shown.runs)) < 400


def test_what_a_fork_copied_is_found_once_and_under_its_parent(local: Local) -> None:
    parent = local.session("aaaa1111-x", title="Work", createdAt=START)
    fork = local.session("bbbb2222-x", title="[Fork::aaaa1111] Work", createdAt=START + 10)
    for session in ("aaaa1111-x", "bbbb2222-x"):
        local.message(session, f"{session}-1", textContent="the same apple", createdAt=START + 5)
    local.message("bbbb2222-x", "own", textContent="an apple of its own", createdAt=START + 10)
    page = local.page("/search?q=apple")
    assert re.findall(r'class="hit" href="/sessions/(\d+)', page) == [fork, parent]
    within = local.page(f"/search?q=apple&in={fork}")
    assert re.findall(r'class="hit" href="/sessions/(\d+)', within) == [fork, fork]


def test_a_copy_without_its_parent_is_found(local: Local) -> None:
    local.session("bbbb2222-x", title="[Fork::aaaa1111] Work", createdAt=START + 10)
    local.message("bbbb2222-x", "m", textContent="an apple", createdAt=START + 5)
    assert local.page("/search?q=apple").count('class="hit"') == 1


def test_the_marks_around_thinking_are_not_shown_with_a_hit(local: Local) -> None:
    local.message("s1", "a", textContent="<thinking>\nan apple\n</thinking>\n\nnamed one")
    page = local.page("/search?q=apple")
    assert "thinking" not in page.split('class="hits"')[1]
    assert found(local, "apple") == ["one"]


def test_hits_are_filtered_by_what_is_chosen_beside_them(local: Local) -> None:
    for name, project, role in (("s1", "/p/one", "user"), ("s2", "/p/two", "assistant")):
        local.session(name, title=name.upper(), projectPath=project, source="pi")
        local.message(name, f"{name}-m", role=role, textContent=f"the same words of {name}")
    page = checked(local.page("/search?q=words"))
    assert ("of s1" in page, "of s2" in page) == (True, True)
    page = checked(local.page("/search?q=words&project=/p/one"))
    assert ("of s1" in page, "of s2" in page) == (True, False)
    assert '<option value="/p/one" selected>one</option>' in page
    page = checked(local.page("/search?q=words&role=assistant"))
    assert ("of s1" in page, "of s2" in page) == (False, True)
    assert "All projects" not in local.page("/search")
