"""A state that held a backlog gives the room back at the next start."""

from pathlib import Path

import pytest

from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store import database as module
from pi_opensync.store.database import FILE, StateDatabase, open_database, open_or_rebuild

PIECE = 1 << 20


def grown(folder: Path, pieces: int, kept: int) -> None:
    """A state file that held so many pieces, of which some are left."""
    state = open_database(folder)
    with state.transaction():
        for number in range(pieces):
            state.set_meta(f"piece {number}", b"x" * PIECE)
    with state.transaction():
        state.run("DELETE FROM meta WHERE CAST(substr(name, 7) AS INTEGER) >= ?", (kept,))
    state.close()


@pytest.mark.parametrize(("pieces", "kept", "shrinks"), [(12, 1, True), (12, 7, False), (4, 0, False)])
def test_most_of_it_must_be_free_and_that_be_much(
    tmp_path: Path, pieces: int, kept: int, *, shrinks: bool
) -> None:
    grown(tmp_path, pieces, kept)
    state, aside = open_or_rebuild(tmp_path, 0.0)
    assert aside is None
    assert state.one("SELECT count(*) FROM meta WHERE length(value) = ?", PIECE) == kept
    assert state.one("PRAGMA integrity_check") == "ok"
    state.close()
    assert ((tmp_path / FILE).stat().st_size < (kept + 1) * PIECE) is shrinks


def test_where_there_is_no_room_to_do_it_all_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown(tmp_path, 12, 1)
    run = StateDatabase.run

    def full(state: StateDatabase, statement: str, values: tuple[object, ...] = ()) -> int:
        if statement == "VACUUM":
            raise StoreUnavailable("full")
        return run(state, statement, values)

    monkeypatch.setattr(module.StateDatabase, "run", full)
    state, aside = open_or_rebuild(tmp_path, 0.0)
    assert aside is None
    assert state.one("SELECT count(*) FROM meta WHERE length(value) = ?", PIECE) == 1
    state.close()
