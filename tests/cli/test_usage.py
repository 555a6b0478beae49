"""`usage`: the sums are those of pi, and the files say the same."""

import json
import time
from pathlib import Path

import pytest

from pi_opensync.inspect.usage import differing, total, usage
from pi_opensync.opensync.summary import Summary
from tests.conftest import Cli
from tests.harness import header, line, said
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


def test_a_session_counts_where_it_began_the_latest_first() -> None:
    rows = usage([session("a", 0), session("b", 0), session("c", 1, cost=2.0)], "daily")
    assert [(row.sessions, row.cost) for row in rows] == [(1, 2.0), (2, 1.0)]
    assert rows[0].period > rows[1].period


@pytest.mark.parametrize(("period", "count"), [("daily", 3), ("weekly", 2), ("monthly", 1), ("session", 3)])
def test_periods(period: str, count: int) -> None:
    sessions = [session("a", 0), session("b", 1), session("c", 7)]
    assert len(usage(sessions, period)) == count  # type: ignore[arg-type]


def test_by_model_each_has_its_sum_and_all_of_them_the_total() -> None:
    sessions = [session("a", 0), session("b", 0, model=None), session("c", 0, model="m-2")]
    rows = usage(sessions, "monthly", "model")
    assert {row.group for row in rows} == {"m-1", "m-2", "-"}
    assert sum(row.cost for row in rows) == total(sessions).cost


def test_what_differs_is_named() -> None:
    one = [session("a", 0), session("b", 0), session("c", 0)]
    assert differing(one, [session("a", 0), session("b", 0, cost=0.6)]) == ["b", "c"]


@pytest.fixture
def used_today(cli: Cli) -> Cli:
    begun = time.time() - 1
    lines = (
        header("a", begun, cwd="/src/shop"),
        said("user", "a question", begun),
        said("assistant", "an answer", begun, usage=used(), model="m-1", provider="p"),
    )
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    assert cli("sync", "--yes").code == 0
    return cli


def test_where_only_opensync_is_configured_the_numbers_are_there(used_today: Cli) -> None:
    report = json.loads(used_today("usage", "--json").out)
    listed = json.loads(used_today("list", "--json").out)["sessions"]
    assert report["total"]["cost"] == listed[0]["cost"] > 0
    assert used_today("usage", "--model", "other").out == "No sessions.\n"
    assert f"${listed[0]['cost']:.2f} today" in used_today("usage", "statusline").out
    assert "m-1" in used_today("usage", "weekly", "--by", "model").out


def test_the_audit_names_what_the_files_say_otherwise(used_today: Cli) -> None:
    assert used_today("usage", "--audit").code == 0
    path = Path(used_today.home / "sessions" / "a.jsonl")
    with path.open("ab") as file:
        file.write(line(said("assistant", "more", time.time(), usage=used(), model="m-1", provider="p")))
    done = used_today("usage", "--audit")
    assert (done.code, "differs" in done.out) == (8, True)
