"""The database file: private, migrated by name, safe with several connections and after a crash."""

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from pi_opensync.dashboard.db.connections import ClosedError, Connections
from pi_opensync.dashboard.db.migrations import _FORMER_NAMES, APPLICATION_ID, MIGRATIONS, bring_up_to_date
from pi_opensync.dashboard.db.upsert import save
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.sqlite import (
    Damaged,
    Database,
    OfAnotherProgram,
    StoreUnavailable,
    WrittenByNewer,
    open_private,
)
from pi_opensync.upgrades import migrate
from tests.dashboard.conftest import Clock, Local


def test_the_file_and_its_folder_are_for_their_owner_alone(store: Connections, tmp_path: Path) -> None:
    del store
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "local.sqlite3").stat().st_mode) == 0o600


def test_what_was_written_is_on_disk_before_it_is_answered(store: Connections) -> None:
    with store.write() as database:
        assert (database.one("PRAGMA journal_mode"), database.one("PRAGMA synchronous")) == ("wal", 2)
    with store.read() as database:
        assert database.one("PRAGMA journal_mode") == "wal"


@pytest.mark.usefixtures("far")
def test_no_connection_uses_a_write_ahead_log_on_another_machines_disk(tmp_path: Path) -> None:
    store = Connections.open(tmp_path / "data" / "local.sqlite3")
    with store.write() as database:
        assert (database.one("PRAGMA journal_mode"), database.one("PRAGMA synchronous")) == ("truncate", 2)
    with store.read() as database:
        assert database.one("PRAGMA journal_mode") != "wal"
    store.close()


def test_a_write_that_fails_leaves_nothing(store: Connections) -> None:
    with pytest.raises(apsw.ConstraintError), store.write() as database:
        database.run_many("INSERT INTO keys VALUES (?, 'k', 0)", [(b"1",), (b"1",)])
    with store.read() as database:
        assert database.one("SELECT count(*) FROM keys") == 0


def test_a_full_disk_is_named_and_ends_when_there_is_room(store: Connections) -> None:
    with store.write() as database:
        database.run(f"PRAGMA max_page_count = {database.one('PRAGMA page_count')}")
    with pytest.raises(StoreUnavailable, match="disk is full"), store.write() as database:
        database.run("INSERT INTO keys VALUES (?, 'k', 0)", (b"x" * 5_000_000,))
    with store.write() as database:
        database.run("INSERT INTO keys VALUES (?, 'k', 0)", (b"y",))


def test_a_reader_cannot_write(store: Connections) -> None:
    with store.read() as database, pytest.raises(StoreUnavailable, match="can not be written"):
        database.run("DELETE FROM sessions")


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Connections]:
    """Connections that hardly wait for another program."""
    connections = Connections.open(tmp_path / "data" / "local.sqlite3", busy_seconds=0.01)
    yield connections
    connections.close()


@contextmanager
def held(path: Path, statement: str) -> Iterator[None]:
    """Another program holds a lock: to read, or to write."""
    other = apsw.Connection(str(path))
    other.execute("BEGIN")
    other.execute(statement).fetchall()
    yield
    other.execute("ROLLBACK")
    other.close()


READS = "SELECT * FROM sessions"
WRITES = "UPDATE revision SET value = value"


def test_who_writes_does_not_wait_for_who_reads(impatient: Connections) -> None:
    with held(impatient.path, READS):
        save(impatient, [SessionIn("s")], [], 0)
    with impatient.read() as database:
        assert database.one("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize("statement", [READS, WRITES])
@pytest.mark.usefixtures("far")
def test_without_a_log_a_commit_that_found_the_file_busy_is_rolled_back_and_the_next_succeeds(
    impatient: Connections, statement: str
) -> None:
    _rolled_back(impatient, statement)


def test_a_commit_that_found_the_file_busy_is_rolled_back_and_the_next_succeeds(
    impatient: Connections,
) -> None:
    _rolled_back(impatient, WRITES)


def _rolled_back(impatient: Connections, statement: str) -> None:
    path = impatient.path
    with held(path, statement), pytest.raises(StoreUnavailable, match="held by another process"):
        save(impatient, [SessionIn("s")], [], 0)
    with impatient.read() as database:
        assert database.one("SELECT count(*) FROM sessions") == 0
    save(impatient, [SessionIn("s")], [], 0)
    with impatient.read() as database:
        assert database.one("SELECT count(*) FROM sessions") == 1


def test_a_request_that_found_the_file_busy_gets_a_503_and_the_next_a_200(
    impatient: Connections, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    local = Local(impatient, clock)
    with held(impatient.path, WRITES):
        answer = local.ask("POST", "/sync/session", json={"externalId": "s"}, headers=local.bearer)
    assert (answer.status_code, answer.json()) == (503, {"error": "The database can not be used now."})
    assert answer.headers["retry-after"] == "5"
    assert "held by another process" in caplog.text
    assert local.session("s") == "1"
    local.page("/")


@pytest.mark.usefixtures("far")
def test_health_says_whether_the_database_can_be_read(impatient: Connections, clock: Clock) -> None:
    local = Local(impatient, clock)
    assert local.ask("GET", "/health").json() == {
        "status": "ok",
        "timestamp": clock(),
        "server": "pi-opensync",
    }
    other = apsw.Connection(str(impatient.path))
    other.execute("BEGIN EXCLUSIVE")
    answer = local.ask("GET", "/health")
    assert (answer.status_code, str(impatient.path) in answer.text) == (503, False)
    other.execute("ROLLBACK")
    other.close()
    assert local.ask("GET", "/health").status_code == 200


def opened(path: Path) -> Database:
    return open_private(path, kind=Database, named_columns=True)


def test_every_migration_runs_once(tmp_path: Path) -> None:
    database = opened(tmp_path / "x")
    names = [step.__name__ for step in MIGRATIONS]
    assert bring_up_to_date(database) == names
    assert bring_up_to_date(database) == []
    assert database.one("PRAGMA application_id") == APPLICATION_ID
    database.close()


def test_a_file_whose_steps_had_names_of_words_is_taken_on(tmp_path: Path) -> None:
    database = opened(tmp_path / "x")
    migrate(database, MIGRATIONS[:4], 0)
    database.run_many(
        "UPDATE migrations SET name = ? WHERE name = ?",
        [(former, name) for former, name in _FORMER_NAMES.items()],
    )
    assert {row[0] for row in database.rows("SELECT name FROM migrations")} == set(_FORMER_NAMES)
    assert bring_up_to_date(database) == [step.__name__ for step in MIGRATIONS[4:]]
    assert {row[0] for row in database.rows("SELECT name FROM migrations")} == {
        step.__name__ for step in MIGRATIONS
    }
    database.close()


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    def broken(database: Database) -> None:
        database.run("CREATE TABLE half (a)")
        database.run("CREATE TABLE half (a)")

    database = opened(tmp_path / "x")
    with pytest.raises(StoreUnavailable):
        migrate(database, (*MIGRATIONS, broken), APPLICATION_ID)
    assert database.one("SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0
    assert bring_up_to_date(database) == []
    database.close()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("no database, but long enough to look at " * 100)
    with pytest.raises(Damaged) as caught:
        Connections.open(path)
    assert caught.value.hint == (
        f"move all in {tmp_path} away: pi's sessions are read again, what others sent is lost"
    )
    assert path.exists()


def test_a_file_of_another_program_or_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    database = opened(tmp_path / "x")
    database.run("PRAGMA application_id = 7")
    with pytest.raises(OfAnotherProgram):
        Connections.open(tmp_path / "x")
    database.run(f"PRAGMA application_id = {APPLICATION_ID}")
    bring_up_to_date(database)
    database.run("INSERT INTO migrations VALUES ('a_step_to_come')")
    with pytest.raises(WrittenByNewer):
        Connections.open(tmp_path / "x")
    database.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Connections.open(tmp_path / "x")
    store.close()
    store.close()
    with pytest.raises(ClosedError), store.read():
        pass
    with pytest.raises(ClosedError), store.write():
        pass


def test_writers_and_readers_in_many_threads_lose_nothing(store: Connections) -> None:
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(20):
                save(store, [], [MessageIn(f"s{writer}", f"{number}", "user", text_content="x")], number)
                with store.read() as database:
                    database.one("SELECT count(*) FROM messages")
        except BaseException as error:  # noqa: BLE001 - to be seen by the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.read() as database:
        assert tuple(database.row("SELECT count(*), sum(message_count) FROM sessions")) == (8, 160)
        assert database.one("SELECT count(*) FROM messages") == 160


def test_a_second_program_may_write_to_the_same_file(store: Connections, tmp_path: Path) -> None:
    other = Connections.open(tmp_path / "data" / "local.sqlite3")
    for number in range(10):
        save(store if number % 2 else other, [SessionIn(f"s{number}")], [], number)
    other.close()
    with store.read() as database:
        assert database.one("SELECT count(*) FROM sessions") == 10


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    program = f"""
import os, sys
from pathlib import Path
from pi_opensync.dashboard.db.upsert import save
from pi_opensync.dashboard.incoming import MessageIn
from pi_opensync.dashboard.db.connections import Connections
store = Connections.open(Path({str(tmp_path / "x")!r}))
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
    store = Connections.open(tmp_path / "x")
    with store.read() as database:
        assert database.one("PRAGMA integrity_check") == "ok"
        found = database.one("SELECT count(*) FROM messages")
        matches = database.one("SELECT count(*) FROM search WHERE search MATCH 'word'")
    store.close()
    assert found == matches
    assert found in (answered + 1, answered + 2)


def test_any_file_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / "a folder with ünï and 'quotes'?.x" / "local#1?.sqlite3"
    Connections.open(path).close()
    assert path.exists()
