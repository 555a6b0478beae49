"""The numbers add up, on the right days, and nothing is counted twice."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from pi_opensync.dashboard.db.numbers import Numbers, summarize
from pi_opensync.dashboard.show.charts import bar, columns, heat, scale
from tests.dashboard.conftest import Local
from tests.dashboard.test_pages import checked

NOON = int(datetime(2026, 5, 20, 12, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
DAY = 24 * HOUR
LONG_AGO = 1_600_000_000_000


def numbers(local: Local, days: int | None = 30, zone: timezone = UTC, now: int = NOON) -> Numbers:
    with local.store.read() as con:
        return summarize(con, days=days, now=now, zone=zone)


def costs(summary: Numbers) -> dict[date, float]:
    return {period.start: round(period.sums.cost, 6) for period in summary.periods if period.sums.cost}


def test_a_session_without_messages_counts_on_the_day_it_began(local: Local) -> None:
    local.session("s1", cost=1.5, promptTokens=100, completionTokens=10, createdAt=NOON - DAY)
    summary = numbers(local)
    assert costs(summary) == {date(2026, 5, 19): 1.5}
    assert (summary.total.prompt, summary.total.completion, len(summary.total.sessions)) == (100, 10, 1)


def test_a_session_of_two_days_is_spread_over_them_by_tokens(local: Local) -> None:
    local.session("s1", cost=4.0, createdAt=NOON - DAY)
    local.message("s1", "a", createdAt=NOON - DAY, promptTokens=300)
    local.message("s1", "b", createdAt=NOON, promptTokens=60, completionTokens=40)
    assert costs(numbers(local)) == {date(2026, 5, 19): 3.0, date(2026, 5, 20): 1.0}


def test_without_tokens_the_number_of_messages_spreads_it(local: Local) -> None:
    local.session("s1", cost=4.0, createdAt=NOON - DAY)
    for name, at in (("a", -DAY), ("b", 0), ("c", 1), ("d", 2)):
        local.message("s1", name, createdAt=NOON + at)
    assert costs(numbers(local)) == {date(2026, 5, 19): 1.0, date(2026, 5, 20): 3.0}


def test_tokens_that_come_later_are_counted(local: Local) -> None:
    local.session("s1", cost=4.0, createdAt=NOON - DAY)
    local.message("s1", "a", createdAt=NOON - DAY, promptTokens=100)
    local.message("s1", "b", createdAt=NOON)
    local.message("s1", "b", promptTokens=300)
    assert costs(numbers(local)) == {date(2026, 5, 19): 1.0, date(2026, 5, 20): 3.0}


def test_the_history_that_a_fork_copied_is_not_counted_again(local: Local) -> None:
    for name, title, at in (("aaaa1111", "A", -DAY), ("bbbb2222", "[Fork::aaaa1111] A", 0)):
        local.session(name, title=title, cost=1.0, createdAt=NOON + at)
        local.message(name, "old", createdAt=NOON - DAY)
        if at == 0:
            local.message(name, "new", createdAt=NOON)
    summary = numbers(local)
    assert costs(summary) == {date(2026, 5, 19): 1.0, date(2026, 5, 20): 1.0}
    assert summary.total.messages == 2


def test_only_the_days_asked_for_are_counted(local: Local) -> None:
    for days in (0, 6, 7, 400):
        local.session(f"s{days}", cost=1.0, createdAt=NOON - days * DAY)
    assert numbers(local, 7).total.cost == 2
    assert len(numbers(local, 7).periods) == 7
    assert numbers(local, None).total.cost == 4


@pytest.mark.parametrize(
    ("days", "length"), [(30, 1), (120, 1), (365, 7), (1000, 30), (4000, 365), (100_000, 3650)]
)
def test_many_days_become_weeks_and_months(local: Local, days: int, length: int) -> None:
    local.session("s1", cost=1.0, createdAt=NOON)
    periods = numbers(local, days).periods
    assert {period.days for period in periods} == {length}
    assert sum(period.sums.cost for period in periods) == 1
    assert periods[0].start == date(2026, 5, 20) - timedelta(days=days - 1)


def test_days_and_hours_are_those_of_the_zone(local: Local) -> None:
    local.message("s1", "a", createdAt=int(datetime(2026, 5, 19, 23, 50, tzinfo=UTC).timestamp() * 1000))
    local.session("s1", cost=1.0)
    assert costs(numbers(local)) == {date(2026, 5, 19): 1.0}
    india = timezone(timedelta(hours=5, minutes=30))
    summary = numbers(local, zone=india)
    assert costs(summary) == {date(2026, 5, 20): 1.0}
    assert summary.hours[2][5] == 1


def test_projects_models_and_sources_are_ranked_by_cost(local: Local) -> None:
    local.session("s1", projectName="p1", model="m1", cost=1, createdAt=NOON)
    local.session("s2", projectName="p2", model="m1", cost=5, createdAt=NOON, source="pi")
    local.session("s3", cost=2, createdAt=NOON)
    summary = numbers(local)
    assert [(name, sums.cost) for name, sums in summary.projects] == [("p2", 5), ("no project", 2), ("p1", 1)]
    assert [(name, sums.cost) for name, sums in summary.models] == [("m1", 6), ("unknown", 2)]
    assert [(name, sums.cost) for name, sums in summary.sources] == [("pi", 5), ("opencode", 3)]


def test_the_cache_share_is_of_the_sessions_that_tell_it(local: Local) -> None:
    local.session("s1", promptTokens=1000, cacheReadTokens=750, createdAt=NOON)
    local.session("s2", promptTokens=9000, createdAt=NOON)
    assert numbers(local).total.cache_share == 0.75
    local.session("s3", promptTokens=1000, cacheReadTokens=0, createdAt=NOON)
    assert numbers(local).total.cache_share == 0.375


def test_where_nothing_tells_of_a_cache_there_is_no_share(local: Local) -> None:
    local.session("s1", promptTokens=1000, createdAt=NOON)
    assert numbers(local).total.cache_share is None


@pytest.mark.parametrize("days", ["7", "30", "90", "365", "all"])
@pytest.mark.parametrize(
    "fields", [{}, {"cost": 1}, {"promptTokens": 5}, {"promptTokens": 9, "cacheReadTokens": 10**9}]
)
def test_the_page_is_drawn_for_every_span_and_lack(local: Local, days: str, fields: dict[str, Any]) -> None:
    local.session("s1", createdAt=local.clock() - 3 * DAY, **fields)
    local.session("s2", createdAt=0, **fields)
    local.session("s3", createdAt=10**14, **fields)
    assert "Busiest hours" in checked(local.page(f"/numbers?days={days}"))


def test_a_page_without_sessions_says_so(local: Local) -> None:
    assert "No session in this time." in local.page("/numbers")
    local.page("/numbers?days=5", status=400)


@pytest.mark.parametrize(
    ("most", "end"),
    [(0, 1), (1, 1), (1.1, 2), (2.2, 2.5), (3, 5), (7, 10), (0.03, 0.05), (123456, 200000), (1000, 1000)],
)
def test_the_axis_ends_at_a_round_number(most: float, end: float) -> None:
    assert scale(most) == pytest.approx(end)


def test_bars_stand_on_each_other_and_reach_their_height() -> None:
    svg = str(columns([("<a>", [1, 1]), ("b", [0, 0])], label='"x"'))
    assert "<title>&lt;a&gt;</title>" in svg
    assert 'y="50.000" width="7.6" height="50.000"' in svg
    assert 'y="0.000" width="7.6" height="50.000"' in svg
    assert 'aria-label="&#34;x&#34;"' in svg
    assert 'width="50.00"' in bar(1, 2)
    assert 'width="0.00"' in bar(1, 0)


def test_the_busiest_hour_is_the_darkest() -> None:
    svg = str(heat([[0, 1, 10]], ["Mon"], label="x"))
    assert [svg.count(f'fill-opacity="{strength}"') for strength in ("0.000", "1.000")] == [1, 1]
    assert "Mon 02:00: 10" in svg


def test_where_the_last_month_holds_nothing_all_time_is_shown(local: Local) -> None:
    local.session("s1", cost=1.0, createdAt=LONG_AGO)
    assert "No session in this time" not in local.page("/numbers")
    assert "No session in this time" in local.page("/numbers?days=30")
