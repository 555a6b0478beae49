"""`usage`: the sums are those of pi, and the files say the same."""

import json
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pi_opensync.cli.budgets import spent
from pi_opensync.cli.statusline import statusline
from pi_opensync.daemon import places
from pi_opensync.dashboard.db import numbers
from pi_opensync.dashboard.db.connections import FILE, beside
from pi_opensync.dashboard.db.sums import Asked, Sums
from pi_opensync.inspect.spending import Used, differing, total, usage
from pi_opensync.opensync.summary import Summary
from pi_opensync.settings import Settings
from tests.conftest import Cli
from tests.harness import TRANSCRIPTS, entry, header, line, result, said
from tests.harness import usage as used


def session(key: str, day: int, **values: object) -> Summary:
    plain: dict[str, object] = {
        "id": key,
        "title": f"About {key}",
        "project": "shop",
        "folder": "/src/shop",
        "model": "m-1",
        "provider": "p",
        "created_at": (1_790_000_000 + day * 86_400) * 1000,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cost": 0.5,
        "duration_ms": 1000,
    }
    return Summary(**(plain | values))  # type: ignore[arg-type]


def used_by(*sessions: Summary) -> list[Used]:
    return [
        Used(said, said.created_at or 0, said.model, 1, said.prompt_tokens, said.completion_tokens, said.cost)
        for said in sessions
    ]


def test_what_was_used_counts_on_its_day_the_latest_first() -> None:
    rows = usage(used_by(session("a", 0), session("b", 0), session("c", 1, cost=2.0)), "daily")
    assert [(row.sessions, row.cost) for row in rows] == [(1, 2.0), (2, 1.0)]
    assert rows[0].period > rows[1].period


@pytest.mark.parametrize(("period", "count"), [("daily", 3), ("weekly", 2), ("monthly", 1), ("session", 3)])
def test_periods(period: str, count: int) -> None:
    sessions = used_by(session("a", 0), session("b", 1), session("c", 7))
    assert len(usage(sessions, period)) == count  # type: ignore[arg-type]


def test_each_session_has_its_row_also_beside_one_of_the_same_day_and_title() -> None:
    sessions = used_by(session("a", 0, title="again"), session("b", 0, title="again", cost=2.0))
    rows = usage([*sessions, sessions[0]], "session")
    assert [(row.session, row.title, row.cost) for row in rows] == [("b", "again", 2.0), ("a", "again", 1.0)]
    assert {row.period for row in rows} == {rows[0].period}


def test_by_model_each_has_its_sum_and_all_of_them_the_total() -> None:
    sessions = used_by(session("a", 0), session("b", 0, model=None), session("c", 0, model="m-2"))
    rows = usage(sessions, "monthly", "model")
    assert {row.group for row in rows} == {"m-1", "m-2", "-"}
    assert sum(row.cost for row in rows) == total(sessions).cost


def test_what_differs_is_named() -> None:
    one = [session("a", 0), session("b", 0), session("c", 0)]
    assert differing(one, [session("a", 0), session("b", 0, cost=0.6)]) == ["b", "c"]


DAY = datetime(2026, 11, 20, 12).astimezone()
"""A Friday: what the sessions of these tests used, they used on it."""


@pytest.fixture
def used_then(cli: Cli) -> Cli:
    begun = DAY.timestamp()
    lines = (
        header("a", begun, cwd="/src/shop"),
        said("user", "a question", begun),
        said("assistant", "an answer", begun, usage=used(), model="m-1", provider="p"),
    )
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    assert cli("sync", "--yes").code == 0
    return cli


def kept(cli: Cli, **more: object) -> Settings:
    """The settings of that home."""
    variables = cli.environment()
    server = variables["PI_OPENSYNC_CONVEX_URL"]
    return Settings(convex_url=server, state_dir=Path(variables["PI_OPENSYNC_STATE_DIR"]), **more)  # type: ignore[arg-type]


def test_where_only_opensync_is_configured_the_numbers_are_there(used_then: Cli) -> None:
    report = json.loads(used_then("usage", "--json").out)
    listed = json.loads(used_then("list", "--json").out)["sessions"]
    assert report["total"]["cost"] == listed[0]["cost"] > 0
    assert used_then("usage", "--model", "other").out == "No sessions.\n"
    assert "m-1" in used_then("usage", "weekly", "--by", "model").out
    assert used_then("usage", "statusline").out.count("$") == 2


def test_the_line_of_a_status_bar_tells_of_today_and_this_week(used_then: Cli) -> None:
    states = [place.state for place in places.kept(kept(used_then))]
    assert statusline(states, DAY) == "$0.50 today, $0.50 this week, 110 tokens today"
    assert statusline(states, DAY.replace(hour=0, minute=0)).startswith("$0.50 today")
    assert statusline(states, DAY + timedelta(days=2)).startswith("$0.00 today, $0.50 this week, 0 tokens")
    assert statusline(states, DAY + timedelta(days=3)).startswith("$0.00 today, $0.00 this week")


def test_where_no_dashboard_is_kept_the_files_tell(fresh_cli: Cli) -> None:
    begun = time.time() - 1
    sessions = fresh_cli.home / ".pi/agent/sessions/--src-shop--"
    sessions.mkdir(parents=True)
    lines = (
        header("a", begun, cwd="/src/shop"),
        said("user", "a question", begun),
        said("assistant", "an answer", begun, usage=used(), model="m-1", provider="p"),
    )
    (sessions / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    assert json.loads(fresh_cli("usage", "--json").out)["total"]["sessions"] == 1
    told = fresh_cli("list").out
    assert "a question" in told
    assert "pi-opensync start" in told
    listed = json.loads(fresh_cli("list", "--json").out)["sessions"]
    assert [(row["title"], row["why"]) for row in listed] == [("a question", "not read yet")]
    assert not (fresh_cli.home / "state").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PI_OPENSYNC_CONVEX_URL", "not a URL"), ("PI_OPENSYNC_CONFIG", "/dev/null/config.json")],
)
def test_a_status_bar_hears_of_wrong_settings_as_every_command(cli: Cli, name: str, value: str) -> None:
    done, other = (cli("usage", what, **{name: value}) for what in ("statusline", "daily"))
    assert (done.code, done.err) == (other.code, other.err)
    assert done.code == 6


def test_a_budget_is_counted_where_only_opensync_is_configured(used_then: Cli) -> None:
    assert json.loads(used_then("status", "--json").out)["budgets"] == []
    set_to = {"PI_OPENSYNC_BUDGET_DAILY": "0.1", "PI_OPENSYNC_BUDGET_MONTHLY": "100"}
    budgets = json.loads(used_then("status", "--json", **set_to).out)["budgets"]
    assert [(each["time"], each["limit"]) for each in budgets] == [("today", 0.1), ("this month", 100.0)]
    chosen = kept(used_then, budget_daily=0.1, budget_monthly=100.0)
    told = [(each.time, each.is_passed, each.spent) for each in spent(chosen, DAY.timestamp())]
    assert told == [("today", True, 0.5), ("this month", False, 0.5)]
    tomorrow = spent(chosen, DAY.timestamp() + 86_400)
    assert [(each.is_passed, each.spent) for each in tomorrow] == [(False, 0), (False, 0.5)]


def test_the_audit_breaks_its_lines_between_words_where_they_are_narrow(used_then: Cli) -> None:
    used_then.variables["COLUMNS"] = "40"
    lines = used_then("usage", "--audit").out.splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("known here    ")
    assert lines[1].startswith(" " * 14)


def test_the_audit_names_what_the_files_say_otherwise(used_then: Cli) -> None:
    done = used_then("usage", "--audit")
    assert (done.code, "No session differs." in done.out) == (0, True)
    report = json.loads(used_then("usage", "--audit", "--json").out)
    assert (report["differing"], report["known"]) == ([], report["in_files"])
    path = Path(used_then.home / "sessions" / "a.jsonl")
    with path.open("ab") as file:
        file.write(line(said("assistant", "more", time.time(), usage=used(), model="m-1", provider="p")))
    done = used_then("usage", "--audit")
    assert (done.code, "differs" in done.out) == (8, True)


def by_day(home: Path) -> dict[tuple[str, str], tuple[int, int, int, int, float]]:
    """What the page of numbers shows of pi's sessions, by day and model."""
    with beside(home / "local" / FILE) as database:
        assert database is not None
        sums: dict[tuple[str, str], Sums] = {}
        for day in numbers.by_day(database, Asked(), None):
            sums.setdefault((f"{day.day}", day.model), Sums()).add(day.sums)
    return {
        key: (len(one.sessions), one.messages, round(one.prompt), round(one.completion), round(one.cost, 6))
        for key, one in sums.items()
    }


def test_it_says_what_the_page_of_numbers_says(fresh_cli: Cli) -> None:
    sessions = fresh_cli.home / "sessions"
    shutil.copytree(TRANSCRIPTS, sessions)
    late, child = datetime(2026, 11, 23, 23, 59).astimezone().timestamp(), "/src/nowhere/child.jsonl"
    compaction = entry(late + 30, type="compaction", summary="so far", tokensBefore=9, usage=used(7, 3, 0.25))
    delegated = {"results": [{"agent": "scout", "sessionFile": child, "usage": {"cost": 0.5}}]}
    over_midnight = [
        header("parent", late, cwd="/src/shop"),
        said("user", "a question", late, "e1"),
        said("assistant", "an answer", late + 1, "e2", usage=used(), model="m-1", provider="p"),
        compaction,
        said("user", "the next day", late + 120, "e3"),
        said("assistant", "an answer", late + 121, "e4", usage=used(50, 5, 1.0), model="m-2", provider="p"),
        result("call", "done", late + 130, toolName="subagent", details=delegated, usage=used(1, 1, 0.5)),
    ]
    fork = [
        header("fork", late + 300, cwd="/src/shop", parentSession=str(sessions / "parent.jsonl")),
        *over_midnight[1:3],
        said("assistant", "anew", late + 301, "e5", usage=used(20, 2, 0.125), model="m-1", provider="p"),
    ]
    for name, lines in (("parent", over_midnight), ("fork", fork)):
        (sessions / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    fresh_cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(sessions)
    assert fresh_cli("watch", "--local", "--once", "--port", "0").code == 0
    report = json.loads(fresh_cli("usage", "daily", "--by", "model", "--json").out)
    told = {
        (row["period"], row["group"]): (
            row["sessions"],
            row["messages"],
            row["prompt_tokens"],
            row["completion_tokens"],
            round(row["cost"], 6),
        )
        for row in report["rows"]
    }
    shown = by_day(fresh_cli.home / "state")
    assert told == shown
    assert {"2026-11-23", "2026-11-24"} <= {day for day, _model in shown}
    assert fresh_cli("usage", "--audit").code == 0
