"""The real daemon in a world whose time passes only where the daemon waits for it."""

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar, TypeVarTuple

import pytest

from pi_opensync.address import state_folder
from pi_opensync.daemon import build as engine
from pi_opensync.daemon.run import Daemon
from pi_opensync.settings import Settings
from pi_opensync.sqlite import Damaged, StoreUnavailable
from pi_opensync.store.database import StateDatabase, open_or_rebuild
from tests.clock import Clock
from tests.harness import World

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")
REAL_PATIENCE = 0.001  # seconds that other threads get to be heard before time passes


class Selector(selectors.DefaultSelector):
    """Moves the clock instead of waiting, once neither files nor threads have anything to say."""

    def __init__(self, clock: Clock, monotonic: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.monotonic = monotonic
        self.threads = 0  # that are at work for the loop: time waits for them

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout == 0 else REAL_PATIENCE)
        if not ready and not self.threads and timeout is not None and timeout > 0:
            self.clock.move(timeout)
            self.monotonic.move(timeout)
        return ready


class Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: Selector) -> None:
        super().__init__(selector)
        self._virtual = selector

    def time(self) -> float:
        return self._virtual.monotonic.now()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        future = super().run_in_executor(executor, func, *args)
        self._virtual.threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _future: asyncio.Future[Any]) -> None:
        self._virtual.threads -= 1


class Deaf:
    """A watcher that never gets to watch."""

    is_alive = False

    def __init__(self, *_collaborators: object) -> None: ...

    def mend(self) -> str:
        return "not in this test"

    def stop(self) -> None: ...


class DaemonWorld(World):
    """A world that the daemon lives in. `suspend` stops its monotonic clock, as a closed lid does."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **choice: Any) -> None:
        super().__init__(folder, **choice)
        self.runner.close()
        self.monotonic = Clock(0.0)
        self.runner = self.new_runner()
        self.took_all = choice.get("backfill", True)
        clocks = SimpleNamespace(
            time=self.clock.now, monotonic=self.monotonic.now, perf_counter=time.perf_counter
        )
        monkeypatch.setattr("pi_opensync.daemon.run.time", clocks)

    def new_runner(self) -> asyncio.Runner:
        return asyncio.Runner(loop_factory=lambda: Loop(Selector(self.clock, self.monotonic)))

    def suspend(self, seconds: float) -> None:
        self.clock.move(seconds)

    def watch(self, scenario: Callable[[], Awaitable[None]]) -> Daemon:
        """Run `watch` until the scenario ends. Raises what ended the daemon before that."""
        daemon = Daemon(self.engine, (self.sessions,), now=self.clock.now)

        async def both() -> None:
            watching = asyncio.create_task(daemon.watch(backfill=self.took_all))
            happening = asyncio.ensure_future(scenario())
            await asyncio.wait({watching, happening}, return_when=asyncio.FIRST_COMPLETED)
            if not happening.done():
                happening.cancel()
                await watching
                raise AssertionError("the daemon ended by itself")
            daemon.stop()
            await watching
            await happening

        self.runner.run(both())
        return daemon


def hasty(folder: Path, now: float) -> tuple[StateDatabase, Path | None]:
    """The state file without its waits for the disk: no test here cuts the power."""
    database, aside = open_or_rebuild(folder, now)
    with suppress(Damaged, StoreUnavailable):  # a damaged file says so to whoever reads it next
        database.run("PRAGMA synchronous = OFF")
    return database, aside


class Commands:
    """The command line over a world: its files, its server, its clock. The world's own engine is closed."""

    NAMES: ClassVar[tuple[str, ...]] = ("watch", "sync", "verify")

    def __init__(self, world: DaemonWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        world.engine.database.close()
        url, key = world.settings.require_server()
        for name, value in {
            "CONVEX_URL": url,
            "API_KEY": key.get_secret_value(),
            "STATE_DIR": str(world.state),
            "SESSIONS_DIR": str(world.sessions),
            "CONFIG": str(world.state.parent / "no-such-file.json"),
        }.items():
            monkeypatch.setenv(f"PI_OPENSYNC_{name}", value)
        real = partial(engine.build, now=world.clock.now, jitter=lambda: world.jitter)

        def build(*what: Any, transport: Any = None, **more: Any) -> engine.Engine:
            return real(*what, transport=transport or world.transport, **more)

        monkeypatch.setattr(engine, "build", build)
        monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
        monkeypatch.setattr("pi_opensync.cli.context.open_or_rebuild", hasty)
        clocks = SimpleNamespace(time=world.clock.now, monotonic=time.monotonic)
        for name in ("context", "status"):
            monkeypatch.setattr(f"pi_opensync.cli.{name}.time", clocks)
        for name in self.NAMES:
            monkeypatch.setattr(f"pi_opensync.cli.{name}.loop", SimpleNamespace(run=self.run))

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        with self.world.new_runner() as runner:
            return runner.run(main)

    @property
    def folder(self) -> Path:
        """Where the state of this world's server is."""
        settings: Settings = self.world.settings
        return state_folder(settings.state_dir, settings.require_server()[0])
