"""A daemon that is told to stop waits for answers, and for nothing else."""

import asyncio
from pathlib import Path

import pytest

from pi_opensync.daemon.run import FLUSH_WITHIN
from pi_opensync.deliver.schedule import WRITTEN_WITHIN
from pi_opensync.opensync.client import Client
from tests.machine.daemon import DaemonWorld, Deaf
from tests.read.settled import put, talk
from tests.standin.transport import Request


@pytest.mark.parametrize(("is_talking", "within"), [(True, FLUSH_WITHIN), (False, WRITTEN_WITHIN)])
def test_what_has_not_reached_the_server_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_talking: bool, within: float
) -> None:
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
    monkeypatch.setattr(Client, "is_talking", is_talking)
    with DaemonWorld(tmp_path, monkeypatch) as world:
        put(world, "a.jsonl", *talk("a", "one", "two"))
        stopped_at: list[float] = []

        async def scenario() -> None:
            asked = asyncio.Event()

            async def never(_request: Request) -> None:
                asked.set()
                await asyncio.Event().wait()

            world.transport.gate = never
            await asked.wait()
            stopped_at.append(world.monotonic.now())

        world.watch(scenario)
        assert world.monotonic.now() - stopped_at[0] == pytest.approx(within, abs=0.1)
        world.transport.gate = None
        world.sync()
        assert len(world.opensync.messages) == 2
        assert world.side_effects() == {}
