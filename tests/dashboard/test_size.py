"""Every question that a page asks is answered from an index, and reads no more than it shows.

`python -m tests.local.big DIRECTORY` makes 10,000 sessions and a million messages, and times all this.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from pi_opensync.dashboard.db import queries
from pi_opensync.dashboard.db.queries import Filters
from pi_opensync.dashboard.db.search import parse
from pi_opensync.dashboard.db.store import Store
from pi_opensync.dashboard.web import live
from tests.dashboard.big import fill, measure

LARGE = ("messages", "parts", "activity")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(tmp_path_factory.mktemp("big") / "big.sqlite3")
    fill(store, 60, 3000)
    yield store
    store.close()


def hits(con: sqlite3.Connection, text: str, **options: int) -> object:
    query = parse(text)
    assert query is not None
    return queries.hits(con, query, limit=30, **options)


def growth(con: sqlite3.Connection) -> object:
    session = queries.session(con, 1)
    assert session is not None
    return live.growth(con, session, live.Cursor(0))


ASKED: dict[str, Callable[[sqlite3.Connection], object]] = {
    "list": lambda con: queries.families(con, Filters(), limit=50),
    "list, further": lambda con: queries.families(con, Filters(), limit=50, before=(1_770_000_000_000, 5)),
    "list of a project": lambda con: queries.families(
        con, Filters(project="webapp", model="x", since=5), limit=50
    ),
    "choices": queries.choices,
    "newest": lambda con: queries.newest_sessions(con, 50),
    "session": lambda con: queries.session(con, 1),
    "forks": lambda con: queries.forks_of(con, 1),
    "start": lambda con: queries.window(con, 1, limit=40),
    "end": lambda con: queries.window(con, 1, limit=40, at_end=True),
    "after": lambda con: queries.window(con, 1, limit=40, after=5),
    "before": lambda con: queries.window(con, 1, limit=40, before=2**60),
    "changes": growth,
    "search": lambda con: hits(con, "error build"),
    "search, further": lambda con: hits(con, "error", before=2**60),
    "search in a session": lambda con: hits(con, "error", session_id=1),
    "API search": lambda con: queries.sessions_with(con, parse("error") or pytest.fail("no query"), 20),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_no_question_scans_a_large_table(
    filled: Store, asked: Callable[[sqlite3.Connection], object]
) -> None:
    statements: list[str] = []
    with filled.read() as con:
        con.set_trace_callback(statements.append)
        asked(con)
        con.set_trace_callback(None)
        questions = [statement for statement in statements if statement.lstrip().startswith("SELECT")]
        assert questions
        for question in questions:
            plan = [row["detail"] for row in con.execute(f"EXPLAIN QUERY PLAN {question}")]
            assert [step for step in plan if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)] == [], question


def test_a_long_session_reads_only_what_it_shows(filled: Store) -> None:
    with filled.read() as con:
        rows = con.execute("SELECT id FROM sessions ORDER BY message_count DESC").fetchall()
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        taken = []
        for session_id in (rows[0]["id"], rows[-1]["id"]):
            steps = 0
            con.set_progress_handler(count, 1)
            queries.window(con, session_id, limit=20)
            con.set_progress_handler(None, 0)
            taken.append(steps)
    assert taken[0] < 2 * taken[1]


def test_every_page_of_a_filled_store_is_answered(filled: Store) -> None:
    assert len(asyncio.run(measure(filled, times=1))) > 20


def test_the_made_up_sessions_have_forks_and_one_long_session(filled: Store) -> None:
    with filled.read() as con:
        counts = con.execute("SELECT max(message_count), count(*), count(parent_id) FROM sessions").fetchone()
    assert counts[0] == 150
    assert counts[1] == 60
    assert counts[2] > 0
