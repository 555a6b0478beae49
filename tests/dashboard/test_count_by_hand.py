"""What the pages say of pi's own transcripts is what a count by hand says."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date
from typing import Any, NamedTuple

import pytest

from pi_opensync.dashboard.db.branches import branches
from pi_opensync.dashboard.db.connections import FILE, Connections
from pi_opensync.dashboard.db.numbers import by_day, summarize
from pi_opensync.dashboard.db.sums import Asked, Numbers, Sums
from pi_opensync.dashboard.show.visible import count, money
from tests.conftest import Cli
from tests.dashboard import by_hand
from tests.dashboard.conftest import Clock, Local
from tests.harness import TRANSCRIPTS

LATER = 1_800_000_000_000


@pytest.fixture
def shown(fresh_cli: Cli) -> Iterator[Local]:
    """The dashboard of one's own, after the transcripts were brought there."""
    state = fresh_cli.home / "state"
    fresh_cli.variables |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(TRANSCRIPTS),
        "PI_OPENSYNC_STATE_DIR": str(state),
        "TZ": "UTC",
    }
    assert fresh_cli("watch", "--local", "--once", "--port", "0").code == 0
    store = Connections.open(state / "local" / FILE)
    clock = Clock()
    clock.ms = LATER
    yield Local(store, clock)
    store.close()


def same(sums: Sums) -> Any:
    return round(sums.tokens), pytest.approx(sums.cost)


class Row(NamedTuple):
    """A row of a table on the page, as it reads."""

    title: str
    name: str
    cost: str
    tokens: str


def rows_of(page: str) -> list[Row]:
    found = []
    for section in page.split("<h2>")[1:]:
        title = section.partition("</h2>")[0]
        for row in section.split('<tr><th scope="row">')[1:]:
            name = re.sub("<[^>]*>", "", row.partition("</th>")[0])
            cost, tokens = re.findall("<td>([^<]*)</td>", row)[:2]
            found.append(Row(title, name, cost, tokens))
    return found


def test_the_pages_say_what_a_count_by_hand_says(shown: Local) -> None:
    counted = by_hand.sessions(TRANSCRIPTS)
    with shown.store.read() as database:
        told: Numbers = summarize(database, now=LATER, zone=UTC)
        days: dict[str, Sums] = {}
        for row in by_day(database, Asked(), UTC):
            days.setdefault(row.day.isoformat(), Sums()).add(row.sums)
        branched = {
            row["external_id"]: branches(database, row["id"])
            for row in database.rows("SELECT id, external_id FROM sessions")
        }
    assert {day: same(sums) for day, sums in days.items()} == by_hand.by(counted.values(), "day")
    assert {group.key: same(group.sums) for group in told.models} == by_hand.by(counted.values(), "model")
    assert {group.key: same(group.sums) for group in told.projects} == by_hand.by(counted.values(), "project")
    families = by_hand.families(TRANSCRIPTS, counted)
    assert len(families) > 3
    assert {each.root["external_id"]: pytest.approx(each.sums.cost) for each in told.families} == families
    copied = sum(session.copied for session in counted.values())
    assert told.reconciled.copied == pytest.approx(copied)
    assert told.reconciled.sessions == len(counted)
    assert len(branched) == len(counted)
    several = {key: found for key, found in branched.items() if len(found) > 1}
    assert several
    for key, found in several.items():
        active, others = by_hand.branches(counted[key])
        assert found[0].cost == pytest.approx(active)
        assert sum(branch.cost for branch in found[1:]) == pytest.approx(others)
    page = shown.page("/numbers?days=all")
    rows = rows_of(page)
    for which, title in (("project", "Projects"), ("model", "Models")):
        counted_by = by_hand.by(counted.values(), which)
        assert {row for row in rows if row.title == title} == {
            Row(title, key.rpartition("/")[2], money(cost), count(tokens))
            for key, (tokens, cost) in counted_by.items()
        }
    shown_families = [row.cost for row in rows if row.title == "Families of forks"]
    assert sorted(shown_families) == sorted(map(money, families.values()))
    for day, (_tokens, cost) in by_hand.by(counted.values(), "day").items():
        named = date.fromisoformat(day)
        assert f"{named:%a} {named.day} {named:%b %Y}: {money(cost)}" in page
    table = csv.DictReader(io.StringIO(shown.page("/numbers.csv?days=all")))
    told_by_row: dict[tuple[str, str], Any] = {
        (row["day"], row["model"]): (
            int(row["prompt_tokens"]) + int(row["completion_tokens"]),
            pytest.approx(float(row["cost_usd"]), abs=1e-6),
        )
        for row in table
    }
    assert told_by_row == by_hand.by_day_and_model(counted.values())
    counted_in_all = sum(cost for _tokens, cost in by_hand.by(counted.values(), "model").values())
    for dollars in (counted_in_all, copied, counted_in_all + copied, *families.values()):
        assert money(dollars) in page
