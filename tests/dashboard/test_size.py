"""Every question that a page asks is answered from an index, and reads no more than it shows.

`python -m tests.dashboard.big DIRECTORY` makes 10,000 sessions and a million messages, and times all this.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import apsw
import pytest

from bench.corpus import prose
from pi_opensync.dashboard.db import branches, finding, listing, readback
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.listing import Filters
from pi_opensync.dashboard.db.upsert import save
from pi_opensync.dashboard.incoming import MessageIn
from pi_opensync.dashboard.parts import StoredPart
from pi_opensync.dashboard.query import parse
from pi_opensync.dashboard.web import live
from pi_opensync.sqlite import Database
from tests.dashboard.big import fill, measure
from tests.dashboard.conftest import Local

LARGE = ("messages", "usage", "tools", "touched")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connections]:
    store = Connections.open(tmp_path_factory.mktemp("big") / "big.sqlite3")
    fill(store, 60, 3000)
    yield store
    store.close()


def hits(database: Database, text: str, **options: Any) -> object:
    return finding.search(lambda: nullcontext(database), parse(text), limit=30, **options)


def growth(database: Database) -> object:
    session = readback.session(database, 1)
    assert session is not None
    return live.growth(database, session, live.LiveCursor(0))


ASKED: dict[str, Callable[[Database], object]] = {
    "list": lambda database: listing.families(database, Filters(), limit=50),
    "list, further": lambda database: listing.families(
        database, Filters(), limit=50, before=(1_770_000_000_000, 5)
    ),
    "list of a project": lambda database: listing.families(
        database, Filters(project="webapp", model="x", since=5), limit=50
    ),
    "choices": listing.choices,
    "newest": lambda database: listing.newest_sessions(database, 50),
    "session": lambda database: readback.session(database, 1),
    "forks": lambda database: readback.forks_of(database, 1),
    "start": lambda database: readback.window(database, 1, limit=40),
    "end": lambda database: readback.window(database, 1, limit=40, at_end=True),
    "after": lambda database: readback.window(database, 1, limit=40, after=5),
    "before": lambda database: readback.window(database, 1, limit=40, before=2**60),
    "changes": growth,
    "search": lambda database: hits(database, "error build"),
    "search, further": lambda database: hits(database, "error", before=2**60),
    "search in a session": lambda database: hits(database, "error", session_id=1),
    "search with filters": lambda database: hits(database, "error project:webapp -fix role:user"),
    "search of a phrase": lambda database: hits(database, '"fix build"'),
    "titles": lambda database: finding.titled(database, parse("error project:webapp"), 20),
    "API search": lambda database: finding.sessions_with(lambda: nullcontext(database), parse("error"), 20),
    "files": lambda database: finding.files_of(database, 1),
    "branches": lambda database: branches.branches(database, 1),
}


def test_an_hour_of_the_week_reads_the_rows_of_a_session_once(filled: Connections) -> None:
    many = tuple(range(0, 30_000, 3))
    with filled.read() as database:
        steps = []
        for slots in (many[:1], many):
            count = 0

            def step() -> bool:
                nonlocal count
                count += 1
                return False

            database.connection.set_progress_handler(step, 1)
            listing.families(database, Filters(slots=slots), limit=50)
            database.connection.set_progress_handler(None, 0)
            steps.append(count)
    assert steps[1] < steps[0] + 5 * len(many)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_no_question_scans_a_large_table(filled: Connections, asked: Callable[[Database], object]) -> None:
    questions: list[tuple[str, Any]] = []

    def note(_cursor: apsw.Cursor, statement: str, values: Any) -> bool:
        if statement.lstrip().startswith("SELECT"):
            questions.append((statement, values))
        return True

    with filled.read() as database:
        database.connection.exec_trace = note
        asked(database)
        database.connection.exec_trace = None
        assert questions
        for question, values in questions:
            plan = [row["detail"] for row in database.rows(f"EXPLAIN QUERY PLAN {question}", values or ())]
            assert [step for step in plan if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)] == [], question


def test_a_long_session_reads_only_what_it_shows(filled: Connections) -> None:
    with filled.read() as database:
        rows = database.rows("SELECT id FROM sessions ORDER BY message_count DESC")
        steps = 0

        def count() -> bool:
            nonlocal steps
            steps += 1
            return False

        taken = []
        for session_id in (rows[0]["id"], rows[-1]["id"]):
            steps = 0
            database.connection.set_progress_handler(count, 1)
            readback.window(database, session_id, limit=20)
            database.connection.set_progress_handler(None, 0)
            taken.append(steps)
    assert taken[0] < 2 * taken[1]


def test_it_takes_less_room_than_the_transcripts_that_it_shows(local: Local) -> None:
    chance = random.Random(1)  # noqa: S311 - the same words every time
    size = 0
    for session in range(10):
        messages = []
        for place in range(30):
            text, result = prose(chance, 900), prose(chance, 8_000)
            call = {"toolName": "bash", "args": {"command": prose(chance, 60)}}
            parts = (
                StoredPart("text", text),
                StoredPart("tool-call", call),
                StoredPart("tool-result", result),
            )
            messages.append(
                MessageIn(
                    f"s{session}", f"{place}", "assistant", text_content=text, parts=parts, created_at=place
                )
            )
            size += len(json.dumps([text, call, result]))
        save(local.store, [], messages, 0)
    with local.store.read() as database:
        assert database.path.stat().st_size < 0.6 * size


def test_every_page_of_a_filled_store_is_answered(filled: Connections) -> None:
    assert len(asyncio.run(measure(filled, times=1))) > 20


def test_the_made_up_sessions_have_forks_and_one_long_session(filled: Connections) -> None:
    with filled.read() as database:
        counts = database.row("SELECT max(message_count), count(*), count(parent_id) FROM sessions")
    assert counts[0] == 150
    assert counts[1] == 60
    assert counts[2] > 0
