"""`verify` of what can not be read back, of what others wrote, and of what is found by search."""

import json
from typing import Any

import pytest

from pi_opensync.cli import verify
from pi_opensync.errors import PartlyDone
from tests.harness import START, iso, session_id
from tests.inspect.compared import ID, TEXTS, A, Ask, another, ask, lose, message, world
from tests.machine.daemon import DaemonWorld
from tests.read.settled import put, talk, turn
from tests.standin.faults import ErrorBefore
from tests.standin.rows import Session
from tests.standin.values import RefusedValueError

__all__ = ["ask", "world"]  # fixtures


def test_a_session_too_large_to_read_back_is_said_and_the_others_are_compared(
    world: DaemonWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    large = [turn(f"text {number}", number) for number in range(4_097)]
    put(world, "large.jsonl", *talk("large", "begun"), *large)
    lose(world, message(world))
    row = next(iter(world.opensync.sessions.values()))
    for number in range(4_097):
        another(world, message(world, 0), external_id=f"large-{number}", session_id="s-large")
    world.opensync.sessions[session_id("large")] = Session(
        **{**vars(row), "id": "s" + "a" * 31, "external_id": session_id("large"), "message_count": 4_097}
    )
    for item in world.opensync.messages.values():
        if item.session_id == "s-large":
            item.session_id = "s" + "a" * 31
    world.opensync.sessions[ID].message_count = 3
    with pytest.raises(PartlyDone) as left:
        verify.run(repair=False, session=None, as_json=True)
    assert left.value.exit_code == 8
    report = json.loads(capsys.readouterr().out)
    unread = {item["external_id"]: item["unread"] for item in report["found"] if item["unread"]}
    assert unread == {session_id("large"): "too large to read back"}
    assert [len(item["missing"]) for item in report["found"] if not item["unread"]] == [1]


def test_a_session_that_can_not_be_read_back_ends_with_8(
    world: DaemonWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    server_id = world.opensync.sessions[ID].id
    there = world.opensync.routes["GET", "/api/sessions/get"]

    def fails(query: Any, body: bytes) -> Any:
        if query["id"] == [server_id]:
            raise RefusedValueError("Server Error")
        return there(query, body)

    world.opensync.routes["GET", "/api/sessions/get"] = fails
    with pytest.raises(PartlyDone) as left:
        verify.run(repair=False, session=None, as_json=False)
    assert left.value.exit_code == 8
    shown = capsys.readouterr().out
    assert "the server can not read it back" in shown
    assert "2 sessions compared, 0 differences" in shown


def test_an_account_that_can_not_be_listed_is_compared_by_what_is_known(world: DaemonWorld, ask: Ask) -> None:
    world.transport.faults = lambda _method, path: (
        ErrorBefore(500, b'{"error":"Too many bytes read"}') if path == "/api/sessions" else None
    )
    assert ask()["differences"] == 0
    lose(world, message(world))
    assert ask()["differences"] == 1


def test_what_another_client_wrote_is_compared_too(world: DaemonWorld, ask: Ask) -> None:
    row = message(world)
    another(world, row, external_id="plugin-1", created_at=row.created_at + 300, text_content="no")
    lose(world, row)
    found = ask()["found"][0]
    assert (found["unlike"], found["missing"]) == (["plugin-1"], [])


def test_a_session_dated_by_another_clock_is_found_and_stays(world: DaemonWorld, ask: Ask) -> None:
    world.opensync.sessions[ID].created_at += 3_600_000
    assert ask()["found"][0]["dated_otherwise"]
    assert ask(repair=True)["differences"] == 1


def test_a_renamed_session_that_is_not_found_is_told_and_repaired(world: DaemonWorld, ask: Ask) -> None:
    world.append(A, {"type": "session_info", "id": "aaaa0009", "timestamp": iso(START), "name": "A name"})
    ask(repair=True)
    row = world.opensync.sessions[ID]
    assert row.searchable_text is not None
    assert TEXTS[0] in row.searchable_text
    assert ask()["differences"] == 0
    row.searchable_text = "A name"
    there = world.snapshot()
    assert ask()["found"][0]["unfound"]
    assert ask(repair=True)["differences"] == 0
    assert TEXTS[0] in row.searchable_text
    assert world.snapshot() == there


def test_only_renamed_sessions_are_searched_for(world: DaemonWorld, ask: Ask) -> None:
    world.transport.log.clear()
    ask()
    assert world.sent("/api/search") == []
