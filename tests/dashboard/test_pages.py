"""The pages: what a person sees and how little is loaded for it."""

import re
from html.parser import HTMLParser

import pytest

from tests.dashboard.conftest import START, Clock, Local

DAY = 86_400_000
PAGES = ["/", "/numbers?days=all", "/search?q=alert", "/search?q=nothing", "/login"]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><b> \x1b[31m \u202e"


def rows(page: str) -> list[str]:
    return re.findall(r'<a class="title"[^>]*>(?:<span[^>]*></span>)?(.*?)</a>', page)


class Balance(HTMLParser):
    """Fail where tags do not close in order, and on anything that could run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script":
            assert (values.get("src") or "").startswith("/static/")
        assert tag not in ("iframe", "object", "embed", "img", "style", "base")
        assert not [name for name in values if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            value = values.get(name) or "/"
            assert value.startswith(("/", "?", "#", "https://example.org")), value
            assert not value.startswith("//")
        if not self._is_closed(tag):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._is_closed(tag):
            return
        assert self.open, tag
        assert self.open.pop() == tag

    def _is_closed(self, tag: str) -> bool:
        return tag in ("path", "rect", "line", "meta", "link", "input", "br", "hr", "col", "img")


def assert_harmless(page: str) -> None:
    # A filter's value must be the real one; nobody sees it.
    seen = re.sub(r' value="[^"]*"', "", checked(page))
    assert [sign for sign in ("<script>", "\x1b", "\u202e") if sign in seen] == []


def checked(page: str) -> str:
    balance = Balance()
    balance.feed(page)
    balance.close()
    assert balance.open == []
    return page


def test_an_empty_page_says_so_and_offers_samples(local: Local) -> None:
    page = checked(local.page("/"))
    assert "No sessions yet" in page
    assert "--demo" in page


def test_the_sessions_are_listed_newest_first_with_what_they_cost(local: Local) -> None:
    local.session("old", title="Old", createdAt=START - 10 * DAY)
    local.session(
        "new",
        title="New",
        createdAt=START - 3 * 3_600_000,
        projectPath="/src/webapp",
        model="m1",
        promptTokens=1_200_000,
        completionTokens=34_000,
        cost=1.234,
    )
    page = checked(local.page("/"))
    assert rows(page) == ["New", "Old"]
    for expected in ("webapp", "m1", "1.2M", "$1.23", "3 h ago", "18 May 2026"):
        assert expected in page


def test_an_old_session_that_is_backfilled_stands_at_its_own_date(local: Local, clock: Clock) -> None:
    local.session("new", title="New", createdAt=START)
    clock.ms += 1000
    local.session("old", title="Old", createdAt=START - DAY)
    local.message("old", "a", createdAt=START - DAY + 5)
    assert rows(local.page("/")) == ["New", "Old"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("project=webapp", ["B", "A"]),
        ("source=codex-cli", ["C"]),
        ("model=m2", ["B"]),
        ("project=webapp&model=m2", ["B"]),
        ("project=webapp&source=codex-cli", []),
        ("since_day=2026-05-28", ["C", "B"]),
        ("until=2026-05-27", ["A"]),
        ("since_day=2026-05-27&until=2026-05-27", ["A"]),
        ("project=" + "x" * 500, []),
        ("project=';DROP TABLE sessions;--", []),
        ("", ["C", "B", "A"]),
    ],
)
def test_the_filters(local: Local, query: str, expected: list[str]) -> None:
    local.session("a", title="A", projectName="webapp", model="m1", source="pi", createdAt=START - DAY)
    local.session("b", title="B", projectName="webapp", model="m2", source="pi", createdAt=START - 1000)
    local.session("c", title="C", projectName="other", model="m3", source="codex-cli", createdAt=START)
    assert rows(checked(local.page(f"/?{query}"))) == expected


def test_the_list_goes_on_to_its_end_without_gap_or_repeat(local: Local) -> None:
    sessions = [
        {"externalId": f"s{n:03}", "title": f"s{n:03}", "createdAt": START + n // 3} for n in range(130)
    ]
    local.post("/sync/batch", {"sessions": sessions})
    seen: list[str] = []
    url = "/?"
    while url:
        page = local.page(url)
        seen += rows(page)
        more = re.search(r'data-more="([^"]*)"', page)
        url = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == 130
    assert sorted(seen, reverse=True) != seen or len(set(seen)) == 130
    assert sorted(seen) == [f"s{n:03}" for n in range(130)]


def test_an_unchanged_list_is_not_sent_again(local: Local) -> None:
    local.session("a", title="A")
    revision = re.search(r'data-revision="(\d+)"', local.page("/"))
    assert revision
    url = f"/?rows=1&since={revision[1]}"
    assert local.ask("GET", url, headers={"cookie": local.cookie}).status_code == 204
    local.session("b", title="B")
    page = local.page(url)
    assert rows(page) == ["B", "A"]
    assert "<html" not in page


def test_one_session_shows_its_turns_with_time_tokens_and_cost(local: Local) -> None:
    session_id = local.session(
        "s1", title="Work", model="m1", cost=2, durationMs=125_000, promptTokens=1000, cacheReadTokens=800
    )
    local.message("s1", "a", role="user", textContent="Please **do**", createdAt=START)
    local.message(
        "s1",
        "b",
        textContent="Done",
        createdAt=START + 61_000,
        model="m2",
        promptTokens=1500,
        completionTokens=20,
        durationMs=4200,
        cost=0.07,
    )
    page = checked(local.page(f"/sessions/{session_id}"))
    for expected in (
        "<strong>do</strong>",
        "20:27:41",
        "1.5k in · 20 out",
        "$0.07",
        "4.2 s",
        "m2",
        "2 min 5 s",
        "80%",
    ):
        assert expected in page
    assert page.index("Please") < page.index("Done")


def long_session(local: Local, count: int) -> tuple[str, list[str]]:
    messages = [
        {
            "sessionExternalId": "s1",
            "externalId": f"m{n}",
            "role": "user",
            "textContent": f"message-{n}.",
            "createdAt": START + n,
        }
        for n in range(count)
    ]
    local.post("/sync/batch", {"messages": messages})
    session_id = local.session("s1")
    return session_id, [message["id"] for message in local.stored(session_id)[1]]


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"message-(\d+)\.", page)]


def test_a_long_session_is_read_piece_by_piece_in_both_directions(local: Local) -> None:
    session_id, _ = long_session(local, 130)
    page = checked(local.page(f"/sessions/{session_id}"))
    assert shown(page) == list(range(40))
    seen = shown(page)
    while more := re.search(r'data-more="([^"]*)"', page):
        page = checked(local.page(more[1]))
        seen += shown(page)
    assert seen == list(range(130))
    page = checked(local.page(f"/sessions/{session_id}?end"))
    seen = shown(page)
    assert seen[-1] == 129
    while more := re.search(r'data-before="([^"]*)"', page):
        page = checked(local.page(more[1]))
        seen = shown(page) + seen
    assert seen == list(range(130))


def test_a_link_to_a_message_opens_around_it(local: Local) -> None:
    session_id, ids = long_session(local, 130)
    page = checked(local.page(f"/sessions/{session_id}?at={ids[70]}"))
    assert shown(page) == list(range(60, 110))
    assert f'<article id="m{ids[70]}" class="message user around"' in page


def test_a_window_of_huge_messages_is_a_short_one(local: Local) -> None:
    for number in range(4):
        local.message(
            "s1",
            f"m{number}",
            textContent=f"message-{number}. " + "word " * 100_000,
            createdAt=START + number,
        )
    session_id = local.session("s1")
    page = local.page(f"/sessions/{session_id}")
    assert shown(page) == [0]
    assert "data-more" in page


@pytest.mark.parametrize("url", PAGES)
def test_nothing_hostile_reaches_a_page(local: Local, url: str) -> None:
    local.session(
        f"s{EVIL}",
        title=EVIL,
        projectPath=EVIL,
        projectName=EVIL,
        model=EVIL,
        provider=EVIL,
        source=EVIL[:60],
        cost=1,
    )
    local.message(f"s{EVIL}", f"m{EVIL}", role="user", textContent=EVIL, model=EVIL)
    assert_harmless(local.page(url))


def test_nothing_hostile_reaches_the_page_of_a_session(local: Local) -> None:
    parts = [
        {"type": kind, "content": content}
        for kind in ("text", "tool-call", "tool-result", "thinking", EVIL[:60])
        for content in (
            EVIL,
            {"text": EVIL},
            {"toolName": EVIL, "args": {EVIL: EVIL, "path": EVIL, "command": EVIL}},
        )
    ]
    local.message("s", "m", parts=parts, model=EVIL)
    session_id = local.session(
        "s", title=f"[Fork::{EVIL[:8]}] {EVIL}", projectPath=EVIL, model=EVIL, provider=EVIL
    )
    for url in (f"/sessions/{session_id}", f"/search?q=alert&in={session_id}"):
        assert_harmless(local.page(url))


def test_a_problem_is_a_page_for_people_and_json_for_programs(local: Local) -> None:
    assert "There is nothing here." in checked(local.page("/sessions/42", status=404))
    assert local.get("/api/sessions/get?id=42", status=404) == {"error": "Session not found"}


def test_exports_are_files_with_safe_names(local: Local) -> None:
    session_id = local.session("s1", title="../../etc/passwd\r\nSet-Cookie: x")
    local.message(
        "s1",
        "a",
        textContent="x",
        parts=[{"type": "tool-call", "content": {"toolName": "t", "args": {"a": "```"}}}],
    )
    for kind, suffix in (("json", "json"), ("markdown", "md")):
        answer = local.ask("GET", f"/sessions/{session_id}/export/{kind}", headers={"cookie": local.cookie})
        assert (
            answer.headers["content-disposition"]
            == f'attachment; filename="etc-passwd-Set-Cookie-x.{suffix}"'
        )
        assert "set-cookie" not in answer.headers
    whole = local.ask("GET", f"/sessions/{session_id}/export/json", headers={"cookie": local.cookie}).json()
    assert whole == {"session": local.stored(session_id)[0], "messages": local.stored(session_id)[1]}
    markdown = local.page(f"/sessions/{session_id}/export/markdown")
    assert '````json\n{\n  "a": "```"\n}\n````' in markdown
