"""The disk that holds the state is full: nothing is taken in, nothing is sent twice, nothing is lost."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from pi_opensync.daemon.run import Daemon
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store.database import StateDatabase
from tests.harness import session_id
from tests.machine.clocks import SetClock
from tests.machine.daemon import DaemonWorld
from tests.read.settled import A_DAY, put, settled, talk, turn, turns
from tests.standin.faults import Busy, no_faults
from tests.standin.transport import Request

pytestmark = pytest.mark.slow

A = "a.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")


class FullDisk:
    """Every write fails while `full`; `left` writes succeed before it fills up by itself."""

    def __init__(self, database: StateDatabase, left: int | None = None) -> None:
        self.full = False
        self.left = left
        self.failed = 0
        self._connection = database.connection
        database.connection = cast("apsw.Connection", self)

    def execute(self, query: str, *values: Any) -> apsw.Cursor:
        self._count(query)
        return self._connection.execute(query, *values)

    def executemany(self, query: str, *values: Any) -> apsw.Cursor:
        self._count(query)
        return self._connection.executemany(query, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _count(self, query: str) -> None:
        if not query.lstrip().startswith(WRITES):
            return
        if self.left is not None:
            self.left -= 1
            self.full = self.full or self.left == 0
        if self.full:
            self.failed += 1
            raise apsw.exception_for(apsw.SQLITE_FULL)


def test_a_full_disk_stops_reading_until_there_is_space_again(world: DaemonWorld, elsewhere: Path) -> None:
    """SQLite's own limit of pages stands for the disk's."""
    put(world, A, *talk("a", *TEXTS))
    connection = world.engine.database.connection

    async def fill_and_free() -> None:
        await asyncio.sleep(20)
        assert world.texts(session_id("a")) == list(TEXTS)
        pages = connection.pragma("page_count")
        connection.execute(f"PRAGMA max_page_count = {pages}")
        world.append(A, *turns(*(f"{number} " + "x" * 20_000 for number in range(4, 20)), first=4))
        asked = len(world.transport.log)
        await asyncio.sleep(120)
        assert len(world.transport.log) == asked, "nothing is sent that is not on disk as attempted"
        assert len(world.logged("the state can not be written, waiting")) <= 5
        connection.execute("PRAGMA max_page_count = 1000000")
        await asyncio.sleep(60)

    world.watch(fill_and_free)
    assert world.logged("the state can not be written, waiting")[0]["reason"].endswith("the disk is full")
    settled(world, elsewhere)
    assert len(world.texts(session_id("a"))) == 20


@pytest.mark.parametrize("after", range(8, 120, 7))
def test_a_disk_that_fills_up_at_any_write(world: DaemonWorld, elsewhere: Path, after: int) -> None:
    put(world, A, *talk("a", *TEXTS))
    put(world, "b.jsonl", *talk("b", "uno", "due"))
    disk = FullDisk(world.engine.database)

    async def fill_and_free() -> None:
        await asyncio.sleep(0)
        disk.left = after
        await asyncio.sleep(20)
        world.append(A, turn("five", 4))
        await asyncio.sleep(40)
        disk.full, disk.left = False, None
        await asyncio.sleep(40)

    world.watch(fill_and_free)
    settled(world, elsewhere)


@pytest.mark.parametrize("after", [0, *range(8, 60, 13)])
def test_a_run_that_ends_by_itself_does_not_wait_for_space(
    world: DaemonWorld, elsewhere: Path, after: int
) -> None:
    """`sync` and `watch --once`: they say so and end, and the next one goes on."""
    put(world, A, *talk("a", *TEXTS))
    put(world, "b.jsonl", *talk("b", "uno", "due"))
    disk = FullDisk(world.engine.database, after)
    disk.full = after == 0
    begun = world.clock.at
    with pytest.raises(StoreUnavailable) as raised:
        world.runner.run(Daemon(world.engine, (world.sessions,), now=world.clock.now).once(backfill=True))
    assert raised.value.exit_code == 6
    assert world.clock.at - begun < 60
    disk.full, disk.left = False, None
    settled(world, elsewhere)


def test_a_disk_that_is_full_when_the_daemon_starts(world: DaemonWorld, elsewhere: Path) -> None:
    put(world, A, *talk("a", *TEXTS))
    disk = FullDisk(world.engine.database)
    disk.full = True

    async def free() -> None:
        await asyncio.sleep(60)
        disk.full = False
        await asyncio.sleep(60)

    world.watch(free)
    assert disk.failed > 0
    settled(world, elsewhere)


def test_a_clock_set_back_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    with SetClock(tmp_path / "set", monkeypatch) as world:
        put(world, A, *talk("a", *TEXTS))
        disk = FullDisk(world.engine.database)

        async def both() -> None:
            await asyncio.sleep(20)
            disk.full = True
            world.jump(-600)
            await asyncio.sleep(60)
            disk.full = False
            world.append(A, turn("five", 4))
            await asyncio.sleep(60)

        world.watch(both)
        settled(world, elsewhere)


def test_a_disk_that_is_full_while_the_lost_state_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the server knows is followed again; asking it must outlast the trouble."""
    start = time.time() + A_DAY
    with DaemonWorld(tmp_path / "world", monkeypatch, start=start, backfill=False) as world:
        put(world, "b.jsonl", *talk("b", "uno", "due"))
        put(world, A, *talk("a", *TEXTS))
        world.sweep()
        world.append(A, turn("five", 4))
        world.sync()
        assert set(world.opensync.sessions) == {session_id("a")}
        world.engine.database.close()
        world.engine.database.path.unlink()
        world.start(backfill=False)
        world.took_all = False
        disk = FullDisk(world.engine.database)

        async def fill(request: Request) -> None:
            disk.full = disk.full or request.path == "/sync/sessions/list"

        world.transport.gate = fill

        async def free() -> None:
            await asyncio.sleep(60)
            world.transport.gate = None
            disk.full = False
            await asyncio.sleep(60)

        world.watch(free)
        assert disk.failed > 0
        assert world.engine.database.meta("rebuilding") is None
        left_alone = [item.path for item in world.engine.follow.left_alone()]
        assert left_alone == [os.fsencode(world.path("b.jsonl"))]
        assert world.tally().messages_waiting == 0
        assert world.side_effects() == {}


def test_a_pause_that_ended_while_the_disk_was_full_is_not_shown_for_ever(
    world: DaemonWorld, elsewhere: Path
) -> None:
    """The pause is kept on disk; when its end can not be, a later success must end it there."""
    put(world, A, *talk("a", *TEXTS))
    disk = FullDisk(world.engine.database)

    async def both() -> None:
        world.transport.faults = lambda _method, _path: Busy(503)
        await asyncio.sleep(10)
        assert world.engine.server.pause is not None
        world.transport.faults = no_faults
        disk.full = True
        await asyncio.sleep(60)
        disk.full = False
        await asyncio.sleep(60)
        world.append(A, turn("five", 4))
        await asyncio.sleep(60)

    world.watch(both)
    settled(world, elsewhere)
    assert world.engine.server.pause is None
    assert world.engine.database.meta("pause") is None
