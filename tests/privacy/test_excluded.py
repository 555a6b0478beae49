"""An excluded project: nothing of it is read past its header, kept, or sent."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.harness import START, World, header, line, said, session_id
from tests.privacy.traces import everywhere, kept
from tests.read.settled import put, talk, turn
from tests.standin.faults import Busy, ErrorBefore

THEN = START - 86_400.0
WORDS = "the-plan-of-the-client"
ID = session_id("a")
TEXTS = (f"one {WORDS}", f"two {WORDS}", f"three {WORDS}")
STEP = 512  # bytes that are read at a time to find the end of a header
TOO_LARGE = ErrorBefore(500, b'{"error":"Error: Value is too large (1.2 MiB > maximum size 1 MiB)"}')
Reads = Callable[[Path], int]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The end of what was read of a file, by any `os.pread`."""
    ends: dict[int, int] = {}
    real = os.pread

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        data = real(descriptor, size, offset)
        inode = os.fstat(descriptor).st_ino
        ends[inode] = max(ends.get(inode, 0), offset + len(data))
        return data

    monkeypatch.setattr(os, "pread", pread)
    return lambda path: ends.get(path.stat().st_ino, 0)


@pytest.fixture
def careless_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds of SQLite leave deleted bytes in the file, others were built not to."""

    def careless(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA secure_delete = OFF")

    monkeypatch.setattr(apsw, "connection_hooks", [careless])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "client"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        yield made


def choose(world: World, **settings: Any) -> None:
    """Another process takes over, with other settings."""
    world.settings = world.settings.but(**settings)
    world.restart()


def traces_of(world: World, text: str = WORDS) -> list[str]:
    return [place for place, seen in everywhere(world).items() if text in seen]


@pytest.mark.parametrize(
    "how",
    [
        {"exclude": ("*/work/client",)},
        {"exclude": ("work",)},
        {"include": ("/elsewhere",)},
        {"include": ("**/work",), "exclude": ("**/client",)},
        "marker",
        "marker above",
    ],
    ids=str,
)
def test_it_is_not_read_past_its_header_and_nothing_is_kept_or_sent(
    world: World, project: Path, reads: Reads, how: Any
) -> None:
    if isinstance(how, str):
        (project if how == "marker" else project.parent).joinpath(".no-opensync").touch()
    else:
        choose(world, **{name: tuple(p.replace("*/work", "**/work") for p in how[name]) for name in how})
    head = line(header("a", THEN, cwd=str(project)))
    path = put(world, "a.jsonl", head, b'{"type":"label"}\n' * 200, *talk("a", *TEXTS)[1:])
    world.sync()
    world.restart()
    world.append("a.jsonl", said("user", WORDS, THEN + 99))
    world.sync()
    assert 0 < reads(path) <= len(head) + STEP
    assert traces_of(world) == []
    assert world.transport.log == []
    assert world.tally().sessions_excluded == 1


def test_a_first_line_that_is_blank_hides_no_header(world: World, project: Path, reads: Reads) -> None:
    (project / ".no-opensync").touch()
    head = b"\n" + line(header("a", THEN, cwd=str(project)))
    path = put(world, "a.jsonl", head, b'{"type":"label"}\n' * 200, *talk("a", *TEXTS)[1:])
    world.sync()
    assert traces_of(world) == []
    assert reads(path) <= len(head) + STEP


def test_a_child_of_an_excluded_project_reads_no_more_of_its_parent(
    world: World, project: Path, reads: Reads
) -> None:
    (project / ".no-opensync").touch()
    head = line(header("a", THEN, cwd=str(project)))
    path = put(world, "a.jsonl", head, b'{"type":"label"}\n' * 200, *talk("a", *TEXTS)[1:])
    world.append("b.jsonl", header("b", THEN, parentSession=str(path)), said("user", "hi", THEN + 1))
    world.sync()
    assert world.titles() == {session_id("b"): f"[Fork::{ID[:8]}] hi"}
    assert reads(path) <= len(head) + STEP


def exclude_by_settings(world: World, project: Path) -> None:
    choose(world, exclude=(str(project),))


def exclude_by_marker(_world: World, project: Path) -> None:
    (project / ".no-opensync").touch()


def include_again(world: World, project: Path) -> None:
    (project / ".no-opensync").unlink(missing_ok=True)
    choose(world, exclude=())


Exclude = Callable[[World, Path], None]
LATER = pytest.mark.parametrize("exclude", [exclude_by_settings, exclude_by_marker])


@LATER
def test_excluded_while_it_waits_it_is_taken_back(
    careless_sqlite: None, world: World, project: Path, exclude: Exclude
) -> None:
    del careless_sqlite
    put(world, "a.jsonl", *talk("a", *TEXTS, cwd=str(project)))
    world.restart()
    world.sweep()
    world.read()
    assert world.tally().messages_waiting == 3
    exclude(world, project)
    world.sync()
    assert world.transport.log == []
    assert world.tally().messages_waiting == 0
    rows = world.engine.database.rows("SELECT wanted, draft FROM messages")
    assert [row for row in rows if row != (None, None)] == []
    assert world.engine.database.rows("SELECT state FROM sessions") == [(None,)]
    titles = [row[0] for row in world.engine.database.rows("SELECT wanted FROM sessions")]
    assert [title for title in titles if WORDS.encode() in title] == [], "the title stays"


@LATER
def test_what_was_taken_back_is_in_no_freed_page(
    careless_sqlite: None, world: World, project: Path, exclude: Exclude
) -> None:
    del careless_sqlite
    world.restart()
    put(world, "a.jsonl", *talk("a", "hello", *(f"{n} {WORDS}" for n in range(300)), cwd=str(project)))
    world.sweep()
    world.read()
    exclude(world, project)
    world.sync()
    assert WORDS not in kept(world.state)


@LATER
def test_excluded_while_the_server_is_away_it_is_taken_back_at_once(
    world: World, project: Path, exclude: Exclude
) -> None:
    put(world, "a.jsonl", *talk("a", *TEXTS, cwd=str(project)))
    world.fail(Busy(503, "600"))
    world.step()
    exclude(world, project)
    world.step()
    assert world.tally().messages_waiting == 0


@LATER
def test_excluded_while_it_is_parked_it_is_taken_back(world: World, project: Path, exclude: Exclude) -> None:
    put(world, "a.jsonl", *talk("a", "hello", *TEXTS[1:], cwd=str(project)))
    world.fail(TOO_LARGE, lambda request: WORDS in str(request.json))
    world.sync()
    assert world.tally().messages_parked == 2
    exclude(world, project)
    world.sync()
    assert world.tally().messages_parked == 0
    assert WORDS not in kept(world.state)


@LATER
def test_included_again_it_is_sent_completely(world: World, project: Path, exclude: Exclude) -> None:
    put(world, "a.jsonl", *talk("a", *TEXTS, cwd=str(project)))
    world.sweep()
    world.read()
    exclude(world, project)
    world.sync()
    assert world.opensync.sessions == {}
    include_again(world, project)
    world.sync()
    assert world.texts(ID) == list(TEXTS)
    assert world.side_effects() == {}
    assert world.tally().sessions_excluded == 0


@LATER
def test_excluded_from_the_start_and_included_later_it_is_sent(
    world: World, project: Path, exclude: Exclude
) -> None:
    exclude(world, project)
    put(world, "a.jsonl", *talk("a", *TEXTS, cwd=str(project)))
    world.sync()
    include_again(world, project)
    world.sync()
    assert world.texts(ID) == list(TEXTS)


def test_excluded_in_the_midst_it_goes_on_where_it_was(world: World, project: Path) -> None:
    put(world, "a.jsonl", *talk("a", "one", "two", cwd=str(project)))
    world.sync()
    exclude_by_marker(world, project)
    world.append("a.jsonl", turn("three", 2), turn("four", 3))
    world.sync()
    assert world.texts(ID) == ["one", "two"]
    include_again(world, project)
    world.append("a.jsonl", turn("five", 4))
    world.sync()
    assert world.texts(ID) == ["one", "two", "three", "four", "five"]
    assert world.side_effects() == {}


def test_in_a_file_with_two_projects_only_the_other_is_sent(world: World, project: Path) -> None:
    put(
        world,
        "a.jsonl",
        *talk("other", "uno", "due"),
        *talk("a", *TEXTS, cwd=str(project)),
        *talk("third", "tre", at=THEN + 500),
    )
    exclude_by_marker(world, project)
    world.sync()
    assert set(world.titles()) == {session_id("other"), session_id("third")}
    assert traces_of(world) == []


def test_what_comes_later_under_an_excluded_header_is_neither_sent_nor_broken(
    world: World, project: Path
) -> None:
    exclude_by_marker(world, project)
    put(world, "a.jsonl", *talk("other", "uno"), *talk("a", *TEXTS, cwd=str(project)))
    world.sync()
    world.append("a.jsonl", turn(f"four {WORDS}", 3))
    world.sync()
    assert traces_of(world) == []
    assert world.texts(session_id("other")) == ["uno"]
    assert (world.tally().broken_lines, world.tally().sessions_excluded) == (0, 1)


def test_of_two_projects_in_a_file_the_other_loses_nothing(world: World, project: Path) -> None:
    put(world, "a.jsonl", *talk("other", "uno", "due"), *talk("a", *TEXTS, cwd=str(project)))
    world.sweep()
    world.read()
    exclude_by_marker(world, project)
    world.append("a.jsonl", turn(f"four {WORDS}", 3))
    world.sync()
    assert set(world.titles()) == {session_id("other")}
    assert world.texts(session_id("other")) == ["uno", "due"]
    assert WORDS not in everywhere(world)["requests"]
