"""A state folder that an older version wrote: it is brought up to date, and its transcripts are read again.

`state-of-version-1.sql` is such a state file, of the transcripts below, with ROOT for their folder.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from pi_opensync import fold
from pi_opensync.sqlite import WrittenByNewer
from pi_opensync.store.database import FILE, open_database
from pi_opensync.store.schema import APPLICATION_ID, MIGRATIONS
from tests.harness import World, entry, header, line, result, said, session_id, usage
from tests.read.settled import THEN, put, settled, talk, turn

OLD = Path(__file__).with_name("state-of-version-1.sql")


def transcripts() -> dict[str, list[bytes]]:
    asked = said("assistant", "looking", THEN + 3, "a1", calls=[("c1", "ls")], usage=usage())
    command: dict[str, Any] = {"role": "bashExecution", "command": "make", "output": "fine", "exitCode": 0}
    command |= {"cancelled": False, "truncated": False, "timestamp": round((THEN + 5) * 1000)}
    return {
        "a.jsonl": [
            line(header("a", THEN)),
            line(said("user", "go", THEN + 1, "u1")),
            line(asked),
            line(result("c1", "files", THEN + 4)),
            line(entry(THEN + 5, "b1", type="message", message=command)),
            line(entry(THEN + 6, "n1", type="from_the_future", words="x")),
        ],
        "b.jsonl": talk("b", "one", "two", "three"),
        "copy/b.jsonl": talk("b", "one", "two"),
        "fork.jsonl": [
            line(header("fork", THEN + 500, parentSession="/gone/x_99999999.jsonl")),
            line(said("user", "forked", THEN + 600, "f1")),
        ],
    }


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[World]:
    """A world whose server holds these sessions, and whose state is the old one, before its first step."""
    with World(tmp_path / "world", tool_calls=True) as world:
        for name, lines in transcripts().items():
            put(world, name, *lines)
        world.sync()
        state = world.engine.database.path
        world.engine.database.close()
        state.unlink()
        as_it_was(state, world.sessions)
        world.start(backfill=False)
        yield world


def as_it_was(state: Path, root: Path) -> None:
    text = OLD.read_text(encoding="utf-8").replace("ROOT", str(root).encode().hex())
    connection = apsw.Connection(str(state))
    connection.execute(text)
    connection.execute("PRAGMA user_version = 1")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.close()


def test_all_is_read_again_and_only_what_changed_is_sent(upgraded: World, elsewhere: Path) -> None:
    before = len(upgraded.sent("/sync/message"))
    upgraded.sync()
    sent = [request.json["textContent"] for request in upgraded.sent("/sync/message")[before:]]
    assert sent == ["$ make\nfine"], "what this version shows otherwise is sent again, and nothing else"
    settled(upgraded, elsewhere / "upgraded")
    assert upgraded.tally().unknown_types == {"from_the_future": 1}


def test_what_comes_then_goes_on(upgraded: World, elsewhere: Path) -> None:
    upgraded.append("b.jsonl", turn("four", 3))
    upgraded.append("copy/b.jsonl", turn("another four", 4))
    settled(upgraded, elsewhere)
    assert upgraded.texts(session_id("b")) == ["one", "two", "three", "four", "another four"]


def test_an_older_reading_is_read_again_where_the_tables_stay(
    world: World, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version of the fold is a part of what is remembered."""
    put(world, "a.jsonl", *transcripts()["a.jsonl"])
    world.sync()
    database = world.engine.database
    database.run("DELETE FROM seen")
    world.restart()
    world.step()
    assert database.path.exists()
    assert world.engine.database.one("SELECT count(*) FROM seen") == 0, "nothing is read without a reason"
    monkeypatch.setattr("pi_opensync.read.again.FOLD_VERSION", fold.FOLD_VERSION + 1)
    world.restart()
    settled(world, elsewhere)
    assert world.engine.database.one("SELECT count(*) FROM seen") == 5


def test_the_steps_are_recorded_by_name(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    names = [row[0] for row in database.rows("SELECT name FROM migrations")]
    database.close()
    assert sorted(names) == sorted(step.__name__ for step in MIGRATIONS)


def test_a_file_with_a_step_that_is_not_known_is_left_as_it_is(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    database.run("INSERT INTO migrations VALUES ('a_step_of_the_future')")
    database.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(WrittenByNewer):
        open_database(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before
