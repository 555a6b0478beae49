"""The one SQLite layer: what its rows are, and how it says what went wrong."""

import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from pi_opensync.sqlite import Damaged, Database, Row, StoreUnavailable, open_private

VALUE = "said-by-nobody-else"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_private(tmp_path / "x", kind=Database)
    database.run("CREATE TABLE kept (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB)")
    yield database
    database.close()


@pytest.fixture
def named(database: Database) -> Iterator[Database]:
    database.run_many("INSERT INTO kept VALUES (?, ?, ?)", [(1, "one", b"1"), (2, "two", b"2")])
    named = open_private(database.path, kind=Database, mode="read", named_columns=True)
    yield named
    named.close()


def test_a_row_has_its_columns_by_name_and_by_place(named: Database) -> None:
    row = named.row("SELECT id, name, body FROM kept WHERE id = ?", (2,))
    assert isinstance(row, Row)
    assert (row["id"], row["name"], row[2], row[-1], row[1:]) == (2, "two", b"2", b"2", ("two", b"2"))
    assert tuple(row) == (2, "two", b"2")
    assert dict(row) == {"id": 2, "name": "two", "body": b"2"}
    assert list(row.keys()) == ["id", "name", "body"]
    assert len(row) == 3
    with pytest.raises(LookupError):
        row["nothing"]


def test_of_two_columns_with_one_name_the_first_has_it(named: Database) -> None:
    assert named.row("SELECT 1 AS a, 2 AS a")["a"] == 1


def test_rows_come_in_every_way(named: Database) -> None:
    query = "SELECT id, name FROM kept ORDER BY id"
    assert [row["name"] for row in named.rows(query)] == ["one", "two"]
    assert [row["name"] for row in named.each(query)] == ["one", "two"]
    assert named.tuples(query) == [(1, "one"), (2, "two")]
    assert named.one(query) == 1
    assert named.rows("SELECT * FROM kept WHERE id = :id", {"id": 3}) == []
    assert named.row("SELECT * FROM kept WHERE id = ?", (3,)) is None
    assert named.one("SELECT id FROM kept WHERE id = ?", 3) is None


def test_how_many_rows_a_statement_changed_is_told(database: Database) -> None:
    assert database.insert("INSERT INTO kept (name) VALUES (?)", ("one",)) == 1
    assert database.insert("INSERT INTO kept (name) VALUES (?)", ("two",)) == 2
    assert database.run("UPDATE kept SET body = x''") == 2
    assert database.run("UPDATE kept SET body = x'' WHERE id = 9") == 0
    assert database.run("DELETE FROM kept") == 2
    assert database.changes == 6
    with pytest.raises(ValueError, match="nothing was inserted"):
        database.insert("INSERT INTO kept (name) SELECT 'x' WHERE 0")


@pytest.mark.parametrize(
    "value", [None, 0, 2**63 - 1, -(2**63), 1.5, "", "a\0b", "\U0001f600", b"", b"\0\xff"]
)
def test_a_value_comes_back_as_it_was(database: Database, value: object) -> None:
    assert database.one("SELECT ?", value) == value
    assert type(database.one("SELECT ?", value)) is type(value)


@pytest.mark.parametrize(
    ("value", "error"), [("\ud800", UnicodeEncodeError), (2**63, OverflowError), ([], TypeError)]
)
def test_what_is_no_value_of_sqlites_is_refused(
    database: Database, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error), database.transaction():
        database.run_many("INSERT INTO kept (name) VALUES (?)", [("before",), (value,)])
    assert database.rows("SELECT * FROM kept") == []


def test_only_its_own_thread_writes(database: Database) -> None:
    def write() -> None:
        with database.transaction():
            database.run("INSERT INTO kept (name) VALUES ('other')")

    with ThreadPoolExecutor(1) as other, pytest.raises(RuntimeError, match="another thread"):
        other.submit(write).result()
    assert database.rows("SELECT * FROM kept") == []


def test_text_that_nobody_here_wrote_is_damage(database: Database) -> None:
    database.run("INSERT INTO kept (name) VALUES (CAST(x'ff' AS TEXT))")
    for ask in (database.rows, database.row, database.tuples, lambda query: list(database.each(query))):
        with pytest.raises(Damaged):
            ask("SELECT name FROM kept")


MISTAKES = {
    "a constraint": ("INSERT INTO kept (name) VALUES (?), (?)", (VALUE, VALUE)),
    "a type": ("INSERT INTO kept (id) VALUES (?)", (VALUE,)),
    "too few values": ("SELECT ?, ?", (VALUE,)),
    "too many values": ("SELECT ?", (VALUE, VALUE)),
    "a name that is missing": ("SELECT :a", {"b": VALUE}),
    "a statement": ("SELECT ? FROM nowhere", (VALUE,)),
    "a function": ("SELECT json_extract(?, '$')", (VALUE,)),
    "a pattern": ("SELECT 1 WHERE 'a' LIKE 'a' ESCAPE ?", (VALUE,)),
    "no UTF-8": ("SELECT ?", (VALUE + "\ud800",)),
    "no value": ("SELECT ?", ([VALUE],)),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_no_error_says_what_was_to_be_written(database: Database, mistake: tuple[str, object]) -> None:
    statement, values = mistake
    with pytest.raises(Exception, match=r".") as raised:
        database.run(statement, values)  # type: ignore[arg-type]  # as a mistake would
    assert VALUE not in str(raised.value)
    assert VALUE not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (apsw.SQLITE_FULL, "the disk is full"),
        (apsw.SQLITE_IOERR_SHMSIZE, "the disk is full"),
        (apsw.SQLITE_IOERR_WRITE, "the disk failed"),
        (apsw.SQLITE_BUSY_SNAPSHOT, "held by another process"),
        (apsw.SQLITE_READONLY_DBMOVED, "moved or removed"),
        (apsw.SQLITE_READONLY_CANTLOCK, "can not be written"),
        (apsw.SQLITE_CANTOPEN, "can not be opened"),
    ],
)
def test_what_keeps_the_file_from_being_used_is_told_in_plain_words(
    database: Database, code: int, words: str
) -> None:
    with pytest.raises(StoreUnavailable, match=words) as raised, database.translated():
        raise apsw.exception_for(code)
    assert raised.value.hint


@pytest.mark.parametrize("code", [apsw.SQLITE_CORRUPT_INDEX, apsw.SQLITE_NOTADB])
def test_what_is_damaged_is_told_apart(database: Database, code: int) -> None:
    with pytest.raises(Damaged), database.translated():
        raise apsw.exception_for(code)
