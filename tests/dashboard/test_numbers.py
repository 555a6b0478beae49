"""The numbers add up, on the right days, and nothing is counted twice."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from pi_opensync.dashboard.db.numbers import spent_since, summarize
from pi_opensync.dashboard.db.savings import saved
from pi_opensync.dashboard.db.sums import Asked, Numbers
from pi_opensync.dashboard.show.axes import Bar, axis_for, scale
from pi_opensync.dashboard.show.charts import bar, columns, heat
from pi_opensync.dashboard.show.visible import count_of_axis, dollars_of_axis
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
    assert [(group.name, group.sums.cost) for group in summary.projects] == [
        ("p2", 5),
        ("no project", 2),
        ("p1", 1),
    ]
    assert [(group.name, group.sums.cost) for group in summary.models] == [("m1", 6), ("unknown", 2)]
    assert [(group.name, group.sums.cost) for group in summary.sources] == [("pi", 5), ("opencode", 3)]


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
    assert "No sessions yet." in local.page("/numbers")
    assert "No session in this time." in local.page("/numbers?days=30")
    local.page("/numbers?days=5", status=400)


@pytest.mark.parametrize(
    ("most", "end"),
    [(0, 1), (1, 1), (1.1, 2), (2.2, 2.5), (3, 5), (7, 10), (0.03, 0.05), (123456, 200000), (1000, 1000)],
)
def test_the_axis_ends_at_a_round_number(most: float, end: float) -> None:
    assert scale(most) == pytest.approx(end)


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0.0, "$0.00"),
        (0.005, "$0.005"),
        (0.025, "$0.025"),
        (0.05, "$0.05"),
        (2.5, "$2.50"),
        (2000.0, "$2,000.00"),
    ],
)
def test_the_axis_says_what_it_is_cut_into(dollars: float, said: str) -> None:
    assert dollars_of_axis(dollars) == said


@pytest.mark.parametrize(
    ("tokens", "said"), [(0, "0"), (0.5, "0.5"), (250, "250"), (1250, "1.25k"), (2500, "2.5k"), (5e6, "5M")]
)
def test_half_of_an_axis_of_tokens_is_half_of_it(tokens: float, said: str) -> None:
    assert count_of_axis(tokens) == said


def test_bars_stand_on_each_other_and_reach_their_height() -> None:
    two = [Bar("<a>", '"x"', (1, 1), "/?a=1&b=2"), Bar("b", "", (0, 0), "/")]
    svg = str(columns(two, axis_for(two)))
    assert svg.count('="&lt;a&gt;: &#34;x&#34;"') == 2
    assert 'href="/?a=1&amp;b=2"' in svg
    assert 'y="50.000" width="7.6" height="50.000"' in svg
    assert 'y="0.000" width="7.6" height="50.000"' in svg
    assert 'width="50.00"' in bar(1, 2)
    assert 'width="0.00"' in bar(1, 0)


@pytest.mark.parametrize(
    ("heights", "top", "cut"),
    [
        ([1, 2, 1, 2, 1, 100], 2, ["5"]),
        ([1, 2, 90, 2, 1, 100], 2, ["2", "5"]),
        ([1, 2, 3, 2, 1, 7], 10, []),
        ([1, 100], 100, []),
        ([0, 0, 0, 0, 0, 100], 100, []),
        ([], 1, []),
    ],
)
def test_one_expensive_day_does_not_flatten_the_rest(heights: list[int], top: int, cut: list[str]) -> None:
    axis = axis_for([Bar(str(place), "", (height,), "/") for place, height in enumerate(heights)])
    assert axis.top == pytest.approx(top)
    assert [column.name for column in axis.cut] == cut


def test_what_is_cut_is_said_with_its_value(local: Local) -> None:
    for day in range(6):
        local.session(f"s{day}", cost=100 if day == 2 else 1, createdAt=local.clock() - day * DAY)
    page = checked(local.page("/numbers?days=7"))
    assert "Cut at $1.00: Tue 26 May 2026 goes up to $100.00" in page


def test_own_days_and_filters_lead_to_the_sessions_behind_them(local: Local) -> None:
    for name, day in (("one", 0), ("two", 3), ("three", 9)):
        local.session(name, cost=1, projectPath=f"/p/{name}", createdAt=local.clock() - day * DAY)
    page = checked(local.page("/numbers?first=2026-05-25&last=2026-05-28"))
    assert "2 sessions</a>, $2.00 in their files, none of it copied by forks" in page
    assert 'href="/?since_day=2026-05-25&amp;until=2026-05-28&amp;project=%2Fp%2Ftwo"' in page
    assert "before $0.00" not in page
    assert "before $1.00" in local.page("/numbers?first=2026-05-22&last=2026-05-28")
    assert "1 session</a>, $1.00" in checked(local.page("/numbers?days=all&project=/p/three"))
    local.page("/numbers?first=x", status=400)


def test_the_busiest_hour_is_the_darkest() -> None:
    svg = str(heat([[0, 1, 10]], ["Mon"], label="x"))
    assert [svg.count(f'fill-opacity="{strength}"') for strength in ("0.000", "1.000")] == [1, 1]
    assert "Mon 02:00: 10" in svg


def test_where_the_last_month_holds_nothing_all_time_is_shown(local: Local) -> None:
    local.session("s1", cost=1.0, createdAt=LONG_AGO)
    assert "No session in this time" not in local.page("/numbers")
    assert "No session in this time" in local.page("/numbers?days=30")


def test_each_turn_counts_on_its_own_day_hour_and_model(local: Local) -> None:
    local.session("s1", cost=10.0, model="m2", promptTokens=0, createdAt=NOON - DAY)
    local.message("s1", "a", createdAt=NOON - DAY, model="m1", cost=9.0, promptTokens=10)
    local.message("s1", "b", createdAt=NOON, model="m2", cost=1.0, promptTokens=90_000)
    summary = numbers(local)
    assert costs(summary) == {date(2026, 5, 19): 9.0, date(2026, 5, 20): 1.0}
    assert [(group.name, group.sums.cost) for group in summary.models] == [("m1", 9.0), ("m2", 1.0)]
    assert summary.total.prompt == 90_010


def test_what_was_spent_outside_messages_counts_on_its_own_day_and_model(local: Local) -> None:
    spent = [
        {"at": NOON - DAY, "model": "small", "kind": "compaction", "cost": 2.0, "promptTokens": 5},
        {"at": NOON, "model": "m1", "kind": "usage", "cost": 0.5, "completionTokens": 7},
    ]
    local.session("s1", cost=3.5, model="m1", createdAt=NOON - 2 * DAY, spent=spent, promptTokens=5)
    local.message("s1", "a", createdAt=NOON, model="m1", cost=1.0)
    summary = numbers(local)
    assert costs(summary) == {date(2026, 5, 19): 2.0, date(2026, 5, 20): 1.5}
    assert [(group.name, group.sums.cost) for group in summary.models] == [("small", 2.0), ("m1", 1.5)]
    assert (summary.total.prompt, summary.total.completion) == (5, 7)
    assert "ignored" not in local.post("/sync/session", {"externalId": "s1", "spent": spent})
    local.session("s1", spent=[])
    assert numbers(local).total.cost == 3.5


def test_what_messages_do_not_account_for_is_spread_over_them(local: Local) -> None:
    local.session("s1", cost=4.0, model="m1", createdAt=NOON)
    local.message("s1", "a", createdAt=NOON - DAY, model="m1", cost=1.0, promptTokens=300)
    local.message("s1", "b", createdAt=NOON, model="m2", promptTokens=100)
    assert costs(numbers(local)) == {date(2026, 5, 19): 3.25, date(2026, 5, 20): 0.75}


def test_a_message_that_changes_is_counted_as_it_is_now(local: Local) -> None:
    local.message("s1", "a", createdAt=NOON, model="m1", cost=1.0, promptTokens=300)
    local.message("s1", "a", createdAt=NOON, model="m2", cost=2.0, promptTokens=400)
    summary = numbers(local)
    assert [(group.name, group.sums.cost) for group in summary.models] == [("m2", 2.0)]
    assert (summary.total.messages, summary.total.prompt) == (1, 400)


def family(local: Local) -> None:
    """A fork within the quarter of an hour in which its parent was written."""
    local.session("p", title="Parent", cost=2.0, createdAt=NOON)
    local.message("p", "a", createdAt=NOON + 1, cost=2.0)
    local.session("f", title="Fork", parentExternalId="p", cost=1.0, createdAt=NOON + 10)
    local.message("f", "a", createdAt=NOON + 1, cost=2.0)
    local.message("f", "b", createdAt=NOON + 11, cost=1.0)


def test_what_forks_copied_is_told_and_not_counted(local: Local) -> None:
    family(local)
    summary = numbers(local)
    told = summary.reconciled
    assert (told.sessions, told.in_files, told.copied, told.counted) == (2, 5.0, 2.0, 3.0)
    assert (summary.total.cost, len(told.copying)) == (3.0, 1)
    (only,) = summary.families
    assert (only.root["title"], only.sums.cost, len(only.sums.sessions)) == ("Parent", 3.0, 2)


def test_a_session_that_turns_out_to_be_a_fork_is_counted_anew(local: Local) -> None:
    local.message("f", "a", createdAt=NOON + 1, cost=2.0, parts=CALLED)
    local.message("f", "b", createdAt=NOON + 11, cost=1.0, parts=CALLED)
    assert (numbers(local).total.cost, numbers(local).tools[0].calls) == (3.0, 2)
    local.session("f", parentExternalId="p", cost=1.0, createdAt=NOON + 10)
    assert (numbers(local).total.cost, numbers(local).tools[0].calls) == (1.0, 1)


CALLED = [
    {"type": "tool-call", "content": {"toolName": "bash", "args": {}}},
    {"type": "tool-result", "content": "[error] no such file"},
]


def test_tools_are_counted_with_their_failures(local: Local) -> None:
    read = {"type": "tool-call", "content": {"toolName": "read", "args": {"path": "a"}}}
    local.message("s1", "a", createdAt=NOON, parts=[*CALLED, read])
    local.message("s1", "a", parts=[*CALLED, *CALLED, read, {"type": "tool-result", "content": "text"}])
    local.message("s2", "b", createdAt=NOON - 40 * DAY, parts=CALLED)
    told = [(tool.name, tool.calls, tool.failures, tool.sessions) for tool in numbers(local).tools]
    assert told == [("bash", 2, 2, 1), ("read", 1, 0, 1)]
    assert numbers(local, None).tools[0].calls == 3


def test_two_projects_of_one_name_are_two(local: Local) -> None:
    for name, path in (
        ("s1", "/a/web"),
        ("s2", "/b/web/"),
        ("s3", "C:\\c\\we\u0301b"),
        ("s4", "C:/c/w\u00e9b"),
    ):
        local.session(name, projectPath=path, cost=1.0, createdAt=NOON)
    summary = numbers(local)
    assert sorted((group.name, group.key, group.sums.cost) for group in summary.projects) == [
        ("a/web", "/a/web", 1.0),
        ("b/web", "/b/web", 1.0),
        ("w\u00e9b", "C:/c/w\u00e9b", 2.0),
    ]
    page = local.page("/?project=/a/web")
    assert [name for name in ("a/web", "b/web") if f">{name}</option>" in page] == ["a/web", "b/web"]


def test_a_project_a_model_and_days_narrow_and_the_time_before_stands_beside(local: Local) -> None:
    for days, project, model, cost in (
        (0, "/a", "m1", 1.0),
        (0, "/b", "m1", 2.0),
        (1, "/a", "m2", 4.0),
        (2, "/a", "m1", 8.0),
        (3, "/a", "m1", 16.0),
        (4, "/a", "m1", 32.0),
    ):
        local.session(f"s{days}{project}", projectPath=project, createdAt=NOON - days * DAY)
        local.message(f"s{days}{project}", "m", createdAt=NOON - days * DAY, model=model, cost=cost)
    today = date(2026, 5, 20)
    with local.store.read() as database:

        def of(**asked: Any) -> Numbers:
            return summarize(database, now=NOON, zone=UTC, asked=Asked(**asked))

        last_two = of(first=today - timedelta(days=1), last=today)
        assert last_two.total.cost == 7.0
        assert last_two.previous is not None
        assert last_two.previous.cost == 24.0
        assert of(project="/a").total.cost == 61.0
        assert of(project="/a").previous is None
        assert of(model="m1", first=today, last=today).total.cost == 3.0
        assert of(source="opencode").total.cost_of_a_session == pytest.approx(63 / 6)
        assert of(first=today).days[today - timedelta(days=4)] == 32
        assert spent_since(database, today - timedelta(days=1), UTC) == 7.0


PRICES = {"fresh": 3e-6, "read": 0.3e-6, "written": 3.75e-6, "out": 15e-6}


def turns(count: int, prices: dict[str, float] = PRICES) -> list[tuple[float, float, float, float, float]]:
    chance = random.Random(1)  # noqa: S311 - the same turns every time
    found = []
    for _ in range(count):
        amounts = [chance.randrange(1, 50_000) for _ in prices]
        cost = sum(amount * price for amount, price in zip(amounts, prices.values(), strict=True))
        found.append((*amounts, cost))
    return found  # type: ignore[return-value]  # four amounts and the cost


def test_what_the_cache_saved_follows_from_what_turns_cost() -> None:
    of_model = turns(20)
    expected = sum(
        turn[1] * (PRICES["fresh"] - PRICES["read"]) - turn[2] * (PRICES["written"] - PRICES["fresh"])
        for turn in of_model
    )
    assert saved(of_model) == pytest.approx(expected)
    assert saved([(100, 0, 0, 10, 0.001)] * 8) == 0.0


def test_where_prices_do_not_follow_nothing_is_claimed() -> None:
    assert saved(turns(3)) is None
    assert saved([(100, 50, 0, 10, 0.001)] * 20) is None
    mixed = turns(10) + turns(10, {name: 5 * price for name, price in PRICES.items()})
    assert saved(mixed) is None
    assert saved([]) is None
