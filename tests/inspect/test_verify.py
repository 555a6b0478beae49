"""`verify`: what it finds, what it repairs, what it leaves alone."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from pi_opensync.address import state_folder
from pi_opensync.cli import verify, watch
from pi_opensync.errors import KeyRefused, NetworkError, PartlyDone
from pi_opensync.store.database import open_database
from tests.harness import TRANSCRIPTS, session_id
from tests.inspect.compared import ID, TEXTS, A, Ask, another, ask, lose, message, state_file, world
from tests.machine.daemon import Commands, DaemonWorld
from tests.read.settled import put, talk, turn
from tests.standin.faults import Busy, ErrorBefore, no_faults
from tests.standin.rows import Message

__all__ = ["ask", "world"]  # fixtures


def test_a_dashboard_equal_to_the_transcripts_has_no_differences(ask: Ask) -> None:
    report = ask()
    assert (report["sessions"], report["differences"], report["found"]) == (2, 0, [])


def test_verify_writes_nothing(world: DaemonWorld, ask: Ask) -> None:
    lose(world, message(world))
    before = world.snapshot()
    state = sorted((path, path.stat().st_mtime_ns) for path in world.state.rglob("*"))
    ask()
    assert world.snapshot() == before
    assert sorted((path, path.stat().st_mtime_ns) for path in world.state.rglob("*")) == state


@pytest.mark.parametrize("number", range(4))
def test_a_missing_message_is_found_and_sent(world: DaemonWorld, ask: Ask, number: int) -> None:
    there = world.snapshot()
    row = message(world, number)
    lose(world, row)
    found = ask()["found"][0]
    assert (found["external_id"], found["missing"]) == (ID, [row.external_id])
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


def test_a_message_without_a_row_is_read_again_and_sent(world: DaemonWorld, ask: Ask) -> None:
    """An older version did not understand its entry, or a fault lost the row; the transcript has it."""
    there = world.snapshot()
    row = message(world)
    lose(world, row)
    with closing(apsw.Connection(str(state_file(world)))) as state:
        state.execute("DELETE FROM messages WHERE external_id = ?", (row.external_id,))
        assert state.changes() == 1
    assert ask()["found"][0]["missing"] == [row.external_id]
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


@pytest.mark.parametrize("name", [f"2026-11-20T10-00-00-000Z_{ID}.jsonl", A])
def test_a_session_whose_beginning_is_in_no_file_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """pi recreated the file without what was in it."""
    with DaemonWorld(tmp_path / "world", monkeypatch) as world:
        put(world, A, *talk("a", *TEXTS))
        world.sync()
        world.path(A).unlink()
        put(world, name, turn("five five", 5))
        world.sync()
        assert world.texts(ID) == [*TEXTS, "five five"]
        Commands(world, monkeypatch)
        verify.run(repair=False, session=None, as_json=True)
        assert json.loads(capsys.readouterr().out)["differences"] == 0


def test_a_missing_session_is_found_and_sent(world: DaemonWorld, ask: Ask) -> None:
    there = world.snapshot()
    for row in [row for row in world.opensync.messages.values() if row.session_external_id == ID]:
        del world.opensync.messages[row.external_id]
    del world.opensync.sessions[ID]
    found = ask()["found"][0]
    assert found["session_missing"]
    assert len(found["missing"]) == 4
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


CHANGES: dict[str, Callable[[Message], None]] = {
    "text": lambda row: setattr(row, "text_content", "something else"),
    "lost parts": lambda row: row.parts.clear(),
    "model": lambda row: setattr(row, "model", "another"),
    "tokens": lambda row: setattr(row, "prompt_tokens", 7),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_different_message_is_found_and_sent(
    world: DaemonWorld, ask: Ask, change: Callable[[Message], None]
) -> None:
    there = world.snapshot()
    row = message(world)
    change(row)
    assert ask()["found"][0]["different"] == [row.external_id]
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", "Untitled"), ("cost", 0.25), ("duration_ms", 1), ("project_path", "/"), ("prompt_tokens", 7)],
)
def test_a_different_session_is_found_and_sent(
    world: DaemonWorld, ask: Ask, name: str, value: object
) -> None:
    there = world.snapshot()
    setattr(world.opensync.sessions[ID], name, value)
    found = ask()["found"][0]
    assert found["session_different"]
    assert not found["missing"]
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


def test_a_duplicate_is_found_and_stays(world: DaemonWorld, ask: Ask) -> None:
    """There is no request that deletes one."""
    row = another(world, message(world))
    found = ask()["found"][0]
    assert (found["duplicated"], found["foreign"], found["missing"]) == ([row.external_id], [], [])
    there = world.snapshot()
    assert ask(repair=True)["differences"] == 1
    assert world.snapshot() == there


def test_a_row_stored_twice_under_one_id_is_a_duplicate(world: DaemonWorld, ask: Ask) -> None:
    row = message(world)
    world.opensync.tables.duplicate_messages.append(Message(**{**vars(row), "id": "m" + "e" * 31}))
    assert ask()["found"][0]["duplicated"] == [row.external_id]


def test_a_foreign_message_is_found_and_stays(world: DaemonWorld, ask: Ask) -> None:
    row = another(world, message(world), created_at=message(world).created_at - 600_000)
    found = ask()["found"][0]
    assert (found["foreign"], found["duplicated"]) == ([row.external_id], [])
    there = world.snapshot()
    assert ask(repair=True)["differences"] == 1
    assert world.snapshot() == there


def test_a_message_of_the_plugin_counts_as_ours(world: DaemonWorld, ask: Ask) -> None:
    row = message(world)
    another(world, row, external_id=f"{ID}-assistant-2", created_at=row.created_at + 300)
    lose(world, row)
    assert ask()["differences"] == 0


def test_one_session_by_the_beginning_of_its_id(world: DaemonWorld, ask: Ask) -> None:
    lose(world, message(world))
    assert ask(session=session_id("b")[:8])["differences"] == 0
    report = ask(session=ID[:8])
    assert (report["sessions"], report["differences"]) == (1, 1)


def test_words_that_were_not_read_yet_are_missing_until_repaired(world: DaemonWorld, ask: Ask) -> None:
    world.append(A, turn("five", 4))
    found = ask()["found"][0]
    assert len(found["missing"]) == 1
    assert ask(repair=True)["differences"] == 0
    assert world.texts(ID) == [*TEXTS, "five"]


def test_what_was_left_alone_is_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DaemonWorld(tmp_path / "world", monkeypatch, backfill=False) as world:
        put(world, A, *talk("a", *TEXTS))
        world.sync()
        assert world.tally().transcripts_left_alone == 1
        Commands(world, monkeypatch)
        verify.run(repair=False, session=None, as_json=True)
        assert json.loads(capsys.readouterr().out)["differences"] == 0


def test_repair_after_the_state_is_lost(world: DaemonWorld, ask: Ask) -> None:
    there = world.snapshot()
    lose(world, message(world))
    url, _key = world.settings.require_server()
    (state_folder(world.settings.state_dir, url) / "state.sqlite3").unlink()
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


def test_a_parked_message_is_missing_and_repair_tries_it_again(world: DaemonWorld, ask: Ask) -> None:
    world.transport.faults = lambda _method, path: (
        ErrorBefore(500, b'{"error":"too large"}') if path == "/sync/message" else None
    )
    world.append(A, turn("five", 4))
    watch.run(backfill=False, once=True, log_format="json", debug=None)
    world.transport.faults = no_faults
    assert len(ask()["found"][0]["missing"]) == 1
    assert ask(repair=True)["differences"] == 0
    assert world.texts(ID) == [*TEXTS, "five"]


def test_an_empty_server_is_filled_again(world: DaemonWorld, ask: Ask) -> None:
    """The deployment was made anew under the same URL."""
    there = world.snapshot()
    world.opensync.sessions.clear()
    world.opensync.messages.clear()
    assert ask(repair=True)["differences"] == 0
    assert world.snapshot() == there


def test_real_transcripts_with_all_that_is_wrong_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DaemonWorld(tmp_path / "world", monkeypatch, tool_calls=True, thinking=True) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        Commands(world, monkeypatch)
        monkeypatch.setenv("PI_OPENSYNC_TOOL_CALLS", "true")
        monkeypatch.setenv("PI_OPENSYNC_THINKING", "true")
        verify.run(repair=False, session=None, as_json=False)
        assert f"{len(world.opensync.sessions)} sessions compared, 0 differences" in capsys.readouterr().out


def test_a_server_that_is_away_and_a_key_that_is_refused_are_no_differences(world: DaemonWorld) -> None:
    world.transport.faults = lambda _method, _path: Busy(503)
    with pytest.raises(NetworkError) as away:
        verify.run(repair=False, session=None, as_json=True)
    assert away.value.exit_code == 4
    world.transport.faults = lambda _method, _path: ErrorBefore(401, b'{"error":"Invalid API key"}')
    with pytest.raises(KeyRefused) as refused:
        verify.run(repair=False, session=None, as_json=True)
    assert refused.value.exit_code == 5


def test_for_people_it_names_what_is_wrong(world: DaemonWorld, capsys: pytest.CaptureFixture[str]) -> None:
    row = message(world)
    lose(world, row)
    with pytest.raises(PartlyDone) as left:
        verify.run(repair=False, session=None, as_json=False)
    shown = capsys.readouterr().out
    assert f"1 missing: {row.external_id}" in shown
    assert "2 sessions compared, 1 difference\n" in shown
    assert left.value.hint is not None
    assert "--repair" in left.value.hint


def test_repair_keeps_the_state_usable(world: DaemonWorld, ask: Ask) -> None:
    lose(world, message(world))
    ask(repair=True)
    url, _key = world.settings.require_server()
    database = open_database(state_folder(world.settings.state_dir, url))
    waiting = database.one("SELECT count(*) FROM messages WHERE wanted IS NOT NULL")
    assert (waiting, database.one("PRAGMA integrity_check")) == (0, "ok")
    database.close()
