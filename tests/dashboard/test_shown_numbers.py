"""The page of numbers in a browser: what it says is what was sent, and everything on it leads behind it."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.browsing import Tab, opened
from tests.dashboard.conftest import START, Local
from tests.dashboard.house import House
from tests.dashboard.test_worktrees_together import three

pytestmark = pytest.mark.slow

CHART = ".chart.columns >> nth=0"


def table(page: Any, heading: str) -> dict[str, list[str]]:
    """The rows of a table by their heads; the bars are left out."""
    rows = page.locator("section", has=page.get_by_role("heading", name=heading)).locator("tbody tr")
    cells = [[text.strip() for text in row.locator("th, td").all_inner_texts()] for row in rows.all()]
    return {name: values for name, _bar, *values in cells}


def totals(page: Any) -> str:
    return str(page.locator(".totals").inner_text())


def test_it_counts_each_turn_by_project_model_machine_and_family(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    assert {name: row[0] for name, row in table(page, "Projects").items()} == {
        "work/app": "$40.00",
        "sam/app": "$5.88",
        "notes": "$2.70",
    }
    models = table(page, "Models")
    assert (models["m1"][0], models["m2"][0]) == ("$47.58", "$1.00")
    assert {name: row[0] for name, row in table(page, "Machines").items()} == {
        "laptop": "$40.00",
        "desk": "$8.58",
    }
    family = table(page, "Families of forks")["Rounding of totals"]
    assert (family[0], family[-1]) == ("$4.38", "3")
    assert table(page, "Tools")["bash"] == ["2", "1", "6.0 s", "3.0 s", "1"]


def test_it_is_reconciled_with_the_files_and_adds_up_to_the_cent(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    told = page.locator(".reconciled").inner_text()
    files, copied, counted = (round(100 * float(sum_)) for sum_ in re.findall(r"\$([\d.]+)", told))
    assert (copied, files) == (300, copied + counted)
    assert f"${counted / 100:.2f}" in page.locator(".sums.big").inner_text()
    page.get_by_role("link", name="1 fork").click()
    page.locator("tr.row:not(.beside)").wait_for()
    assert page.locator("tr.row:not(.beside) .title").all_inner_texts() == ["Another way"]


def test_it_leads_to_the_sessions_that_cost_the_most(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    page.get_by_role("link", name="the dearest").click()
    page.wait_for_url("**sort=cost**")
    assert page.locator("tr.row .title").first.inner_text() == "Elsewhere"
    assert totals(page).startswith("32 sessions")


def test_that_there_are_new_numbers_is_told_on_an_open_page(local: Local, tab: Tab) -> None:
    local.session("one", title="One", cost=1.0, createdAt=START)
    page = tab.open("/numbers")
    page.wait_for_load_state("networkidle")
    assert page.locator("#news").count() == 0
    local.session("two", title="Two", cost=2.0, createdAt=START)
    page.get_by_role("link", name="New numbers").click()
    page.get_by_text("2 sessions", exact=True).wait_for()
    assert page.locator("#news").count() == 0


def test_a_passed_budget_is_said(room: Tab) -> None:
    page = room.open("/numbers")
    passed = page.get_by_role("status").filter(has_text="budget")
    assert passed.inner_text() == "Today: $1.88 of $1.00, the budget is passed"
    assert page.locator(".budget").last.inner_text().endswith("of $100.00")


def test_the_axis_has_its_unit_and_says_where_it_is_cut(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    assert page.locator(".ticks").first.locator("span").all_inner_texts() == ["$5.00", "$2.50", "$0.00"]
    said = page.locator("[data-value]").first.inner_text()
    assert said == "Cut at $5.00: Tue 26 May 2026 goes up to $40.00"


def test_the_value_of_a_column_is_reached_by_keys_and_leads_to_its_sessions(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    assert page.locator(".chart a[tabindex='0']").count() == page.locator(".chart").count() == 4
    page.locator(CHART).locator("a[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("[data-value]").first.inner_text() == "Wed 27 May 2026: $4.00"
    page.keyboard.press("Enter")
    page.wait_for_url("**since_day=2026-05-27&until=2026-05-27")
    assert page.locator("tr.row:not(.beside) .title").all_inner_texts() == ["Rounding of totals"]


def test_a_touch_says_the_value_and_a_second_one_leads_behind_it(browser: Any, house: House) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, house.local, house.url, **phone) as tab:
        page = tab.open("/numbers?days=7")
        column = page.locator(CHART).locator("a").nth(5)
        column.tap()
        assert page.locator("[data-value]").first.inner_text() == "Wed 27 May 2026: $4.00"
        assert page.url.endswith("days=7")
        column.tap()
        page.wait_for_url("**since_day=2026-05-27**")


def test_on_a_phone_the_year_begins_at_its_end_and_can_be_scrolled(browser: Any, house: House) -> None:
    with opened(browser, house.local, house.url, viewport={"width": 390, "height": 844}) as tab:
        page = tab.open("/numbers")
        day = page.get_by_role("link", name="Thu 28 May 2026: $1.88").last
        assert 0 < day.bounding_box()["x"] < 390
        assert day.bounding_box()["width"] > 8
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("m2", "1 session"),
        ("m1", "32 sessions"),
        ("sam/app", "4 sessions"),
        ("laptop", "1 session"),
        ("Thu 20:00: 8 messages", "5 sessions"),
        ("Wed 27 May 2026: $4.00", "1 session"),
    ],
)
def test_what_stands_there_leads_to_as_many_sessions(room: Tab, name: str, found: str) -> None:
    page = room.open("/numbers?days=30")
    page.get_by_role("link", name=name, exact=True).last.press("Enter")
    page.wait_for_url("**/?**")
    assert totals(page).startswith(found)


def test_a_tool_leads_to_its_calls_and_to_those_that_failed(room: Tab) -> None:
    page = room.open("/numbers?days=30")
    page.get_by_role("link", name="bash", exact=True).click()
    page.get_by_text("2 messages.").wait_for()
    page.go_back()
    page.get_by_role("link", name="bash failed: 1").click()
    page.get_by_text("1 message.").wait_for()
    page.locator(".hit").click()
    page.wait_for_url("**/sessions/**")


def test_days_of_ones_own_a_project_and_the_time_before_and_a_table_of_it(room: Tab, tmp_path: Path) -> None:
    page = room.open("/numbers?first=2026-05-27&last=2026-05-28")
    assert page.get_by_label("from").input_value() == "2026-05-27"
    assert "before $40.10" in page.locator(".sums.big").inner_text()
    page.get_by_label("project").select_option(label="sam/app")
    page.wait_for_url("**project=**")
    shown = page.locator(".sums.big").inner_text()
    assert ("$5.88" in shown, "before" in shown) == (True, False)
    with page.expect_download() as loading:
        page.get_by_role("link", name="CSV").click()
    loading.value.save_as(tmp_path / "numbers.csv")
    lines = list(csv.DictReader((tmp_path / "numbers.csv").read_text().splitlines()))
    assert {line["project"] for line in lines} == {"app"}
    assert sum(float(line["cost_usd"]) for line in lines) == pytest.approx(5.88)
    assert {line["day"] for line in lines} == {"2026-05-27", "2026-05-28"}


def test_worktrees_are_projects_of_their_own_or_count_with_their_repository(local: Local, tab: Tab) -> None:
    three(local)
    page = tab.open("/numbers")
    assert set(table(page, "Projects")) == {"other", "two", "one", "app"}
    page.get_by_label("worktrees with their repository").check()
    page.wait_for_url("**worktrees=together**")
    assert {name: row[0] for name, row in table(page, "Projects").items()} == {
        "other": "$8.00",
        "app": "$7.00",
    }
    page.get_by_role("link", name="app", exact=True).click()
    page.wait_for_url("**project=**")
    assert totals(page).startswith("3 sessions")


def test_of_a_session_it_says_the_mean(room: Tab) -> None:
    page = room.open("/numbers?first=2026-05-28&last=2026-05-28")
    assert "A session\n$0.63" in page.locator(".sums.big").inner_text()
