"""The pages in a real browser: they draw, follow, load as one scrolls, and run nothing that is not theirs."""

import re
from typing import Any

import pytest

from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import EVIL

pytestmark = pytest.mark.slow


def fill(local: Local, count: int) -> str:
    messages = [
        {
            "sessionExternalId": "long",
            "externalId": f"m{n}",
            "role": "user",
            "textContent": f"message-{n}.",
            "createdAt": START + n,
        }
        for n in range(count)
    ]
    local.post(
        "/sync/batch", {"sessions": [{"externalId": "long", "title": "A long session"}], "messages": messages}
    )
    return local.session("long")


def texts(page: Any) -> list[str]:
    return re.findall(r"message-(\d+)\.", page.locator("#messages").inner_text())


def test_a_key_lets_a_browser_in_and_logging_out_ends_it(browser: Any, local: Local, url: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        session = local.session("s1", title="Work")
        page.goto(f"{url}/sessions/{session}?end")
        page.get_by_label("Key").fill("osk_wrong")
        page.keyboard.press("Enter")
        page.get_by_text("That is not a key of this server.").wait_for()
        page.get_by_label("Key").fill(local.key)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{url}/sessions/{session}?end")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(f"{url}/login")
        page.goto(url)
        assert page.url == f"{url}/login"


def test_from_the_list_to_a_session_to_its_tools(local: Local, tab: Tab) -> None:
    parts = [
        {"type": "text", "content": "<thinking>\nquietly\n</thinking>\n```python\nx = 1\n```"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "make test"}}},
        {"type": "tool-result", "content": "3 passed"},
    ]
    local.session("s1", title="Fix the tests", projectName="webapp")
    local.message("s1", "a", parts=parts)
    page = tab.open("/")
    page.get_by_role("link", name="Fix the tests").click()
    page.wait_for_selector("article")
    result = page.get_by_text("3 passed")
    assert not result.is_visible()
    page.get_by_text("make test").first.click()
    assert result.is_visible()
    assert not page.get_by_text("quietly").is_visible()
    page.locator("summary", has_text="Thinking").click()
    assert page.get_by_text("quietly").is_visible()
    page.get_by_role("button", name="Open all").click()
    assert page.locator("details.tool, details.thinking").evaluate_all("all => all.every(one => one.open)")
    page.get_by_role("button", name="Close all").click()
    assert not result.is_visible()
    assert not page.get_by_text("quietly").is_visible()


def test_search_leads_to_the_message(local: Local, tab: Tab) -> None:
    fill(local, 130)
    page = tab.open("/")
    page.keyboard.press("/")
    page.keyboard.type("message 71")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hit")
    assert page.locator("mark").all_inner_texts() == ["message", "71"]
    page.locator(".hit").click()
    page.wait_for_selector(".around")
    assert page.locator(".around").inner_text().endswith("message-71.")
    assert page.locator(".around").bounding_box()["y"] < 800


def test_a_filter_shows_at_once_what_it_finds(local: Local, tab: Tab) -> None:
    local.session("s1", title="One", model="m1")
    local.session("s2", title="Two", model="m2")
    page = tab.open("/")
    page.get_by_label("model").select_option("m2")
    page.wait_for_url("**model=m2**")
    assert page.locator(".row .title").all_inner_texts() == ["Two"]


def test_a_long_session_loads_as_it_is_scrolled(local: Local, tab: Tab) -> None:
    session_id = fill(local, 400)
    page = tab.open(f"/sessions/{session_id}")
    assert len(texts(page)) < 150
    while len(texts(page)) < 400:
        before = len(texts(page))
        page.mouse.wheel(0, 5000)
        page.locator("article").nth(before).wait_for()
    assert texts(page) == [str(n) for n in range(400)]


def test_what_is_loaded_further_may_draw_tables(local: Local, tab: Tab) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    messages = [
        {
            "sessionExternalId": "s1",
            "externalId": f"m{number}",
            "textContent": f"message-{number}.\n\n{table}",
            "role": "assistant",
            "createdAt": START + number,
        }
        for number in range(100)
    ]
    local.post("/sync/batch", {"messages": messages})
    page = tab.open(f"/sessions/{local.session('s1')}")
    while len(texts(page)) < 100:
        before = len(texts(page))
        page.mouse.wheel(0, 9000)
        page.locator("article").nth(before).wait_for()
    assert texts(page) == [str(number) for number in range(100)]


def test_from_its_end_a_long_session_loads_upward_without_a_jump(local: Local, tab: Tab) -> None:
    session_id = fill(local, 400)
    page = tab.open(f"/sessions/{session_id}?at={local.stored(session_id)[1][300]['id']}")
    page.locator("article").nth(60).wait_for()
    shown = texts(page)
    assert shown == [str(n) for n in range(int(shown[0]), int(shown[-1]) + 1)]
    assert 0 <= page.locator(".around").bounding_box()["y"] < 800


def test_an_open_session_grows_and_its_messages_change(local: Local, tab: Tab) -> None:
    session_id = local.session("s1", title="Work")
    page = tab.open(f"/sessions/{session_id}")
    assert page.get_by_text("No messages yet.").is_visible()
    local.message("s1", "a", textContent="first words", createdAt=START)
    page.wait_for_selector("article:has-text('first words')")
    local.message("s1", "c", textContent="third words", createdAt=START + 2)
    local.message("s1", "b", textContent="second words", createdAt=START + 1)
    page.locator("article").nth(2).wait_for()
    call = {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "ls"}}}
    local.message("s1", "c", parts=[call])
    page.wait_for_selector("details.tool")
    page.locator("details.tool summary").click()
    local.message("s1", "c", parts=[call, {"type": "tool-result", "content": "came later"}])
    page.wait_for_selector("text=came later")
    assert page.get_by_text("came later").is_visible(), "what was open stays open"
    local.session("s1", title="Work with a name")
    page.wait_for_selector("h1:has-text('Work with a name')")
    order = page.locator("article").evaluate_all("all => all.map(one => BigInt(one.dataset.id))")
    assert order == sorted(order)
    assert not page.get_by_text("No messages yet.").is_visible()


def test_an_open_list_shows_new_sessions(local: Local, tab: Tab) -> None:
    page = tab.open("/")
    assert page.get_by_text("No sessions yet").is_visible()
    local.session("s1", title="The first one")
    page.wait_for_selector("text=The first one", timeout=20_000)
    local.session("s2", title="The second one")
    page.wait_for_selector("text=The second one", timeout=20_000)


def test_a_hostile_transcript_does_nothing(local: Local, tab: Tab) -> None:
    lines = [
        EVIL,
        "[x](javascript:alert(1)) ![x](https://evil.example/p.png) <https://example.org>",
        "</article></main></body><script>alert(1)</script><style>*{display:none}</style>",
        "<iframe src=https://evil.example></iframe><link rel=stylesheet href=https://evil.example>",
        '```"><script>alert(1)</script>\n</pre><script>alert(1)</script>\n```',
        "| a |\n|:-:|\n| <svg onload=alert(1)> |",
        "{{ 7+7 }} {% include '/etc/passwd' %} ${7+7}",
    ]
    text = "\n\n".join(lines)
    parts: list[dict[str, Any]] = [
        {"type": kind, "content": content}
        for kind in ("text", "tool-result", "thinking", "odd")
        for content in (text, {"text": text})
    ]
    parts.append({"type": "tool-call", "content": {"toolName": EVIL, "args": {EVIL: text, "path": EVIL}}})
    local.session("s", title=EVIL, projectPath=EVIL, model=EVIL)
    local.message("s", "m", parts=parts)
    session_id = local.session("s")
    for path in ("/", f"/sessions/{session_id}", "/search?q=alert", "/numbers?days=all"):
        page = tab.open(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.locator("header.top").is_visible()
        assert page.locator("main script, main iframe, main img, main style, main link").count() == 0
    page = tab.open(f"/sessions/{session_id}")
    assert set(page.locator("article a[href^='http']").evaluate_all("all => all.map(one => one.href)")) == {
        "https://evil.example/p.png",
        "https://example.org/",
    }
    assert "{{ 7+7 }}" in page.locator("article").inner_text()


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_colours_are_those_that_the_person_prefers(
    browser: Any, local: Local, url: str, scheme: str, is_dark: bool
) -> None:
    with opened(browser, local, url, color_scheme=scheme) as tab:
        page = tab.open("/")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
        assert (red + green + blue < 3 * 80) is is_dark


def test_nothing_is_wider_than_a_phone(browser: Any, local: Local, url: str) -> None:
    wide = "x" * 300
    parts = [
        {
            "type": "text",
            "content": f"{wide}\n\n```\n{wide}\n```\n\n| {wide} | b |\n|---|---|\n| {wide} | c |",
        },
        {"type": "tool-call", "content": {"toolName": wide, "args": {"command": wide, wide: 5}}},
        {"type": "tool-result", "content": wide},
    ]
    local.session("s", title=wide, projectPath=f"/{wide}", model=wide, cost=1234567, promptTokens=10**9)
    local.message("s", "m", parts=parts, model=wide, promptTokens=10**6, cost=12.5, durationMs=10**6)
    session_id = local.session("s")
    with opened(browser, local, url, viewport={"width": 360, "height": 700}) as tab:
        for path in (
            "/",
            f"/sessions/{session_id}",
            f"/search?q={wide[:150]}*",
            "/numbers?days=all",
            "/login",
        ):
            page = tab.open(path)
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_charts_are_drawn(local: Local, tab: Tab) -> None:
    local.session(
        "s", cost=2.5, promptTokens=1000, completionTokens=50, cacheReadTokens=400, projectName="webapp"
    )
    local.message("s", "m", promptTokens=1000)
    page = tab.open("/numbers?days=7")
    heights = (
        page.locator(".chart.columns")
        .first.locator("rect.s0")
        .evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    )
    assert len(heights) == 7
    assert max(heights) > 80
    assert page.locator(".chart.heat:not(.year) rect").count() == 2 * 24 * 7
    assert "40%" in page.locator("main").inner_text()


def branch_off(local: Local) -> str:
    """One and two; the session is to go on after one."""
    for number, (name, parent) in enumerate([("1", None), ("2", "1")]):
        local.message(
            "s1",
            name,
            textContent=f"message-{name}.",
            createdAt=START + number,
            entryId=name,
            parentEntryId=parent,
        )
    return local.session("s1", title="Tree")


def go_on(local: Local, name: str, parent: str) -> None:
    said = {"textContent": f"message-{name}.", "createdAt": START + int(name)}
    local.message("s1", name, entryId=name, parentEntryId=parent, **said)


def test_an_open_page_goes_on_in_the_branch_that_the_session_goes_on_in(local: Local, tab: Tab) -> None:
    page = tab.open(f"/sessions/{branch_off(local)}")
    assert texts(page) == ["1", "2"]
    go_on(local, "3", "1")
    page.get_by_text("message-3.").wait_for()
    assert texts(page) == ["1", "3"]
    assert page.get_by_text("Another branch leaves here").is_visible()
    go_on(local, "4", "3")
    page.get_by_text("message-4.").wait_for()
    assert texts(page) == ["1", "3", "4"]
    go_on(local, "5", "2")
    page.get_by_text("message-5.").wait_for()
    assert texts(page) == ["1", "2", "5"]


def test_who_reads_further_up_is_told_and_keeps_what_is_read(local: Local, tab: Tab) -> None:
    session_id = branch_off(local)
    local.message(
        "s1", "long", textContent="a line\n\n" * 200, createdAt=START + 2, entryId="l", parentEntryId="2"
    )
    page = tab.open(f"/sessions/{session_id}")
    go_on(local, "3", "1")
    page.get_by_text("Went on in another branch").wait_for()
    assert texts(page) == ["1", "2"]
    page.get_by_text("Went on in another branch").click()
    page.get_by_text("message-3.").wait_for()
    assert texts(page) == ["1", "3"]
