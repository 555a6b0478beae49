"""For everybody: axe-core finds nothing on any page, keys reach everything, and the eye is spared."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.routing import Route

from pi_opensync.dashboard.db.budget import Budget
from pi_opensync.dashboard.db.connections import Connections
from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Clock, Local, serving
from tests.dashboard.house import House

pytestmark = pytest.mark.slow

LOCK = Path(__file__).parent / "npm" / "axe-core"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "phone": {"viewport": {"width": 360, "height": 700}},
}
WHOLE = {"resultTypes": ["violations"]}
# What a theme can change: every other rule reads the document, whatever its colours.
COLOURS = WHOLE | {
    "preload": False,
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
PROSE = "These are words of a usual length as people write them. " * 40
SEEN_SIZES = """
[...new Set([...document.querySelectorAll('body *')]
  .filter((one) => one.checkVisibility())
  .filter((one) => [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .map((one) => getComputedStyle(one).fontSize))]
"""
WIDE_LINES = """
[...document.querySelectorAll('p, li, .hit > span')]
  .filter((one) => one.checkVisibility() && !one.querySelector('p, li, pre, table'))
  .filter((one) => {
    const words = document.createRange();
    words.selectNodeContents(one);
    const lines = new Set([...words.getClientRects()].map((line) => Math.round(line.bottom / 8))).size;
    return lines > 1 && one.innerText.length / lines > 80;
  })
  .map((one) => one.innerText)
"""
MOVES = """
window.moved = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.moved += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class Filled(NamedTuple):
    """`session_id` is that of the session with everything."""

    local: Local
    url: str
    session_id: str


def absent(reason: str) -> None:
    if os.environ.get("PI_OPENSYNC_REQUIRE_NPM") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        absent("npm is not installed")
    folder = tmp_path_factory.mktemp("npm") / "axe-core"
    shutil.copytree(LOCK, folder)
    done = subprocess.run(
        [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        absent(f"npm could not install axe-core: {done.stderr[-300:]}")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def rich(local: Local) -> str:
    """Make a family with everything that a page can show."""
    text = (
        "# Big\n\nSee [the docs](https://example.org) and `code`.\n\n### Small\n\n- [x] done\n- [ ] open\n\n"
        "> said\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n1. one\n\nThe sum $x^2$.\n\n"
        "```python\ndef parse(text: str) -> list[str]:  # long enough to be scrolled\n"
        '    return ["a", 1, None]\n```'
    )
    parts = [
        {"type": "text", "content": f"<thinking>\nquietly\n</thinking>\n{text}\n[error: overloaded]"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "make", "timeout": 5}}},
        {"type": "tool-result", "content": "[error] " + "a long line of output\n" * 60},
        {
            "type": "tool-call",
            "content": {"toolName": "edit", "args": {"path": "a.py", "old": "a", "new": "b"}},
        },
        {"type": "tool-result", "content": {"text": "done", "diff": " 1 x\n-2 a\n+2 b\n   ..."}},
    ]
    local.session(
        "aaaa1111-x", title="Parent", source="pi", projectPath="/p", cost=3, model="m", provider="v"
    )
    local.session("bbbb2222-x", title="[Fork::aaaa1111] Child", source="odd", projectName="q", cost=0.001)
    for day in range(3):
        at = START - day * 86_400_000
        local.message("aaaa1111-x", f"u{day}", role="user", textContent="Please **mend** it", createdAt=at)
        local.message(
            "aaaa1111-x", f"a{day}", parts=parts, createdAt=at + 9, cost=0.1, promptTokens=9, model="other"
        )
    for role in ("system", "tool", "unknown"):
        local.message("aaaa1111-x", role, role=role, textContent="said", createdAt=START + 99)
    local.message("aaaa1111-x", "long", textContent=PROSE, createdAt=START + 999)
    gone = local.session("gone", title="Deleted")
    local.ask("POST", f"/sessions/{gone}/delete", headers={"cookie": local.cookie})
    return local.session("aaaa1111-x")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """One for all tests that only look at it."""
    store = Connections.open(tmp_path_factory.mktemp("filled") / "local.sqlite3")
    local = Local(store, Clock(), Budget(daily=1))
    session_id = rich(local)
    local.keys.issue("codex")
    with serving(local.app) as url:
        yield Filled(local, url, session_id)
    store.close()


def violations(page: Any, axe: str, within: str = "html") -> dict[str, str]:
    """What axe-core finds in each theme on a page, or within what a selector finds on it, all unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.evaluate(axe)
    told = {}
    for theme, options in (("light", WHOLE), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme)
        found = page.evaluate(f"axe.run('{within}', {json.dumps(options)})")["violations"]
        if found:
            nodes = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
            told[theme] = json.dumps(nodes, indent=1)
    return told


def pages(session_id: str) -> list[str]:
    """Every page there is, and what it says in each case."""
    return [
        "/",
        "/?project=q",
        f"/sessions/{session_id}",
        f"/sessions/{session_id}?end",
        f"/sessions/{session_id}/outline",
        "/search",
        "/search?q=mend",
        "/search?q=nothing",
        "/search?q=colour:red mend",
        f"/search?q=mend&in={session_id}",
        "/numbers?days=all",
        "/numbers?first=2000-01-01&last=2000-01-02",
        "/?since_day=2000-01-01&until=2000-01-02",
        "/?hour=3.20",
        "/keys",
        "/deleted",
        "/files",
        "/files?path=a.py",
        "/files?path=nowhere",
        "/sessions/42",
        "/?sort=odd",
        "/login",
        "/login?token=used",
    ]


def test_every_page_is_looked_at(filled: Filled) -> None:
    """What a page of its own is called is not in the list by its name alone, but by what answers it."""
    app, session_id = filled.local.app, filled.session_id
    message = filled.local.stored(session_id)[1][0]["id"]
    named = {"id": session_id, "message": message, "part": "0", "format": "html"}
    looked_at = {path.partition("?")[0] for path in pages(session_id)}
    looked_at.add(f"/sessions/{session_id}/export/html")
    found = set()
    for route in app.routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        path = re.sub(r"{(\w+)}", lambda name: str(named[name[1]]), route.path)
        if path.endswith("/events") or path.startswith("/api/"):
            continue  # one has no end, the others are for programs
        answer = filled.local.ask("GET", path, headers={"cookie": filled.local.cookie})
        if answer.status_code == 200 and "<!doctype html>" in answer.text:  # else a problem, looked at too
            found.add(path)
    assert len(found) > 8
    assert found - looked_at == set()


@pytest.mark.parametrize("look", ["light", "phone"])
def test_axe_finds_nothing(browser: Any, filled: Filled, axe: str, look: str) -> None:
    session_id, url = filled.session_id, filled.url
    with opened(browser, filled.local, url, **LOOKS[look]) as tab:
        page = tab.page
        for path in pages(session_id):
            page.goto(url + path)
            assert violations(page, axe) == {}, path
            assert page.locator("h1").count() == 1, path
        page.goto(f"{url}/sessions/{session_id}")
        if look == "phone":
            page.get_by_label("More").check()
        for name in ("Outline", "Files", "Export", "Star, tags, note", "Delete"):
            page.keyboard.press("Escape")
            page.get_by_role("button", name=name).click()
            assert violations(page, axe, within=".menu:popover-open") == {}, name
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        assert violations(page, axe, within="dialog") == {}
        tab.troubles[:] = [trouble for trouble in tab.troubles if "server responded with" not in trouble]
    with browser.new_context(**LOOKS[look]) as context:
        page = context.new_page()
        page.set_content(filled.local.page(f"/sessions/{session_id}/export/html"))
        assert violations(page, axe) == {}
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("look", ["light", "phone"])
def test_axe_finds_nothing_on_branches_and_forks(browser: Any, house: House, axe: str, look: str) -> None:
    with opened(browser, house.local, house.url, **LOOKS[look]) as tab:
        for path in (
            f"/sessions/{house.ids['tree']}",
            f"/sessions/{house.ids['tree']}?branch=1",
            f"/sessions/{house.ids['fork']}",
            "/search?q=project:notes",
            "/numbers",
        ):
            page = tab.open(path)
            if look == "phone" and "/sessions/" in path:
                page.get_by_label("More").check()
            assert violations(page, axe) == {}, path


def test_axe_finds_nothing_where_there_is_nothing(browser: Any, local: Local, url: str, axe: str) -> None:
    for look in ("light", "phone"):
        with opened(browser, local, url, **LOOKS[look]) as tab:
            for path in ("/", "/numbers", "/keys", "/deleted"):
                assert violations(tab.open(path), axe) == {}, path
            session_id = local.session(f"empty {look}", title="Empty", createdAt=START)
            assert violations(tab.open(f"/sessions/{session_id}"), axe) == {}
            local.ask("POST", f"/sessions/{session_id}/delete", headers={"cookie": local.cookie})
            page = tab.open("/keys")
            page.get_by_role("button", name="Make a key").click()
            page.get_by_role("status").filter(has_text="The new key").wait_for()
            assert violations(page, axe) == {}
            page.get_by_role("button", name="Revoke plugin").click()
            page.get_by_text("There is none.").wait_for()


@pytest.mark.parametrize("look", ["light", "phone"])
def test_few_sizes_and_lines_that_can_be_read(browser: Any, filled: Filled, look: str) -> None:
    session_id = filled.session_id
    with opened(browser, filled.local, filled.url, **LOOKS[look]) as tab:
        sizes = set()
        for path in (
            "/",
            f"/sessions/{session_id}?end",
            f"/sessions/{session_id}/outline",
            "/search?q=mend",
            "/search?q=nowhere",
            "/numbers?days=all",
            "/keys",
            "/deleted",
            "/files?path=a.py",
            "/login",
        ):
            page = tab.open(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            sizes |= set(page.evaluate(SEEN_SIZES))
            assert page.evaluate(WIDE_LINES) == [], path
        assert len(sizes) <= 5, sizes
        page = tab.open(f"/sessions/{session_id}?end")
        paragraph = page.locator("article p", has_text="These are words").last
        line_height = paragraph.evaluate("(one) => parseFloat(getComputedStyle(one).lineHeight)")
        lines = paragraph.bounding_box()["height"] / line_height
        assert len(PROSE) / lines <= 80


def test_on_a_phone_the_first_message_is_in_the_first_third(browser: Any, filled: Filled) -> None:
    session_id = filled.session_id
    with opened(browser, filled.local, filled.url, **LOOKS["phone"]) as tab:
        page = tab.open(f"/sessions/{session_id}")
        assert page.locator("article").first.bounding_box()["y"] < 700 / 3
        assert not page.get_by_text("Tokens in").is_visible()
        page.get_by_label("More").check()
        assert page.get_by_text("Tokens in").is_visible()


def test_on_a_phone_the_filters_are_one_touch_away(browser: Any, filled: Filled) -> None:
    with opened(browser, filled.local, filled.url, **LOOKS["phone"]) as tab:
        for path in ("/", "/numbers?days=all"):
            page = tab.open(path)
            assert not page.get_by_label("project").is_visible()
            page.get_by_role("checkbox", name="Filters").check()
            assert page.get_by_label("project").is_visible()
        page = tab.open("/")
        assert page.locator("tr.row").first.bounding_box()["y"] < 700 * 0.4
        assert tab.open("/?project=q").get_by_label("project").is_visible()


def test_nothing_moves_after_it_is_drawn(browser: Any, filled: Filled) -> None:
    session_id = filled.session_id
    for look in ("light", "phone"):
        with opened(browser, filled.local, filled.url, **LOOKS[look]) as tab:
            tab.page.add_init_script(MOVES)
            for path in ("/", f"/sessions/{session_id}", "/search?q=mend", "/numbers?days=all"):
                page = tab.open(path)
                page.evaluate(
                    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
                )
                assert page.evaluate("window.moved") == 0, (look, path)
            page = tab.open(f"/sessions/{session_id}")
            page.mouse.wheel(0, 900)
            page.locator(".bar.stuck").wait_for()
            assert page.evaluate("window.moved") == 0, look


@pytest.mark.parametrize("look", ["light", "phone"])
def test_nothing_moves_where_rows_come_later_than_one_scrolls(browser: Any, house: House, look: str) -> None:
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    with opened(browser, house.local, house.url, **LOOKS[look]) as tab:
        tab.page.add_init_script(MOVES)
        held: list[Any] = []

        def hold(route: Any) -> None:
            held.append(route)

        further = re.compile("before=")
        tab.page.route(further, hold)
        page = tab.open("/")
        rows = page.locator("tr.row").count()
        with page.expect_request(further):
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.evaluate(frames)
        held[0].continue_()
        page.locator("tr.row").nth(rows).wait_for()
        page.evaluate(frames)
        assert page.evaluate("window.moved") == 0
        page.locator("body:not(.loading)").wait_for()
        assert page.get_by_role("button", name="Log out").is_visible()


def test_the_keys(local: Local, tab: Tab) -> None:
    session_id = rich(local)
    page = tab.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/sessions/{session_id}")
    page.wait_for_selector(".bar button[data-next]:visible")
    page.keyboard.press("]")
    page.keyboard.press("]")
    first, second = page.locator("article.user").nth(0), page.locator("article.user").nth(1)
    assert second.evaluate("(one) => one === document.activeElement") or first.evaluate(
        "(one) => one === document.activeElement"
    )
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Find in this session"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert not page.get_by_role("dialog").is_visible()


def test_a_theme_is_chosen_and_kept(browser: Any, filled: Filled) -> None:
    with opened(browser, filled.local, filled.url) as tab:
        page = tab.open("/")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_label("Theme").select_option("dark")
        dark = page.evaluate(ground)
        assert dark != light
        page.reload()
        assert page.evaluate(ground) == dark
        page.get_by_label("Theme").select_option("")
        assert page.evaluate(ground) == light
