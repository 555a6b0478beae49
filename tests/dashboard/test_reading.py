"""Reading a session and the list in a real browser: places are kept, words are found, what comes is seen."""

import json
import re
import time
from typing import Any

import pytest

from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Local
from tests.dashboard.test_browser import fill, texts

pytestmark = pytest.mark.slow

# What stands at the top of the window, and how far down.
AT_TOP = """
(() => {
  const all = [...document.querySelectorAll("main article, main tr.row")];
  const one = all.find((one) => one.getBoundingClientRect().bottom > 0);
  return [one.id, Math.round(one.getBoundingClientRect().top)];
})()
"""


def until(page: Any, truth: str) -> None:
    """Wait until an expression is true; the page's own policy forbids to let it watch for that."""
    for _ in range(200):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {truth}")


def scroll_until(page: Any, count: int) -> None:
    for _ in range(100):
        if page.locator("main article, main tr.row").count() >= count:
            return
        page.mouse.wheel(0, 5000)
        page.wait_for_timeout(60)
    pytest.fail("there is no more")


def test_latest_shows_the_last_message(local: Local, tab: Tab) -> None:
    session_id = fill(local, 400)
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("link", name="Latest").click()
    last = page.get_by_text("message-399.")
    last.wait_for()
    until(page, "window.scrollY > 0")
    assert last.bounding_box()["y"] < 800
    page.mouse.wheel(0, -2000)
    page.get_by_text("message-320.").wait_for(state="attached")
    page.mouse.wheel(0, 9000)
    page.wait_for_timeout(200)
    assert last.bounding_box()["y"] < 800, "what is loaded above does not push it away"


def test_back_leads_to_the_same_place_in_a_long_session(local: Local, tab: Tab) -> None:
    session_id = fill(local, 400)
    page = tab.open(f"/sessions/{session_id}")
    scroll_until(page, 150)
    page.mouse.wheel(0, -700)
    page.wait_for_timeout(200)
    place, rows, height = page.evaluate(AT_TOP), texts(page), page.evaluate("document.body.scrollHeight")
    page.get_by_role("link", name="Latest").evaluate("(one) => one.click()")
    page.wait_for_url("**?end*")
    page.go_back()
    until(page, f"document.querySelectorAll('article').length >= {len(rows)}")
    until(page, f"JSON.stringify({AT_TOP}) === JSON.stringify({json.dumps(place)})")
    assert texts(page)[: len(rows)] == rows
    assert page.evaluate("document.body.scrollHeight") >= height


def test_back_leads_to_the_same_place_in_the_list(local: Local, tab: Tab) -> None:
    sessions = [
        {"externalId": f"s{n}", "title": f"Session {n}", "createdAt": START - n * 1000} for n in range(180)
    ]
    local.post("/sync/batch", {"sessions": sessions})
    page = tab.open("/")
    scroll_until(page, 150)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(200)
    place = page.evaluate(AT_TOP)
    title = page.locator(f"#{place[0]} + tr + tr .title")
    title.click()
    page.wait_for_selector("h1")
    page.go_back()
    until(page, "document.querySelectorAll('tr.row').length >= 150")
    until(page, f"JSON.stringify({AT_TOP}) === JSON.stringify({json.dumps(place)})")


def test_a_link_to_a_message_shows_it(browser: Any, local: Local, url: str) -> None:
    session_id = fill(local, 400)
    wanted = local.stored(session_id)[1][300]["id"]
    with opened(browser, local, url, permissions=["clipboard-read", "clipboard-write"]) as tab:
        page = tab.open(f"/sessions/{session_id}?at={wanted}")
        article = page.locator(f"#m{wanted}")
        article.hover()
        article.get_by_role("button", name="Link").click()
        article.get_by_role("button", name="Copied").wait_for()
        link = page.evaluate("navigator.clipboard.readText()")
        assert link == f"{url}/sessions/{session_id}?at={wanted}#m{wanted}"
        article.get_by_role("button", name="Copy").click()
        until(page, "navigator.clipboard.readText().then((text) => text === 'message-300.')")
        page.goto(url)
        page.goto(link)
        page.get_by_text("message-260.").wait_for(state="attached")
        assert 0 <= article.bounding_box()["y"] < 800


def test_days_are_told_apart_and_are_those_of_the_reader(browser: Any, local: Local, url: str) -> None:
    for number, at in enumerate((START, START + 3_600_000 * 4, START + 86_400_000)):
        local.message("s1", f"m{number}", textContent="x", createdAt=at)
    session_id = local.session("s1")
    with opened(browser, local, url, timezone_id="Asia/Tokyo") as tab:
        page = tab.open(f"/sessions/{session_id}")
        page.get_by_text("Times are in Asia/Tokyo").wait_for()
        assert page.locator(".day").all_inner_texts() == ["Friday, 29 May 2026", "Saturday, 30 May 2026"]
        assert page.locator("article time").first.inner_text() == "05:26:40"


def with_tools(local: Local) -> str:
    for number in range(60):
        name, args = ("edit", {"path": "a.py", "oldText": "x", "newText": f"y{number}"})
        if number % 2:
            name, args = "bash", {"command": f"ls {number}"}
        parts = [
            {"type": "text", "content": f"<thinking>\nhm {number}\n</thinking>\nanswer {number}"},
            {"type": "tool-call", "content": {"toolName": name, "args": args}},
            {"type": "tool-result", "content": f"Needle{number} in the result"},
        ]
        local.message(
            "s1", f"u{number}", role="user", textContent=f"prompt {number}", createdAt=START + number * 9
        )
        local.message("s1", f"a{number}", parts=parts, createdAt=START + number * 9 + 1)
    return local.session("s1", title="With tools")


def test_everything_is_opened_also_what_comes_later(local: Local, tab: Tab) -> None:
    session_id = with_tools(local)
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("button", name="Open all").click()
    scroll_until(page, 120)
    assert page.locator("details.tool:not([open]), details.thinking:not([open])").count() == 0
    page.get_by_role("button", name="Close all").click()
    assert page.locator("article details[open]").count() == 0


def test_edits_only_shows_the_edits_of_all_the_session(local: Local, tab: Tab) -> None:
    session_id = with_tools(local)
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("button", name="Edits only").click()
    scroll_until(page, 120)
    assert page.locator(".edit:visible").count() == 30
    assert page.locator("details.tool:not(.edit):visible, article.user:visible").count() == 0
    page.get_by_role("button", name="Edits only").click()
    assert page.get_by_text("prompt 0").is_visible()


def test_find_goes_from_hit_to_hit_and_opens_what_hides_them(local: Local, tab: Tab) -> None:
    session_id = with_tools(local)
    page = tab.open(f"/sessions/{session_id}")
    page.keyboard.press("/")
    page.keyboard.type("needle3")
    page.keyboard.press("Enter")
    page.locator(".found", has_text="1 of 1").wait_for()
    assert page.locator("mark.now").inner_text() == "Needle3"
    assert page.locator("mark.now").is_visible()
    page.get_by_label("Find in this session").fill("result")
    page.keyboard.press("Enter")
    page.locator(".found", has_text="of 60").wait_for()
    number = int(page.locator(".found").inner_text().split()[0])
    page.get_by_label("Next hit").click()
    page.locator(".found").get_by_text(f"{number + 1} of 60", exact=True).wait_for()
    page.get_by_label("Previous hit").click()
    page.locator(".found").get_by_text(f"{number} of 60", exact=True).wait_for()


def test_a_hit_of_a_search_is_marked_where_it_stands(local: Local, tab: Tab) -> None:
    with_tools(local)
    page = tab.open("/search?q=needle51")
    page.locator(".hit").click()
    mark = page.locator("article mark.now")
    mark.wait_for()
    assert mark.inner_text() == "Needle51"
    assert 0 < mark.bounding_box()["y"] < 800
    assert page.get_by_label("Find in this session").input_value() == "needle51"


def test_the_outline_leads_to_any_prompt_with_the_sums_of_its_turn(local: Local, tab: Tab) -> None:
    session_id = with_tools(local)
    local.message("s1", "a0", cost=0.25)
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("button", name="Outline").click()
    page.get_by_role("link", name="prompt 55").wait_for()
    assert "1 answer · $0.25" in page.locator(".outline li").first.inner_text()
    assert "1 answer · $0.25" in page.locator("article.user").first.inner_text()
    page.get_by_role("link", name="prompt 55").click()
    page.wait_for_selector(".around")
    assert "prompt 55" in page.locator(".around").inner_text()
    page.get_by_label("Next prompt").click()
    page.get_by_label("Previous prompt").click()


def test_what_arrives_is_on_the_screen_at_once(local: Local, tab: Tab) -> None:
    session_id = local.session("s1", title="Work")
    local.message("s1", "a", textContent="first", createdAt=START)
    page = tab.open(f"/sessions/{session_id}")
    page.wait_for_timeout(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    taken = []
    for number in range(5):
        page.wait_for_timeout(150)
        begun = time.perf_counter()
        local.message("s1", f"m{number}", textContent=f"arrived {number}", createdAt=START + 1 + number)
        page.wait_for_selector(f"article:has-text('arrived {number}')")
        taken.append(time.perf_counter() - begun)
    assert min(taken) < 0.3, taken
    assert page.locator("#said").inner_text() == "A message has come"
    page.wait_for_timeout(500)
    assert len(asked) <= 2 * len(taken), "it is told, and does not ask whether there is something"
    asked.clear()
    page.wait_for_timeout(1500)
    assert asked == []


def test_a_list_that_was_loaded_further_tells_what_is_new(local: Local, tab: Tab) -> None:
    sessions = [
        {"externalId": f"s{n}", "title": f"Session {n}", "createdAt": START - n * 1000} for n in range(180)
    ]
    local.post("/sync/batch", {"sessions": sessions})
    page = tab.open("/")
    scroll_until(page, 120)
    local.session("new1", title="The newest", createdAt=START + 1)
    page.get_by_role("link", name="1 new").wait_for()
    local.session("new2", title="Newer still", createdAt=START + 2)
    page.get_by_role("link", name="2 new").click()
    page.wait_for_selector("text=Newer still")


def test_a_login_that_has_ended_is_said(local: Local, tab: Tab) -> None:
    session_id = local.session("s1", title="Work")
    page = tab.open(f"/sessions/{session_id}")
    page.wait_for_timeout(300)
    with local.store.write() as database:
        database.run("DELETE FROM logins")
    local.message("s1", "m", textContent="x")
    page.get_by_role("alert").get_by_role("link", name="Log in").wait_for()
    assert re.search(r"to=%2Fsessions%2F\d+$", page.get_by_role("link", name="Log in").get_attribute("href"))
