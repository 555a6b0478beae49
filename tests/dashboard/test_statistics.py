"""The numbers as a page, a table and JSON, for the time and the project that are asked for."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.dashboard.db.budget import Budget
from pi_opensync.dashboard.db.connections import Connections, Remembered, beside
from pi_opensync.dashboard.web.application import create_app
from tests.dashboard.conftest import Local
from tests.dashboard.test_numbers import DAY, NOON
from tests.dashboard.test_pages import checked, rows


@pytest.fixture
def filled(local: Local) -> Local:
    local.clock.ms = NOON
    for days, project, cost in (
        (0, "/src/web", 1.0),
        (1, "/src/web", 2.0),
        (2, "/old/web", 4.0),
        (40, "", 8.0),
    ):
        name = f"s{days}"
        local.session(name, projectPath=project, createdAt=NOON - days * DAY, source="pi")
        local.message(name, "m", model="m1", cost=cost, promptTokens=10, createdAt=NOON - days * DAY)
    return local


def table(local: Local, asked: str) -> list[dict[str, str]]:
    answer = local.ask("GET", f"/numbers.csv{asked}", headers={"cookie": local.cookie})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="numbers.csv"'
    return list(csv.DictReader(answer.text.splitlines()))


@pytest.mark.parametrize(
    ("asked", "costs"),
    [
        ("", ["4", "2", "1"]),
        ("?days=all", ["8", "4", "2", "1"]),
        ("?first=2026-05-19&last=2026-05-19", ["2"]),
        ("?first=2026-05-19", ["2", "1"]),
        ("?last=2026-05-01", ["8"]),
        ("?days=all&project=/src/web", ["2", "1"]),
        ("?model=other", []),
    ],
)
def test_the_table_holds_what_is_asked_for(filled: Local, asked: str, costs: list[str]) -> None:
    assert [f"{float(row['cost_usd']):.0f}" for row in table(filled, asked)] == costs
    assert "Numbers" in checked(filled.page(f"/numbers{asked}"))


def test_the_table_names_projects_apart_and_holds_no_formula(filled: Local) -> None:
    filled.session("s", projectPath="=cmd()", createdAt=NOON, cost=1.0, model="+m")
    rows = table(filled, "")
    assert [row["project"] for row in rows] == ["old/web", "src/web", "src/web", "'=cmd()"]
    assert rows[-1]["model"] == "'+m"
    assert [row["day"] for row in rows] == ["2026-05-18", "2026-05-19", "2026-05-20", "2026-05-20"]


def test_other_programs_get_the_sums_as_json(filled: Local) -> None:
    answer: dict[str, Any] = filled.get("/api/numbers?first=2026-05-19&last=2026-05-20")
    assert answer["total"] == {
        "cost": 3.0,
        "promptTokens": 20,
        "completionTokens": 0,
        "cacheReadTokens": 0,
        "cacheWriteTokens": 0,
        "messages": 2,
        "sessions": 2,
    }
    assert answer["previous"]["cost"] == 4.0
    assert [each["name"] for each in answer["projects"]] == ["web"]
    assert filled.ask("GET", "/api/numbers").status_code == 401


def test_tools_tell_how_often_they_ran_failed_and_how_long(filled: Local) -> None:
    def ran(name: str, *results: Any) -> None:
        parts = [
            part
            for answer in results
            for part in (
                {"type": "tool-call", "content": {"toolName": "bash", "args": {}}},
                {"type": "tool-result", "content": answer},
            )
        ]
        filled.message("s0", name, parts=parts, createdAt=NOON)

    ran("m", {"text": "ok", "durationMs": 1000}, {"text": "[error] no", "durationMs": 500})
    ran("n", "ok")
    told = {"name": "bash", "calls": 3, "failures": 1, "sessions": 1, "timedCalls": 2, "durationMs": 1500}
    assert filled.get("/api/numbers")["tools"] == [told]
    ran("n", {"text": "ok", "durationMs": 500})
    assert filled.get("/api/numbers")["tools"] == [{**told, "timedCalls": 3, "durationMs": 2000}]
    assert "<td>2.0 s</td><td>666 ms</td>" in filled.page("/numbers")


@pytest.mark.parametrize(
    "asked",
    ["?first=soon", "?last=0001-01-01", "?first=2026-05-20&last=2026-05-19", "?days=5", "?first=9999-01-01"],
)
def test_a_time_that_is_none_is_named(filled: Local, asked: str) -> None:
    filled.page(f"/numbers{asked}", status=400)


def test_a_budget_says_when_it_is_passed(filled: Local, tmp_path: Path) -> None:
    filled.app = create_app(
        filled.store, filled.keys, now=filled.clock, budget=Budget(daily=0.5, monthly=100.0)
    )
    told = filled.get("/api/numbers")["budgets"]
    assert [(each["time"], each["spent"], each["isPassed"]) for each in told] == [
        ("today", 1.0, True),
        ("this month", 7.0, False),
    ]
    filled.message("s0", "more", cost=200.0, createdAt=NOON)
    assert [each["isPassed"] for each in filled.get("/api/numbers")["budgets"]] == [True, True]
    with beside(tmp_path / "data" / "local.sqlite3") as database:
        assert database is not None
        assert database.one("SELECT count(*) FROM sessions") == 4
    with beside(tmp_path / "none") as database:
        assert database is None


def test_what_was_worked_out_is_kept_until_something_changes() -> None:
    known = Remembered(most=2)
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return len(made)

    assert [known.of("a", 1, make), known.of("a", 1, make), known.of("a", 2, make)] == [1, 1, 2]
    assert [known.of("b", 2, make), known.of("c", 2, make), known.of("c", 2, make)] == [3, 4, 4]
    assert known.of("a", 2, make) == 5


def test_the_days_of_the_json_are_those_of_the_page(filled: Local) -> None:
    periods = filled.get("/api/numbers?days=7")["periods"]
    assert (len(periods), periods[-1]["start"]) == (7, date(2026, 5, 20).isoformat())


def test_pages_are_compressed_for_whoever_takes_it(filled: Local, store: Connections) -> None:
    del store
    headers = {"cookie": filled.cookie}
    answer = filled.ask("GET", "/numbers", headers={**headers, "accept-encoding": "gzip"})
    plain = filled.ask("GET", "/numbers", headers={**headers, "accept-encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(answer.headers["content-length"]) * 3 < len(plain.content)
    assert answer.text == plain.text


def test_a_day_leads_to_the_sessions_that_something_was_said_in_on_it(filled: Local) -> None:
    """Also to one that went on later; and only to those that the filters of the numbers fit."""
    filled.message("s2", "later", createdAt=NOON, cost=1.0)
    day = "since_day=2026-05-18&until=2026-05-18"
    assert rows(filled.page(f"/?{day}")) == rows(filled.page("/?project=/old/web"))
    assert len(rows(filled.page("/?since_day=2026-05-20&until=2026-05-20"))) == 2
    assert rows(filled.page("/?since_day=2026-05-19&until=2026-05-19&project=/old/web")) == []
    page = filled.page("/numbers?days=all&project=/old/web")
    assert (
        'href="/?project=%2Fold%2Fweb&amp;since_day=2026-05-18&amp;until=2026-05-18" aria-label="Mon 18'
        in page
    )
