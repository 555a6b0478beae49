"""A session in a browser: its bar, branches, family, pictures, changes, copies, its print and its export."""

from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Local
from tests.dashboard.house import House

pytestmark = pytest.mark.slow

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("size", [{"width": 1280, "height": 400}, {"width": 390, "height": 500}])
def test_the_bar_stays_and_names_the_session_and_its_cost(browser: Any, house: House, size: Any) -> None:
    with opened(browser, house.local, house.url, viewport=size) as tab:
        page = tab.open(f"/sessions/{house.ids['talk']}")
        name = page.locator(".bar .name")
        assert not name.is_visible()
        before = page.locator(".bar").bounding_box()["height"]
        page.mouse.wheel(0, 2000)
        name.wait_for()
        for wanted in (name, page.locator(".bar .paid"), page.get_by_label("Find in this session")):
            place = wanted.bounding_box()
            assert 0 <= place["y"] < 90
            assert place["x"] + place["width"] <= size["width"]
        assert (name.inner_text(), page.locator(".bar .paid").inner_text()) == ("Rounding of totals", "$4.00")
        assert page.locator(".bar").bounding_box()["height"] == before


def test_each_branch_stands_with_its_cost_and_is_one_click_away(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['tree']}")
    ways = page.locator(".ways")
    assert " ".join(ways.inner_text().split()) == (
        "2 branches of /tree: the one last active $1.00, 3 messages another $0.50, 1 message"
    )
    assert ways.locator("[aria-current]").inner_text() == "the one last active"
    ways.get_by_role("link", name="another").click()
    page.get_by_text("said-left.").wait_for()
    assert ways.locator("[aria-current]").inner_text() == "another"
    assert room.open(f"/sessions/{house.ids['talk']}").locator(".ways").count() == 0


def test_the_outline_names_a_prompt_that_came_with_a_picture(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}/outline")
    assert page.locator(".outline a").inner_text().startswith("Look at **this**")


def test_what_runs_from_the_right_stands_at_the_right(local: Local, tab: Tab) -> None:
    said = "\u0645\u0631\u062d\u0628\u0627 pi\n\nand hello"
    local.message("s", "m", role="user", textContent=said, createdAt=START)
    page = tab.open(f"/sessions/{local.session('s')}")
    place = """(one) => {
      const words = document.createRange();
      words.selectNodeContents(one);
      const [text, box] = [words.getBoundingClientRect(), one.getBoundingClientRect()];
      return [text.left - box.left, box.right - text.right];
    }"""
    arabic, english = (page.locator("article p").nth(number).evaluate(place) for number in range(2))
    assert arabic[1] < 1 < arabic[0]
    assert english[0] < 1 < english[1]


def test_a_fork_tells_what_it_copied_from_what_it_paid_for(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['fork']}")
    copied, own = page.locator("article").all()
    assert "copied" in copied.locator(".spent").inner_text()
    assert "copied" not in own.locator(".spent").inner_text()
    begin = page.get_by_text("The fork begins here").bounding_box()["y"]
    assert copied.bounding_box()["y"] < begin < own.bounding_box()["y"]
    for name in ("talk", "sub"):
        assert room.open(f"/sessions/{house.ids[name]}").get_by_text("copied").count() == 0


def test_a_branch_that_was_left_is_one_click_away_and_so_is_the_way_back(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['tree']}")
    assert page.get_by_text("said-on.").is_visible()
    assert page.get_by_text("said-left.").count() == 0
    leaving = page.locator(".branches")
    assert "Another branch leaves here: 1 message · $0.50" in leaving.inner_text()
    leaving.get_by_role("link", name="Show it").click()
    page.get_by_text("said-left.").wait_for()
    assert page.get_by_text("said-on.").count() == 0
    assert "The branch last active leaves here" in page.locator(".branches").inner_text()
    page.locator(".branches").get_by_role("link", name="Show it").click()
    page.get_by_text("said-on.").wait_for()


@pytest.mark.parametrize("name", ["talk", "fork", "sub"])
def test_the_family_is_a_tree_with_its_costs_from_each_of_its_sessions(
    house: House, room: Tab, name: str
) -> None:
    page = room.open(f"/sessions/{house.ids[name]}")
    members = page.locator(".family li")
    assert [text.split(" · ")[0] for text in members.all_inner_texts()] == [
        "Rounding of totals $4.00",
        "Another way fork",
        "Review it subagent",
    ]
    for cost, text in zip(("$4.00", "$0.25", "$0.13"), members.all_inner_texts(), strict=True):
        assert cost in text
    edges = [one.evaluate("(one) => parseFloat(getComputedStyle(one).paddingLeft)") for one in members.all()]
    assert edges[1] < edges[2]
    assert "together $4.38" in page.locator(".family").inner_text()
    assert page.locator(".family [aria-current] span").inner_text() == page.locator("h1").inner_text()
    page.locator(".family a").last.click()
    page.locator("h1").wait_for()


def test_what_a_prompt_took_with_all_its_answers_stands_beside_it(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    assert page.locator("article.user .turn").inner_text().startswith("3 answers · $4.00 · 2.2k tokens")


def test_resume_code_and_the_id_are_copied(browser: Any, house: House) -> None:
    with opened(browser, house.local, house.url, permissions=["clipboard-read", "clipboard-write"]) as tab:
        page = tab.open(f"/sessions/{house.ids['talk']}")

        def copied(button: Any) -> str:
            button.click()
            page.locator(".copy", has_text="Copied").first.wait_for()
            return str(page.evaluate("navigator.clipboard.readText()"))

        command = "cd /home/sam/app && pi --session /home/sam/.pi/agent/sessions/talk.jsonl"
        assert copied(page.get_by_label("Copy this command")) == command
        page.get_by_text("Id and file").click()
        assert copied(page.get_by_label("Copy the id")) == "talk"
        assert copied(page.locator("article .code .copy").first).startswith("total = price_0")


def test_a_picture_is_small_and_from_here_and_no_text_stands_for_it(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    picture = page.locator(".thumbnail img")
    picture.scroll_into_view_if_needed()
    size = picture.evaluate("(one) => one.decode().then(() => [one.naturalWidth, one.naturalHeight])")
    assert size == [40, 30]
    assert picture.bounding_box()["width"] < 200
    assert "[image:" not in page.locator("article.user").inner_text()


def test_a_change_has_the_numbers_of_its_lines_and_counts_them(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    edit = page.locator("details.edit")
    assert "+1" in edit.locator("summary").inner_text()
    assert "\N{MINUS SIGN}1" in edit.locator("summary").inner_text()
    edit.locator("summary").click()
    lines = edit.locator(".line").all_inner_texts()
    assert [line.split()[0] for line in lines[:4]] == ["11", "12-", "12+", "13"]


def test_errors_look_like_errors(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    colour = "(one) => getComputedStyle(one).color"
    bad = page.locator(".ended").evaluate(colour)
    assert page.locator(".ended").inner_text() == "error: 529 overloaded"
    assert page.locator("details.failed summary em").evaluate(colour) == bad
    assert bad != page.locator("article p").first.evaluate(colour)


def test_tasks_and_formulas_are_set_and_no_label_covers_code(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    assert page.locator("li.task .box .unseen").all_inner_texts() == ["Done:", "To do:"]
    assert page.locator("code.math").inner_text() == "x^2"
    code = page.locator(".text .code").first
    head, body = code.locator(".head").bounding_box(), code.locator("pre").bounding_box()
    assert head["y"] + head["height"] <= body["y"] + 1
    label, button = code.locator(".lang").bounding_box(), code.locator(".copy").bounding_box()
    assert label["x"] + label["width"] < button["x"]


def test_a_print_holds_the_tools_and_wraps_code(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    result = page.locator(".result pre", has_text="ok").first
    assert result.is_visible()
    assert result.bounding_box()["height"] > 10
    assert not page.locator(".bar").is_visible()
    assert not page.locator("footer.end").is_visible()
    code = page.locator(".text .code pre").first
    assert code.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert page.pdf().startswith(b"%PDF")


def test_a_star_tags_and_a_note_are_kept_and_a_session_is_hidden_and_deleted(local: Local, tab: Tab) -> None:
    session_id = local.session("s1", title="Mine", createdAt=START)
    local.session("s2", title="Another", createdAt=START)
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("button", name="Star, tags, note").click()
    page.get_by_label("Starred").check()
    page.get_by_label("Tags").fill("work, later")
    page.get_by_label("Note").fill("Ask Eve")
    assert "has no way to hide" in page.locator("#noted").inner_text()
    page.get_by_role("button", name="Save").click()
    page.locator(".mine", has_text="Ask Eve").wait_for()
    page.get_by_role("link", name="later").click()
    page.wait_for_url("**tag=later")
    assert page.locator("tr.row .star").is_visible()
    page.get_by_label("has").select_option("star")
    page.wait_for_url("**has=star**")
    assert page.locator(".row .title").all_inner_texts() == ["Mine"]
    page.locator(".row .title").click()
    page.get_by_role("button", name="Star, tags, note").click()
    page.get_by_label("Hidden from the list").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Hidden from the list").first.wait_for()
    page = tab.open("/")
    assert page.locator(".row .title").all_inner_texts() == ["Another"]
    page = tab.open(f"/sessions/{session_id}")
    page.get_by_role("button", name="Delete").click()
    assert "OpenSync, which can not delete" in page.locator("#delete").inner_text()
    page.get_by_role("button", name="Delete it here").click()
    page.wait_for_url(f"{tab.url}/deleted")
    page.get_by_role("button", name="Take it back: s1").wait_for()


@pytest.mark.parametrize("name", ["HTML, one file", "HTML without tools"])
def test_the_exported_file_is_read_without_a_network(
    browser: Any, house: House, room: Tab, tmp_path: Path, name: str
) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as loading:
        page.get_by_role("link", name=name).click()
    file = tmp_path / loading.value.suggested_filename
    loading.value.save_as(file)
    assert file.name == "Rounding-of-totals.html"
    with browser.new_context(offline=True) as context:
        alone = context.new_page()
        asked: list[str] = []
        alone.on("request", lambda request: asked.append(request.url))
        alone.goto(file.as_uri())
        assert alone.get_by_role("heading", name="Rounding of totals").is_visible()
        assert alone.locator("img").evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 40
        assert alone.get_by_text("make test").count() == (0 if "without" in name else 2)
        assert alone.get_by_role("button").count() == 0
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
