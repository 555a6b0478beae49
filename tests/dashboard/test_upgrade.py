"""A file of before is brought up to date with all that is in it, and takes less room."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.layout import ID_BITS
from pi_opensync.dashboard.db.migrations import APPLICATION_ID, MIGRATIONS
from pi_opensync.dashboard.db.numbers import summarize
from pi_opensync.sqlite import Database, open_private
from pi_opensync.upgrades import migrate
from tests.dashboard.conftest import START, Clock, Local
from tests.dashboard.test_numbers import numbers

WORDS = "many words of a Caf\u00e9 " * 400
SESSION = {
    "source": "pi",
    "project_path": "/src/web/",
    "project_name": "web",
    "model": "m1",
    "created_at": START,
    "is_dated": 1,
    "active_at": START,
    "updated_at": START,
    "revision": 1,
    "cost": 3.0,
}


def insert(database: Database, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    database.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - names of this test


def before(path: Path) -> None:
    """Write a file as the version before wrote it."""
    path.parent.mkdir()
    database = open_private(path, kind=Database)
    migrate(database, MIGRATIONS[:4], 0)
    insert(database, "sessions", id=1, external_id="p", title="Parent", root_id=1, message_count=1, **SESSION)
    fork = {**SESSION, "created_at": START + 10, "parent_external_id": "p", "parent_id": 1, "root_id": 1}
    insert(database, "sessions", id=2, external_id="f", title="Fork", message_count=2, **fork)
    call = {"toolName": "Read", "args": {"path": "/src/web/a.py"}}
    for place, (session, at) in enumerate(((1, START), (2, START), (2, START + 20))):
        message_id = (at << ID_BITS) + place
        insert(
            database,
            "messages",
            id=message_id,
            session_id=session,
            external_id=f"m{place}",
            role="assistant",
            text_content=WORDS,
            model="m2",
            prompt_tokens=10,
            cost=2.0,
            created_at=at,
            revision=1,
            size=len(WORDS),
        )
        parts = [("text", WORDS), ("tool-call", call), ("tool-result", "[error] caf\u00e9 closed")]
        for position, (kind, content) in enumerate(parts):
            insert(
                database,
                "parts",
                message_id=message_id,
                position=position,
                type=kind,
                content=json.dumps(content),
            )
    insert(database, "activity", session_id=1, slot=START // 900_000, messages=1, tokens=10)
    database.run("UPDATE revision SET value = 7")
    database.close()


def test_all_that_was_kept_is_read_searched_and_counted_as_before(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "data" / "local.sqlite3"
    before(path)
    size = path.stat().st_size
    connections = Connections.open(path)
    local = Local(connections, clock)
    _, (stored,) = local.stored("1")
    assert stored["textContent"] == WORDS
    assert [part["type"] for part in stored["parts"]] == ["text", "tool-call", "tool-result"]
    assert stored["parts"][0]["content"] == WORDS
    assert len(local.stored("2")[1]) == 2
    assert len(local.get("/api/search?q=cafe")["results"]) == 2
    assert len(local.get("/api/search?q=is:error+tool:read")["results"]) == 2
    assert local.page("/?project=/src/web").count("Parent") >= 1
    summary = numbers(local, None, now=clock())
    assert (summary.total.cost, summary.reconciled.copied) == (6.0, 2.0)
    assert [(tool.name, tool.calls, tool.failures) for tool in summary.tools] == [("Read", 2, 2)]
    local.message("p", "m0", textContent="other words", parts=[])
    assert len(local.get("/api/search?q=cafe")["results"]) == 1
    with connections.write() as database:
        database.run("INSERT INTO search (search, rank) VALUES ('integrity-check', 0)")
    connections.close()
    Connections.open(path).close()
    assert path.stat().st_size < size + 40_000  # of its new tables; the texts alone were 60,000


def test_numbers_that_were_not_booked_yet_are_the_same_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "data" / "local.sqlite3"
    path.parent.mkdir()
    database = open_private(path, kind=Database, named_columns=True)
    until = [step.__name__ for step in MIGRATIONS].index("numbers_as_booked")
    migrate(database, MIGRATIONS[:until], APPLICATION_ID)
    row = {**SESSION, "external_id": "s", "root_id": 1, "project": "/src/web", "prompt_tokens": 100}
    insert(database, "sessions", id=1, **row)
    usage = {"session_id": 1, "is_copied": 0, "cache_read_tokens": 5, "cache_write_tokens": 0}
    usage |= {"cache_known_tokens": 10, "completion_tokens": 1}
    slot = START // 900_000
    insert(database, "usage", slot=slot, model="", messages=1, prompt_tokens=10, cost=1.0, **usage)
    insert(database, "usage", slot=slot + 96, model="m2", messages=3, prompt_tokens=30, cost=1.0, **usage)
    outside = {"at": START, "kind": "compaction", "prompt_tokens": 8, "completion_tokens": 0, "cost": 0.5}
    insert(database, "spent", session_id=1, model="m3", **outside)
    database.close()
    connections = Connections.open(path)
    with connections.read() as opened:
        summary = summarize(opened, now=START + 10, zone=UTC, days=None)
    assert (summary.total.cost, summary.total.prompt, summary.total.messages) == (3.0, 100, 4)
    models = {each.key: round(each.sums.cost, 6) for each in summary.models}
    assert sum(models.values()) == pytest.approx(3.0)
    assert set(models) == {"m1", "m2", "m3"}
    connections.close()
