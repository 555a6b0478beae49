"""The list, search, files and keys in a browser."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Local, serving
from tests.dashboard.house import DAY, House

pytestmark = pytest.mark.slow

TITLES = ".row:not(.beside) .title"


def titles(page: Any) -> list[str]:
    return list(page.locator(TITLES).all_inner_texts())


def test_heads_sort_and_the_total_is_that_of_all_that_fits(room: Tab) -> None:
    page = room.open("/")
    assert page.locator(".totals").inner_text().split("\n")[0].startswith("72 sessions")
    assert "$52.58" in page.locator(".totals").inner_text()
    page.get_by_role("link", name="Cost", exact=True).click()
    page.wait_for_url("**sort=cost")
    assert titles(page)[:2] == ["Elsewhere", "Rounding of totals"]
    assert page.locator("th[aria-sort='descending']").inner_text() == "Cost ▾"
    page.get_by_role("link", name="Title", exact=True).click()
    page.wait_for_url("**sort=title")
    assert titles(page)[0] == "A way that was left"
    assert page.locator("th[aria-sort='ascending']").inner_text() == "Title ▴"
    assert "2 h ago" not in page.locator("tbody").inner_text()
    digits = {text.split(".")[1] for text in page.locator("td.cost").all_inner_texts() if "." in text}
    assert {len(each) for each in digits} == {2}


def test_presets_and_the_ones_with_errors(room: Tab) -> None:
    page = room.open("/")
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**since_day=2026-05-22")
    assert page.locator(".totals").inner_text().startswith("9 sessions")
    page.get_by_label("has").select_option("errors")
    page.wait_for_url("**has=errors**")
    assert titles(page) == ["Rounding of totals"]
    page.get_by_role("link", name="Show all").click()
    page.wait_for_url(f"{room.url}/")


def test_keys_choose_a_filter_without_being_carried_away(room: Tab) -> None:
    page = room.open("/")
    page.get_by_label("project").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    show = page.get_by_role("button", name="Show", exact=True)
    assert show.is_visible()
    assert "project" not in page.url
    page.keyboard.press("Enter")
    page.wait_for_url("**project=**")
    assert not show.is_visible()
    page.get_by_label("from").focus()
    page.keyboard.type("05212026")
    assert "since_day=" not in page.url or "since_day=&" in page.url
    assert page.get_by_label("from").input_value() == "2026-05-21"
    show.click()
    page.wait_for_url("**since_day=2026-05-21**")


def test_it_is_dense_where_one_wants_it_and_stays_so(browser: Any, house: House) -> None:
    with opened(browser, house.local, house.url) as tab:
        page = tab.open("/")
        usual = page.locator("tr.row").first.bounding_box()["height"]
        page.get_by_role("button", name="Dense").click()
        assert page.locator("tr.row").first.bounding_box()["height"] < 0.7 * usual
        page.reload()
        assert page.locator("tr.row").first.bounding_box()["height"] < 0.7 * usual
        assert page.get_by_role("button", name="Dense").get_attribute("aria-pressed") == "true"


def test_the_exact_time_of_a_session_is_reached_by_keys(room: Tab) -> None:
    page = room.open("/")
    page.keyboard.press("j")
    when = page.locator("tr.row").first.locator("time")
    assert when.inner_text() == "2026-05-28 20:26"
    page.keyboard.press("j")
    assert when.inner_text() == "just now"


def test_ages_stay_true_on_a_page_that_stays_open(house: House, room: Tab) -> None:
    room.page.clock.install()
    page = room.open("/")
    row = page.locator(f"#s{house.ids['tree']}")
    assert row.locator(".age").inner_text() == "just now"
    assert row.locator(".live").count() == 1
    page.clock.fast_forward("02:30")
    assert row.locator(".age").inner_text() == "2 min ago"
    page.clock.fast_forward("01:00:00")
    assert row.locator(".age").inner_text() == "1 h ago"
    assert row.locator(".live").count() == 0
    page.clock.fast_forward(7 * DAY)
    assert row.locator(".age").inner_text() == "28 May 2026"
    page = room.open(f"/sessions/{house.ids['talk']}")
    fork = page.locator(".family time").nth(1)
    assert fork.inner_text() == "1 h ago"
    page.clock.fast_forward("02:00:00")
    assert fork.inner_text() == "3 h ago"


def test_two_projects_of_one_name_and_the_machines_are_told_apart(room: Tab) -> None:
    page = room.open("/")
    page.get_by_label("project").select_option(label="work/app")
    page.wait_for_url("**project=**")
    assert titles(page) == ["Elsewhere"]
    assert page.locator(".row .where").inner_text().split() == ["work/app", "Claude", "Code", "laptop"]
    page = room.open("/")
    page.get_by_label("machine").select_option("laptop")
    page.wait_for_url("**machine=laptop**")
    assert titles(page) == ["Elsewhere"]
    page = room.open("/search?q=nothing machine:desk")
    page.get_by_text("Nothing found").wait_for()
    page = room.open("/search?q=nothing machine:laptop")
    page.locator(".hit").wait_for()


def test_a_lost_connection_is_said_until_it_is_back(browser: Any, local: Local) -> None:
    local.session("s1", title="Work", createdAt=START)
    with serving(local.app) as url:
        page = browser.new_context().new_page()
        page.goto(f"{url}/login?token={local.keys.login_token()}")
        page.locator("tr.row").wait_for()
    page.get_by_role("alert").filter(has_text="The connection is lost").wait_for()
    page.context.close()


def test_a_search_says_how_many_what_it_did_not_understand_and_is_narrowed(room: Tab) -> None:
    page = room.open("/search?q=note colour:red")
    assert "colour: is no filter" in page.locator(".note").first.inner_text()
    page = room.open("/search?q=note*")
    page.get_by_text("67 messages.").wait_for()
    page.get_by_label("project").select_option(label="sam/app")
    page.wait_for_url("**project=**")
    page.get_by_text("Nothing found").wait_for()
    page = room.open('/search?q="x.quantize(CENT)"')
    page.locator(".hit").click()
    page.locator("mark.now").first.wait_for()
    assert page.locator("details.edit").get_attribute("open") is not None


@pytest.mark.parametrize(
    ("asked", "hits"),
    [
        ("note project:notes", 67),
        ("note* project:notes", 67),
        ("forked model:m1", 1),
        ("look role:user", 1),
        ("look role:assistant", 0),
        ("tool:edit", 1),
        ("file:total.py", 1),
        ("nothing source:claude-code", 1),
        ("note* after:2026-05-24 before:2026-05-26", 2),
        ("forked is:fork", 1),
        ("reviewed is:subagent", 1),
        ("forked OR reviewed", 2),
        ("nothing -see", 0),
        ('"Nothing to"', 1),
        ("-project:notes note*", 0),
    ],
)
def test_every_word_of_the_search_does_what_it_says(room: Tab, asked: str, hits: int) -> None:
    page = room.open(f"/search?q={quote(asked)}&wide=")
    told = re.search(r"(\d+) messages?\.", page.inner_text("main"))
    found = int(told[1]) if told else page.locator(".hit").count()
    assert (found, page.locator("p.note").filter(has_text="is no filter").count()) == (hits, 0)


SAID = {
    "елка": "Ещё одна ёлка",
    "كتاب": "هٰذَا كِتَابٌ",
    "שלום": "שָׁלוֹם עולם",
    "duong": "Đây là đường phố",
    "ติดกัน": "ภาษาไทยเขียนติดกันไม่เว้นวรรค",
    "ຕິດກັນ": "ພາສາລາວຂຽນຕິດກັນ",
    "🚀": "Ship it 🚀🎉 now",
    "\u3007": "\u4e8c\u3007\u4e8c\u516d\u5e74",
    "ABC": "全角ＡＢＣ",
    "cafe": "un cafe\u0301 noir",
}


def test_a_search_of_filters_alone_counts_its_sessions_and_hides_none(room: Tab) -> None:
    page = room.open("/search?q=is:subagent")
    assert page.get_by_text("1 session.").is_visible()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "Review it"
    page = room.open("/search?q=project:notes")
    assert page.locator(".titled li").count() == 30
    page.get_by_role("link", name="More sessions").click()
    page.wait_for_url("**titles=all**")
    assert page.locator(".titled li").count() == 67
    assert page.get_by_text("67 sessions.").is_visible()
    page = room.open("/search?q=Day")
    page.get_by_role("link", name="More titles").click()
    page.wait_for_url("**titles=all**")
    assert page.locator(".titled li").count() == 67


def test_what_only_a_look_at_each_message_finds_is_counted_too(room: Tab) -> None:
    page = room.open("/search?q=" + quote("note -forked"))
    assert page.get_by_text("More than 30 messages, the newest first.").is_visible()
    page = room.open("/search?q=" + quote("rounding -forked"))
    assert page.get_by_text("1 message.").is_visible()


def test_every_script_is_found_and_marked(local: Local, tab: Tab) -> None:
    for number, text in enumerate(SAID.values()):
        local.message("s1", f"m{number}", textContent=text, createdAt=START + number)
    local.session("s1", title="Scripts")
    for asked, text in SAID.items():
        page = tab.open(f"/search?q={asked}")
        assert page.locator(".hit").count() == 1, asked
        assert page.locator(".hit mark").count() >= 1, asked
        page.locator(".hit").click()
        page.locator("article mark.now").first.wait_for(timeout=5000)
        assert page.locator("article.around .text").inner_text() == text


def test_a_file_leads_to_its_sessions(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['talk']}")
    page.get_by_role("button", name="Files").click()
    page.get_by_role("link", name="total.py").click()
    page.get_by_role("heading", name="Sessions with total.py").wait_for()
    assert "written" in page.locator(".titled").inner_text()
    page.get_by_role("link", name="Rounding of totals").click()
    page.wait_for_url(f"**/sessions/{house.ids['talk']}")


def test_a_used_login_link_leads_who_is_logged_in_to_the_page(browser: Any, local: Local, url: str) -> None:
    link = f"{url}/login?token={local.keys.login_token()}"
    with browser.new_context() as context:
        page = context.new_page()
        for _ in range(2):
            page.goto(link)
            assert page.url == f"{url}/"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        assert page.get_by_role("alert").is_visible()
        assert page.get_by_label("Key").is_visible()


def test_keys_are_made_only_when_asked_for_and_revoked(local: Local, tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("link", name="Keys of this server").click()
    page.get_by_text("There is none.").wait_for()
    assert local.keys.listed() == []
    page.get_by_label("Name").fill("codex")
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_role("status").filter(has_text="The new key").locator("code").inner_text()
    assert local.keys.holds(key)
    page = tab.open("/keys")
    assert page.get_by_text(key).count() == 0
    page.get_by_role("button", name="Revoke codex").click()
    page.get_by_text("There is none.").wait_for()
    assert not local.keys.holds(key)


def test_pages_come_compressed(room: Tab) -> None:
    answer = room.page.goto(f"{room.url}/numbers")
    assert answer.header_value("content-encoding") in ("gzip", "zstd")


def test_what_arrives_is_told_to_a_screen_reader(local: Local, tab: Tab) -> None:
    local.session("s1", title="One", createdAt=START)
    page = tab.open("/")
    local.session("s2", title="Two", createdAt=START + 1)
    page.get_by_role("link", name="Two").wait_for()
    page.locator("#said", has_text="1 session").wait_for(state="attached")
    assert page.locator("#said").get_attribute("aria-live") == "polite"


def test_links_in_text_are_told_apart_by_more_than_colour(house: House, room: Tab) -> None:
    page = room.open(f"/sessions/{house.ids['fork']}")
    line = "(one) => getComputedStyle(one).textDecorationLine"
    assert page.locator(".family a").first.evaluate(line) == "underline"


def test_a_phone_says_one_message_and_breaks_no_value(browser: Any, house: House) -> None:
    with opened(browser, house.local, house.url, viewport={"width": 320, "height": 700}) as tab:
        page = tab.open("/")
        assert page.locator(f"#s{house.ids['sub']} td.messages").inner_text() == "1 message"
        assert page.locator(f"#s{house.ids['tree']} td.messages").inner_text() == "4 messages"
        for place in page.locator("td.number").all()[:30]:
            assert place.bounding_box()["height"] < 30


def test_a_phone_opens_all_of_it(browser: Any, house: House) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, house.local, house.url, **phone) as tab:
        page = tab.open("/")
        page.get_by_role("link", name="Rounding of totals").tap()
        page.wait_for_url("**/sessions/**")
        assert (
            page.locator("article header .copy").first.evaluate("(one) => getComputedStyle(one).opacity")
            == "1"
        )
        page.get_by_label("More").check()
        assert page.get_by_label("Copy this command").is_visible()
