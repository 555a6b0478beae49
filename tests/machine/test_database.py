"""The state file: damaged, newer, another program's, on a disk that can not lock, left in mid-transaction."""

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from pi_opensync.cli import queue, status, sync, verify, watch
from pi_opensync.daemon import lock
from pi_opensync.errors import AlreadyRunning, ConfigurationError, PiOpensyncError
from pi_opensync.read.baseline import Baseline
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import StateDatabase, open_beside, open_database, open_or_rebuild
from tests.harness import Snapshot, session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.read.settled import fresh, put, talk, turn

pytestmark = pytest.mark.slow

TEXTS = ("one one one", "two two two", "three three", "four four four")
Damage = Callable[[Path], None]


def filled(world: DaemonWorld) -> Snapshot:
    for name in ("a", "b", "c"):
        put(world, f"{name}.jsonl", *talk(name, *TEXTS, *(f"{name} {n} " + "x" * 600 for n in range(8))))
    world.sync()
    return world.snapshot()


def run_watch(*, backfill: bool = False) -> None:
    watch.run(backfill=backfill, once=True, log_format="json", debug=None)


def overwrite(path: Path, data: bytes, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def overwritten_beside(path: Path, suffix: str) -> None:
    overwrite(path, os.urandom(4096), 0)
    path.with_name(path.name + suffix).write_bytes(os.urandom(4096))


DAMAGES: dict[str, Damage] = {
    "garbage": lambda path: overwrite(path, os.urandom(path.stat().st_size), 0),
    "zeros at the beginning": lambda path: overwrite(path, bytes(4096), 0),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2),
    "a few bytes": lambda path: os.truncate(path, 50),
    "nothing": lambda path: os.truncate(path, 0),
    "deleted": lambda path: path.unlink(),
    "text": lambda path: overwrite(path, b"no database\n" * 1000, 0),
    "garbage behind the first page": lambda path: overwrite(
        path, b"\xa5" * (path.stat().st_size - 4096), 4096
    ),
    "a journal of another file": lambda path: overwritten_beside(path, "-journal"),
    "a log of another file": lambda path: overwritten_beside(path, "-wal"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_file_is_built_again_without_a_duplicate(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, elsewhere: Path, damage: Damage
) -> None:
    there = filled(world)
    commands = Commands(world, monkeypatch)
    damage(commands.folder / "state.sqlite3")
    world.clock.move(3600)
    run_watch()
    assert world.snapshot() == there
    assert world.side_effects() == {}
    world.append("a.jsonl", turn("went on", 20))
    run_watch()
    assert world.texts(session_id("a"))[-1] == "went on"
    assert world.snapshot() == fresh(world.sessions, elsewhere)


def test_a_damaged_state_file_is_moved_aside(world: DaemonWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world)
    commands = Commands(world, monkeypatch)
    path = commands.folder / "state.sqlite3"
    garbage = os.urandom(10_000)
    path.write_bytes(garbage)
    run_watch()
    aside = list(commands.folder.glob("state.sqlite3.damaged-*"))
    assert [item.read_bytes() for item in aside] == [garbage]


def test_any_page_that_is_damaged_is_noticed_and_survived(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    """The first page is whole: what is wrong shows only while the daemon runs, or not at all."""
    there = filled(world)
    commands = Commands(world, monkeypatch)
    path = commands.folder / "state.sqlite3"
    kept = path.read_bytes()
    rebuilt = 0
    for offset in range(4096, len(kept), 4096):
        path.write_bytes(kept)
        overwrite(path, b"\xa5" * 4096, offset)
        world.clock.move(60)
        run_watch()
        rebuilt += bool(list(commands.folder.glob("*.damaged-*")))
        for aside in commands.folder.glob("*.damaged-*"):
            aside.unlink()
        assert world.snapshot() == there, f"page at {offset}"
        assert world.side_effects() == {}
    assert rebuilt > 3
    path.write_bytes(kept)
    world.append("b.jsonl", turn("went on", 20))
    run_watch()
    assert world.snapshot() == fresh(world.sessions, elsewhere)


@pytest.mark.parametrize("at", [1, 5, 20, 40, 60, 90, 120, 160])
def test_a_database_that_turns_out_to_be_damaged_at_run_time(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, elsewhere: Path, at: int
) -> None:
    """SQLite says so at any statement; `watch` goes on with a new file, the same process."""
    for name in ("a", "b"):
        put(world, f"{name}.jsonl", *talk(name, *TEXTS))
    Commands(world, monkeypatch)
    opened = []

    def damaged_at(folder: Path, now: float) -> tuple[StateDatabase, Path | None]:
        database, aside = open_or_rebuild(folder, now)
        opened.append(aside)
        if len(opened) == 1:
            spoil(database, at)
        return database, aside

    monkeypatch.setattr("pi_opensync.cli.context.open_or_rebuild", damaged_at)
    run_watch(backfill=True)
    assert len(opened) == 2
    assert world.side_effects() == {}
    assert world.snapshot() == fresh(world.sessions, elsewhere)


class Spoilt:
    """A connection to a file that is damaged from some statement on."""

    in_transaction = False

    def __init__(self, connection: apsw.Connection, at: int) -> None:
        self._connection = connection
        self._left = at

    def execute(self, query: str, *values: Any) -> apsw.Cursor:
        self._count()
        return self._connection.execute(query, *values)

    def executemany(self, query: str, *values: Any) -> apsw.Cursor:
        self._count()
        return self._connection.executemany(query, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise apsw.exception_for(apsw.SQLITE_CORRUPT)


def spoil(database: StateDatabase, at: int) -> None:
    """The `at`-th statement, and every one behind it, finds the file damaged."""
    database.connection = cast("apsw.Connection", Spoilt(database.connection, at))


def test_only_what_was_followed_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for the history: what was left alone stays so when the state is built again."""
    start = time.time() + 86_400
    with DaemonWorld(tmp_path / "world", monkeypatch, start=start, backfill=False) as world:
        put(world, "old.jsonl", *talk("old", "uno", "due"))
        put(world, "a.jsonl", *talk("a", *TEXTS))
        world.sweep()
        world.append("a.jsonl", turn("five", 4))
        world.sync()
        there = world.snapshot()
        assert set(there["sessions"]) == {session_id("a")}
        commands = Commands(world, monkeypatch)
        (commands.folder / "state.sqlite3").write_bytes(os.urandom(9000))
        world.append("a.jsonl", turn("six", 5))
        run_watch()
        run_watch()
        assert set(world.opensync.sessions) == {session_id("a")}
        assert world.texts(session_id("a")) == [*TEXTS, "five", "six"]
        assert world.side_effects() == {}


@pytest.mark.parametrize(
    "command",
    [
        run_watch,
        lambda: status.run(as_json=True),
        lambda: queue.list_parked(as_json=True),
        lambda: queue.retry_parked(None, every=True),
        lambda: verify.run(repair=False, session=None, as_json=True),
    ],
    ids=["watch", "status", "queue list", "queue retry", "verify"],
)
@pytest.mark.parametrize("word", ["newer", "another"])
def test_a_file_that_is_not_ours_to_write_is_refused_with_a_hint(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, command: Callable[[], None], word: str
) -> None:
    filled(world)
    commands = Commands(world, monkeypatch)
    path = commands.folder / "state.sqlite3"
    connection = apsw.Connection(str(path))
    if word == "newer":
        connection.execute("INSERT INTO migrations VALUES ('a_step_of_the_future')")
    else:
        connection.execute("PRAGMA application_id = 77")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError) as refused:
        command()
    assert refused.value.exit_code == 6
    assert word in refused.value.message
    assert refused.value.hint
    assert path.read_bytes() == before
    assert not list(commands.folder.glob("*.damaged-*"))


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_the_journal_is_one_that_the_disk_and_several_connections_can_have(
    tmp_path: Path, request: pytest.FixtureRequest, journal: str
) -> None:
    if journal == "truncate":
        request.getfixturevalue("far")
    database = open_database(tmp_path / "state")
    with database.transaction():
        database.set_meta("x", 1)
        beside = open_beside(database.path.parent)
        assert beside is not None
        assert beside.meta("x") is None
        beside.close()
        names = {item.name for item in database.path.parent.iterdir()}
    assert database.one("PRAGMA journal_mode") == journal
    assert bool({name for name in names if name.endswith(("-wal", "-shm"))}) is (journal == "wal")
    database.close()


def test_what_is_attempted_is_on_disk_before_the_request(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state")
    assert database.one("PRAGMA synchronous") == 2
    database.close()


def test_the_state_is_for_its_user_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    open_database(tmp_path / "state").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "state.sqlite3").stat().st_mode) == 0o600


WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store.database import open_database
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # bytes a file may have: as if the disk ended there
try:
    open_database(Path(sys.argv[1]).parent)
except StoreUnavailable as error:
    print(error)
"""


def test_why_the_first_start_can_not_write_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_ROOM, str(tmp_path / "state.sqlite3")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("state.sqlite3 can not be written: the disk is full\n")


def test_a_folder_that_can_not_be_locked_is_not_taken_for_a_running_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network folder without a lock service."""

    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(PiOpensyncError) as refused, lock.held(tmp_path / "state", "watch", 0.0):
        pass
    assert not isinstance(refused.value, AlreadyRunning)
    assert refused.value.exit_code == 6
    assert refused.value.hint
    assert lock.holder(tmp_path / "state") is None


def test_a_state_folder_that_can_not_be_made_is_refused_with_a_hint(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(commands.world, "a.jsonl", *talk("a", *TEXTS))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PI_OPENSYNC_STATE_DIR", str(tmp_path / "file" / "state"))
    with pytest.raises(ConfigurationError) as refused:
        run_watch()
    assert refused.value.hint


@pytest.mark.usefixtures("far")
def test_status_and_queue_work_after_a_kill_within_a_transaction_without_a_log(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal of the dead process lies beside the file, to be rolled back by whoever comes next."""
    _killed_within(world, monkeypatch, "-journal")
    assert '"messages_parked": 0' in capsys.readouterr().out


def test_status_and_queue_work_after_a_kill_within_a_transaction(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _killed_within(world, monkeypatch, "-wal")
    assert '"messages_parked": 0' in capsys.readouterr().out


def _killed_within(world: DaemonWorld, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    filled(world)
    database = world.engine.database
    folder, killed = database.path.parent, world.state.parent / "killed"
    database.run("PRAGMA synchronous = FULL")
    database.run("PRAGMA cache_size = 1")
    with database.transaction():
        database.run("UPDATE messages SET next_try = 7, parked = hex(randomblob(3000))")
        shutil.copytree(folder, killed)
        database.run("UPDATE messages SET parked = NULL")
    assert (killed / f"state.sqlite3{suffix}").stat().st_size > 0
    Commands(world, monkeypatch)
    shutil.rmtree(folder)
    killed.rename(folder)
    status.run(as_json=True)
    queue.list_parked(as_json=True)


def test_the_first_start_is_remembered_beside_the_file(world: DaemonWorld) -> None:
    filled(world)
    folder = world.engine.database.path.parent
    world.engine.database.close()
    world.engine.database.path.unlink()
    database = open_database(folder)
    baseline = Baseline(database)
    assert baseline.takes_all
    assert baseline.is_rebuilding
    world.engine.database = database


def test_sync_builds_a_damaged_state_file_again_too(
    world: DaemonWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = filled(world)
    commands = Commands(world, monkeypatch)
    (commands.folder / "state.sqlite3").write_bytes(os.urandom(9000))
    sync.run(Wanted(), dry_run=False, yes=True, log_format="json", debug=None)
    assert world.snapshot() == there
    assert world.side_effects() == {}
