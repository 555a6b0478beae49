"""What lies beside a database: a write-ahead log on a disk of this machine, a rollback journal elsewhere."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from pi_opensync import journal
from pi_opensync.errors import ConfigurationError
from pi_opensync.sqlite import Database, Replaced, open_private

MADE = "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value)"
SECURE = ("secure_delete = ON", "synchronous = FULL")
WORDS = b"the plan of the client"
KILLED = """
import os, sys
from pathlib import Path
from pi_opensync.sqlite import Database, open_private
database = open_private(Path(sys.argv[1]), kind=Database)
database.own()
database.run("INSERT INTO kept VALUES (?, 1)", (sys.argv[2],))
database.run("PRAGMA cache_size = 1")
database.run("BEGIN IMMEDIATE")
database.run_many("INSERT INTO kept VALUES (?, zeroblob(4000))", [(str(number),) for number in range(99)])
os._exit(0)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = opened(path)
    yield database
    database.close()


def opened(path: Path) -> Database:
    database = open_private(path, SECURE, kind=Database)
    database.own()
    database.run(MADE)
    return database


def beside(path: Path) -> Database:
    return open_private(path, kind=Database, mode="read")


def put(database: Database, name: str, value: object = None) -> None:
    with database.transaction():
        database.run("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))


def names(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT name FROM kept ORDER BY name")]


def mode(database: Database) -> str:
    return str(database.one("PRAGMA journal_mode"))


def log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def killed(path: Path, name: str) -> None:
    """A process that writes one more row, and another that is never committed, and is gone."""
    subprocess.run([sys.executable, "-c", KILLED, path, name], check=True)


def test_a_commit_is_on_disk_in_a_log(database: Database, path: Path) -> None:
    put(database, "a")
    assert mode(database) == "wal"
    assert database.one("PRAGMA synchronous") == 2
    assert log(path).stat().st_size > 0


def test_the_last_to_close_leaves_one_file(database: Database, path: Path) -> None:
    put(database, "a")
    database.close()
    at_rest = [(each.name, each.stat().st_mtime_ns) for each in path.parent.iterdir()]
    assert [name for name, _written in at_rest] == [path.name]
    reader = beside(path)
    assert (mode(reader), names(reader)) == ("delete", ["a"])
    reader.close()
    assert [(each.name, each.stat().st_mtime_ns) for each in path.parent.iterdir()] == at_rest


def test_who_closes_while_another_has_it_open_leaves_the_log_to_him(database: Database, path: Path) -> None:
    other = opened(path)
    put(database, "a")
    database.close()
    put(other, "b")
    assert (mode(other), names(other)) == ("wal", ["a", "b"])
    other.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.usefixtures("far")
def test_on_another_machines_disk_there_is_no_log(path: Path) -> None:
    database = opened(path)
    put(database, "a")
    assert mode(database) == "truncate"
    assert not log(path).exists()
    database.close()


@pytest.mark.parametrize("library", ["3.40.1", "3.51.2", "3.51"])
def test_a_sqlite_that_can_corrupt_a_log_has_none(
    path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: library)
    database = opened(path)
    assert mode(database) == "truncate"
    database.close()


@pytest.mark.parametrize("library", ["3.51.3", "3.52.0", "3.100.0", "4.0"])
def test_one_that_can_not_has_it(path: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: library)
    database = opened(path)
    assert mode(database) == "wal"
    database.close()


def test_a_file_that_comes_to_another_machines_disk_loses_its_log_and_nothing_else(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, "a")
    database.close()
    killed(path, "b")
    assert log(path).stat().st_size > 0
    monkeypatch.setattr(journal, "is_local", lambda _folder: False)
    there = opened(path)
    assert (mode(there), names(there)) == ("truncate", ["a", "b"])
    assert not log(path).exists()
    with beside(path).snapshot():  # the file is not kept to itself
        put(there, "c")
    there.close()
    monkeypatch.undo()
    again = opened(path)
    assert (mode(again), names(again)) == ("wal", ["a", "b", "c"])
    again.close()


def test_a_file_of_before_is_given_a_log_once_nobody_else_has_it_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(journal, "is_local", lambda _folder: False)
        opened(path).close()
    monkeypatch.setattr(journal, "_CONVERTED_WITHIN", 1)
    reader = beside(path)
    with reader.snapshot():
        reader.rows("SELECT * FROM kept")
        meanwhile = opened(path)
        assert mode(meanwhile) == "truncate"
    put(meanwhile, "a")
    meanwhile.close()
    reader.close()
    database = opened(path)
    assert (mode(database), names(database)) == ("wal", ["a"])
    database.close()


def test_all_that_lies_beside_is_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        database = opened(path)
        put(database, "a")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == {path.name + suffix: 0o600 for suffix in ("", "-wal", "-shm")}


@pytest.mark.parametrize("suffix", journal.SUFFIXES)
def test_what_others_may_write_beside_it_is_refused(path: Path, suffix: str) -> None:
    opened(path).close()
    alien = path.with_name(path.name + suffix)
    alien.write_bytes(b"")
    alien.chmod(0o666)
    with pytest.raises(ConfigurationError, match="others may write"):
        opened(path)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_that_a_part_of_it_is_gone_is_noticed(database: Database, path: Path, suffix: str, how: str) -> None:
    put(database, "a")
    database.require_in_place()
    database.empty_log()
    database.require_in_place()
    part = path.with_name(path.name + suffix)
    part.rename(path.with_name("away"))
    if how == "replaced":
        part.write_bytes(path.with_name("away").read_bytes())
    with pytest.raises(Replaced):
        database.require_in_place()


def test_what_was_written_to_a_log_that_somebody_removed_is_kept(database: Database, path: Path) -> None:
    put(database, "a")
    log(path).unlink()
    put(database, "b")
    database.close()
    assert names(opened(path)) == ["a", "b"]


@pytest.mark.parametrize("what", ["removed", "emptied"])
def test_the_log_of_a_file_that_is_gone_is_not_taken_for_another_ones(
    database: Database, path: Path, what: str
) -> None:
    put(database, "a")
    database.close()
    killed(path, "b")
    if what == "removed":
        path.unlink()
    else:
        path.write_bytes(b"")
    anew = opened(path)
    assert names(anew) == []
    anew.close()


def test_it_is_moved_with_all_that_belongs_to_it(database: Database, path: Path) -> None:
    put(database, "a")
    database.close()
    killed(path, "b")
    away = path.with_name("away")
    journal.move(path, away)
    assert {each.name for each in path.parent.iterdir()} == {"away", "away-wal", "away-shm"}
    assert names(opened(away)) == ["a", "b"]


def test_what_a_killed_process_committed_is_read_beside_before_anybody_writes(
    database: Database, path: Path
) -> None:
    put(database, "a")
    database.close()
    killed(path, "b")
    reader = beside(path)
    assert names(reader) == ["a", "b"]
    reader.close()
    log(path).with_suffix(".sqlite3-shm").unlink()
    assert names(beside(path)) == ["a", "b"]


OLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
print(database.execute("PRAGMA journal_mode = TRUNCATE").fetchone()[0])
print(*(row[0] for row in database.execute("SELECT name FROM kept ORDER BY name")))
database.execute("INSERT INTO kept VALUES ('c', 1)")
database.close()
"""


def test_an_older_version_with_the_systems_sqlite_goes_on_with_it(database: Database, path: Path) -> None:
    put(database, "a")
    database.close()
    killed(path, "b")
    older = subprocess.run([sys.executable, "-c", OLDER, path], capture_output=True, text=True, check=True)
    assert older.stdout.split() == ["truncate", "a", "b"]
    again = opened(path)
    assert (mode(again), names(again)) == ("wal", ["a", "b", "c"])
    again.close()


def test_neither_who_reads_nor_who_writes_waits_for_the_other(database: Database, path: Path) -> None:
    put(database, "a")
    reader = beside(path)
    with reader.snapshot():
        assert names(reader) == ["a"]
        put(database, "b")
        assert names(reader) == ["a"]
    with database.transaction():
        database.run("INSERT INTO kept VALUES ('c', 1)")
        assert names(reader) == ["a", "b"]


def test_the_log_does_not_grow_with_what_is_written(database: Database, path: Path) -> None:
    reader = beside(path)
    for _ in range(4):
        for number in range(30):
            put(database, str(number), os.urandom(100_000))
        assert log(path).stat().st_size < 5 << 20
    with reader.snapshot():
        names(reader)
        for number in range(60):
            put(database, str(number), os.urandom(100_000))
        assert log(path).stat().st_size > 5 << 20, "what a view needs stays in the log"
    put(database, "a")
    put(database, "b")
    assert log(path).stat().st_size < 5 << 20


def traces(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir() if WORDS in each.read_bytes()}


def take_back(database: Database) -> None:
    with database.transaction():
        database.leave_no_trace()
        database.run("DELETE FROM kept WHERE name = 'secret'")


def test_what_is_taken_back_is_in_no_file_once_the_transaction_is_over(
    database: Database, path: Path
) -> None:
    put(database, "secret", WORDS * 1000)
    assert traces(path) == {log(path).name}
    take_back(database)
    assert traces(path) == set()
    put(database, "secret", WORDS * 1000)
    database.empty_log()
    assert traces(path) == {path.name}
    take_back(database)
    assert traces(path) == set()


@pytest.mark.parametrize("then", ["a commit", "rest", "the end"])
def test_what_somebody_still_reads_is_gone_when_he_is(database: Database, path: Path, then: str) -> None:
    put(database, "secret", WORDS * 1000)
    reader = beside(path)
    with reader.snapshot():
        assert names(reader) == ["secret"]
        take_back(database)
        assert traces(path) == {log(path).name}
    if then == "a commit":
        put(database, "a")
    elif then == "rest":
        database.empty_log()
    reader.close()
    if then == "the end":
        database.close()
    assert traces(path) == set()
