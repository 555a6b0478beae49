"""The clock is wrong, is set, or stands still with the lid closed; the server's own clock goes on."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import START, World, header, line, said, session_id, usage
from tests.machine.clocks import SetClock
from tests.machine.daemon import DaemonWorld, Deaf
from tests.read.settled import fresh, put, talk, turn
from tests.standin.faults import Busy, no_faults

pytestmark = pytest.mark.slow

A = "a.jsonl"
TEXTS = ("one one one", "two two two", "three three", "four four four")
HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SetClock]:
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
    with SetClock(tmp_path / "world", monkeypatch) as made:
        yield made


def check(world: SetClock, elsewhere: Path) -> None:
    assert world.side_effects() == {}
    assert world.tally().messages_waiting == 0
    assert world.snapshot() == fresh(world.sessions, elsewhere)


JUMPS = [-400 * 24 * HOUR, -HOUR, -60, -7, 7, 60, HOUR, 400 * 24 * HOUR]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_set_while_the_daemon_rests(world: SetClock, elsewhere: Path, jump: float) -> None:
    """What is said after the jump arrives within a minute."""
    world.append(A, header("a", START))
    world.says("before the jump")

    async def happening() -> None:
        await asyncio.sleep(30)
        world.jump(jump)
        await asyncio.sleep(30)
        world.says("after the jump")
        world.says("and its answer", role="assistant")
        await asyncio.sleep(60)
        assert sorted(world.texts(session_id("a"))) == sorted(
            ["before the jump", "after the jump", "and its answer"]
        )

    world.watch(happening)
    check(world, elsewhere)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_set_while_the_server_is_away(world: SetClock, elsewhere: Path, jump: float) -> None:
    """A wait that was told by the old clock must not last until the new one gets there."""
    put(world, A, *talk("a", *TEXTS))
    world.transport.faults = lambda _method, _path: Busy(503, "20")

    async def happening() -> None:
        await asyncio.sleep(45)
        world.jump(jump)
        world.transport.faults = no_faults
        await asyncio.sleep(90)
        assert world.texts(session_id("a")) == list(TEXTS)

    world.watch(happening)
    check(world, elsewhere)


@pytest.mark.parametrize("jump", [-HOUR, -60, HOUR])
def test_a_clock_that_is_set_while_a_session_waits_to_be_updated(
    world: SetClock, elsewhere: Path, jump: float
) -> None:
    """A new name alone falls into the server's 10 s window, and waits for it to close."""
    put(world, A, *talk("a", *TEXTS))

    async def happening() -> None:
        await asyncio.sleep(6)
        world.append(A, said("user", "five", world.clock.at, "aaaa0005"))
        await asyncio.sleep(6)
        world.append(
            A,
            {"type": "usage", "id": "aaaa0006", "timestamp": "2026-11-20T10:00:00Z", "usage": usage(0, 0, 7)},
        )
        await asyncio.sleep(1)
        world.jump(jump)
        await asyncio.sleep(90)
        assert world.tally().sessions_waiting == 0

    world.watch(happening)
    check(world, elsewhere)


def test_a_clock_that_is_wrong_at_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours ahead at boot, then set right: sessions begun after that are not from before the start."""
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
    with DaemonWorld(tmp_path / "world", monkeypatch, start=START + 2 * HOUR, backfill=False) as world:

        async def happening() -> None:
            await asyncio.sleep(30)
            world.clock.move(-2 * HOUR)
            await asyncio.sleep(30)
            path = put(
                world, A, line(header("a", world.clock.at)), line(said("user", "hello", world.clock.at))
            )
            os.utime(path, (world.clock.at, world.clock.at))
            await asyncio.sleep(60)

        world.watch(happening)
        assert world.tally().transcripts_left_alone == 0
        assert world.texts(session_id("a")) == ["hello"]


@pytest.mark.parametrize("asleep", [30.0, HOUR, 60 * HOUR])
def test_suspend_and_resume(world: SetClock, elsewhere: Path, asleep: float) -> None:
    """The monotonic clock stands still, both others go on; what another machine wrote meanwhile is taken."""
    put(world, A, *talk("a", *TEXTS))

    async def happening() -> None:
        await asyncio.sleep(3)
        world.says("just before")
        world.suspend(asleep)
        world.says("just after")
        put(world, "b.jsonl", *talk("b", "uno", "due"))
        await asyncio.sleep(30)
        assert world.texts(session_id("a")) == [*TEXTS, "just before", "just after"]
        assert world.texts(session_id("b")) == ["uno", "due"]

    world.watch(happening)
    check(world, elsewhere)


def test_suspend_within_a_wait_for_the_server(world: SetClock, elsewhere: Path) -> None:
    put(world, A, *talk("a", *TEXTS))
    world.transport.faults = lambda _method, _path: Busy(503)

    async def happening() -> None:
        await asyncio.sleep(600)
        world.suspend(8 * HOUR)
        world.transport.faults = no_faults
        await asyncio.sleep(60)
        assert world.texts(session_id("a")) == list(TEXTS)

    world.watch(happening)
    check(world, elsewhere)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_clock_set_while_a_file_is_rewritten(world: SetClock, elsewhere: Path, jump: float) -> None:
    """A file that shrank is looked at again in a moment, by whichever clock."""
    put(world, A, *talk("a", *TEXTS))

    async def happening() -> None:
        await asyncio.sleep(20)
        put(world, A, *talk("a", "ONE"))
        await asyncio.sleep(5.1)
        world.jump(jump)
        await asyncio.sleep(30)
        assert world.texts(session_id("a"))[0] == "ONE"
        put(world, A, *talk("a", *TEXTS, "five"))
        await asyncio.sleep(60)

    world.watch(happening)
    check(world, elsewhere)


def test_the_daemon_notices_only_a_clock_that_is_set_back(
    world: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async def happening() -> None:
        await asyncio.sleep(20)
        world.suspend(600)
        await asyncio.sleep(20)
        assert "set back" not in capsys.readouterr().out
        world.jump(-600)
        await asyncio.sleep(20)

    world.watch(happening)
    assert "the clock was set back" in capsys.readouterr().out


def test_what_the_server_told_since_the_clock_was_set_is_not_set_again(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append(A, *talk("a", "one", "two"))
        world.sync()
        world.clock.move(60 - 600)
        world.skew += 600
        world.append(A, turn("three", 4))
        world.sync_until(world.clock.now() + 1)
        world.engine.delivery.clock_was_set(horizon=0.0, back_by=600, within=20)
        spent = said("assistant", "", world.clock.now(), usage=usage(prompt=0, completion=0, dollars=0.25))
        world.append(A, spent)
        world.sync()
        assert world.side_effects() == {}
        assert world.opensync.sessions[session_id("a")].cost > 0
