"""The database file: private, migrated by name, safe with several connections and after a crash."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pi_opensync.dashboard.db import schema
from pi_opensync.dashboard.db.intake import save
from pi_opensync.dashboard.db.payloads import MessageIn, SessionIn
from pi_opensync.dashboard.db.schema import MIGRATIONS, migrate
from pi_opensync.dashboard.db.store import Store, StoreClosedError


def test_the_file_and_its_folder_are_for_their_owner_alone(store: Store, tmp_path: Path) -> None:
    del store
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "local.sqlite3").stat().st_mode) == 0o600


def test_no_connection_uses_a_write_ahead_log(store: Store) -> None:
    with store.write() as con:
        assert con.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
    with store.read() as con:
        assert con.execute("PRAGMA journal_mode").fetchone()[0] == "truncate"
        assert con.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.write() as con:
        con.executemany("INSERT INTO keys VALUES (?, 'k', 0)", [(b"1",), (b"1",)])
    with store.read() as con:
        assert con.execute("SELECT count(*) FROM keys").fetchone()[0] == 0


def test_a_full_disk_is_named_and_ends_when_there_is_room(store: Store) -> None:
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="disk is full"), store.write() as con:
        con.execute("INSERT INTO keys VALUES (?, 'k', 0)", (b"x" * 5_000_000,))
    with store.write() as con:
        con.execute("INSERT INTO keys VALUES (?, 'k', 0)", (b"y",))


def test_a_reader_cannot_write(store: Store) -> None:
    with store.read() as con, pytest.raises(sqlite3.OperationalError, match="readonly"):
        con.execute("DELETE FROM sessions")


def test_every_migration_runs_once(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "x", isolation_level=None)
    assert migrate(con) == [name for name, _ in MIGRATIONS]
    assert migrate(con) == []
    con.close()


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    con = sqlite3.connect(tmp_path / "x", isolation_level=None)
    broken = ("broken", ("CREATE TABLE half (a)", "CREATE TABLE half (a)"))
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(sqlite3.OperationalError):
        migrate(con)
    assert con.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone()[0] == 0
    monkeypatch.undo()
    assert migrate(con) == []
    con.close()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("no database, but long enough to look at " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Store.open(path)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x")
    store.close()
    store.close()
    with pytest.raises(StoreClosedError), store.read():
        pass
    with pytest.raises(StoreClosedError), store.write():
        pass


def test_writers_and_readers_in_many_threads_lose_nothing(store: Store) -> None:
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(20):
                save(store, [], [MessageIn(f"s{writer}", f"{number}", "user", text_content="x")], number)
                with store.read() as con:
                    con.execute("SELECT count(*) FROM messages").fetchone()
        except BaseException as error:  # noqa: BLE001 - to be seen by the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.read() as con:
        assert con.execute("SELECT count(*), sum(message_count) FROM sessions").fetchone()[:] == (8, 160)
        assert con.execute("SELECT count(*) FROM messages").fetchone()[0] == 160


def test_a_second_program_may_write_to_the_same_file(store: Store, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "data" / "local.sqlite3")
    for number in range(10):
        save(store if number % 2 else other, [SessionIn(f"s{number}")], [], number)
    other.close()
    with store.read() as con:
        assert con.execute("SELECT count(*) FROM sessions").fetchone()[0] == 10


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    program = f"""
import os, sys
from pathlib import Path
from pi_opensync.dashboard.db.intake import save
from pi_opensync.dashboard.db.payloads import MessageIn
from pi_opensync.dashboard.db.store import Store
store = Store.open(Path({str(tmp_path / "x")!r}))
for number in range(10**6):
    save(store, [], [MessageIn("s", str(number), "user", text_content="word " * 200)], number)
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    answered = -1
    for line in process.stdout:
        answered = int(line)
        if answered == 50:
            process.kill()
            break
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    answered = int(rest[-1]) if rest else answered
    store = Store.open(tmp_path / "x")
    with store.read() as con:
        assert con.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = con.execute("SELECT count(*) FROM messages").fetchone()[0]
        matches = con.execute("SELECT count(*) FROM search WHERE search MATCH 'word'").fetchone()[0]
    store.close()
    assert found == matches
    assert found in (answered + 1, answered + 2)


def test_any_file_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / "a folder with ünï and 'quotes'?.x" / "local#1?.sqlite3"
    Store.open(path).close()
    assert path.exists()
