"""The run itself: sweeps and events feed the reader, the reader feeds delivery, until a signal."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TypeVar

from pi_opensync import logbook
from pi_opensync.daemon.build import Engine
from pi_opensync.daemon.sd_notify import DELIVERY, INGEST
from pi_opensync.errors import KeyRefused, NetworkError, PartlyDone
from pi_opensync.fold import external_id
from pi_opensync.pi.parents import first_header
from pi_opensync.read.asked import AskedFor
from pi_opensync.read.baseline import Baseline
from pi_opensync.read.follow import Listing
from pi_opensync.read.watching import Watcher
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.texts import counted, shown_path

FLUSH_WITHIN = 5.0  # seconds for what is under way when a signal comes
SWEEP_WITH_EVENTS = 5.0  # seconds between sweeps, at least
SWEEP_WITHOUT_EVENTS = 2.0
SWEEP_FOR_A_FOLDER = 0.5  # while a folder is missing there is little to sweep, and pi may make it any moment
LONGEST_SWEEP = 60.0  # seconds between sweeps, at most
SWEEP_SHARE = 500.0  # a sweep may take one part in so many of the time
GLANCE_SHARE = 5000.0  # the same, where a glance tells
ALL_AGAIN = 300.0  # seconds until every file is looked at, whatever is heard: an event can be lost
LONGEST_SLEEP = 20.0  # seconds between two beats
FULL_AGAIN = 0.5  # seconds until the outbox is asked again for room
TROUBLE_AGAIN = 5.0  # seconds until the store is tried again
REBUILD_AGAIN = 5.0  # seconds until a server that is away is asked again for its sessions
CLOCK_JUMP = 5.0  # seconds; less is a clock that is being disciplined
FURTHEST_WAIT = 2 * 3600.0  # seconds; nothing is ever told to wait longer
GIVE_UP_AFTER = 3  # failures in a row until a run that ends by itself ends


Result = TypeVar("Result")


class Daemon:
    """Runs an engine until it is stopped, or, with `once`, until everything is delivered."""

    def __init__(
        self,
        engine: Engine,
        folders: tuple[Path, ...],
        *,
        now: Callable[[], float] = time.time,
        on_ready: Callable[[], None] = lambda: None,
        is_outdated: Callable[[], bool] = lambda: False,
        on_sweep: Callable[[bool], None] = lambda _events: None,
        on_beat: Callable[[str], None] = lambda _part: None,
    ) -> None:
        """`is_outdated` says that the settings changed: then `watch` returns, to be run with the new ones.

        `on_sweep` hears at every sweep whether events arrive, `on_beat` that the reading goes on.
        """
        self._on_sweep = on_sweep
        self._on_beat = on_beat
        self._is_outdated = is_outdated
        self._engine = engine
        self._asked = AskedFor(engine.database, engine.follow)
        self._folders = folders
        self._now = now
        self._on_ready = on_ready
        self._log = logbook.get()
        self._changed = asyncio.Event()
        self._sweep_wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._signalled = False
        self._ends_by_itself = False
        self._told: dict[bytes, str] = {}
        self._clock_offset = now() - time.monotonic()
        self._clock_seen = time.monotonic()
        self._no_events: str | None = None
        self._in_doubt = True
        self._all_again = 0.0  # monotonic

    async def watch(self, *, backfill: bool) -> None:
        """Follow the folders until SIGINT or SIGTERM; a second signal ends the process at once."""
        loop = asyncio.get_running_loop()
        self._catch_signals(loop)
        watcher = Watcher(self._folders, self._hint_from(loop))
        try:
            await self._begin(watcher, backfill=backfill)
            tasks = [
                asyncio.create_task(self._read()),
                asyncio.create_task(self._sweep_for_ever(watcher)),
                asyncio.create_task(self._deliver()),
            ]
            rebuilding = asyncio.create_task(self._take_what_the_server_has(patient=True))
            stopped = asyncio.create_task(self._stopping.wait())
            done, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            await self._flush([*tasks, rebuilding])
            for task in done - {stopped}:
                task.result()
        finally:
            watcher.stop()
        if not self._is_outdated():
            self._log.info("stopped")

    @property
    def was_asked_to_stop(self) -> bool:
        """Whether a signal came."""
        return self._signalled

    async def once(self, *, backfill: bool = False) -> None:
        """Read everything there is to read, deliver it, return.

        Raises `NetworkError`, `KeyRefused` or `PartlyDone` where something is left over, and
        `StoreUnavailable` where the state can not be written for a while: such a run waits for no space.
        """
        self._ends_by_itself = True
        self._catch_signals(asyncio.get_running_loop())
        await self._begin(None, backfill=backfill)
        await self._take_what_the_server_has(patient=False)
        await self.finish()

    async def finish(self) -> None:
        """Read and deliver what is queued, until SIGINT or SIGTERM. Raises as `once`."""
        self._ends_by_itself = True
        self._catch_signals(asyncio.get_running_loop())
        self._engine.server.try_now()
        reader = asyncio.create_task(self._read())
        sender = asyncio.create_task(self._deliver())
        stopped = asyncio.create_task(self._stopping.wait())
        finished = asyncio.create_task(self._all_done())
        try:
            await asyncio.wait({reader, sender, stopped, finished}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            finished.cancel()
            await self._flush([reader, sender])
        for task in (reader, sender):
            if task.done() and not task.cancelled():
                task.result()
        self._raise_what_is_left(interrupted=self._signalled)

    async def _all_done(self) -> None:
        delivery, follow = self._engine.delivery, self._engine.follow
        while True:
            pause = self._engine.server.pause
            if pause is not None and (pause.kind == "key refused" or pause.failures >= GIVE_UP_AFTER):
                return
            if follow.is_idle and (delivery.is_idle or delivery.is_held):
                return
            await asyncio.sleep(0.05)

    def _raise_what_is_left(self, *, interrupted: bool) -> None:
        pause = self._engine.server.pause
        if pause is not None and pause.kind == "key refused":
            raise KeyRefused(pause.reason, hint="make a new key on the dashboard and run `pi-opensync login`")
        if pause is not None:
            raise NetworkError(
                f"{self._engine.client.host}: {pause.reason}",
                hint="nothing is lost; run it again when the server can be reached",
            )
        if interrupted:
            raise PartlyDone("interrupted; nothing is lost", hint="run it again to go on")
        if self._is_outdated():
            raise PartlyDone("the settings changed meanwhile: what was left is not sent", hint="run it again")
        if self._engine.delivery.is_held:
            raise PartlyDone("paused by you: it was read, and nothing was sent", hint="`pi-opensync resume`")
        if not (self._engine.follow.is_idle and self._engine.delivery.is_idle):
            raise PartlyDone("something is still to be sent; nothing is lost", hint="run it again to go on")
        problems = self._engine.follow.problems
        missing = [folder for folder in self._folders if not folder.is_dir()]
        if problems or missing:
            unread = [f"{shown_path(os.fsencode(folder))} is not there" for folder in missing]
            unread += [f"{counted(len(problems), 'file')} could not be read, see above"] * bool(problems)
            raise PartlyDone("; ".join(unread))

    async def _begin(self, watcher: Watcher | None, *, backfill: bool) -> None:
        follow = self._engine.follow
        if watcher is not None:
            self._tell_events(await asyncio.to_thread(watcher.mend))
            self._on_sweep(watcher.is_alive)
        _is_glance, listing = await self._look(watcher)
        await self._written(lambda: self._engine.delivery.clock_was_set(horizon=FURTHEST_WAIT))
        left = await self._written(lambda: follow.begin(listing, backfill=backfill))
        looked = await self._written(lambda: follow.compare(listing))
        self._tell()
        if left:
            self._log.info(
                "first start: sessions that are there stay as they are until they change",
                left_alone=left,
                hint="`pi-opensync sync` sends them",
            )
        self._log.info("following", files=looked.files, folders=[str(folder) for folder in self._folders])
        self._changed.set()
        self._on_ready()

    async def _read(self) -> None:
        follow, delivery = self._engine.follow, self._engine.delivery
        while True:
            self._on_beat(INGEST)
            self._changed.clear()
            while follow.has_more:
                self._on_beat(INGEST)
                await self._written(self._engine.read_next)
                delivery.wake()
                await asyncio.sleep(0)
            self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):
                    await self._changed.wait()
            follow.drained()

    async def _deliver(self) -> None:
        failures = 0
        async for came in self._engine.delivery.rounds():
            self._on_beat(DELIVERY)
            self._engine.events.tell(came)
            failures = 0 if came.trouble is None else failures + 1
            if came.trouble is not None and self._gives_up(failures):
                raise came.trouble

    def _patience(self) -> float:
        follow = self._engine.follow
        look = follow.next_look()
        waits = [] if look is None else [max(look - self._now(), 0.05)]
        if follow.waits_for_room:
            waits.append(FULL_AGAIN)
        return min([*waits, LONGEST_SLEEP])

    async def _sweep_for_ever(self, watcher: Watcher) -> None:
        follow = self._engine.follow
        pause = 0.0
        while True:
            least = SWEEP_WITH_EVENTS if watcher.is_alive else SWEEP_WITHOUT_EVENTS
            if not all(folder.is_dir() for folder in self._folders):
                least = SWEEP_FOR_A_FOLDER
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(least, pause), LONGEST_SWEEP)):
                    await self._sweep_wanted.wait()
            self._sweep_wanted.clear()
            if self._is_outdated():
                self._log.info("the settings changed")
                self.stop()
                return
            self._engine.database.require_in_place()
            self._engine.rest()
            await self._mind_the_clock()
            self._tell_events(await asyncio.to_thread(watcher.mend))
            self._on_sweep(watcher.is_alive)
            begun = time.perf_counter()
            is_glance, listing = await self._look(watcher)
            looked = await self._written(partial(follow.compare, listing))
            pause = (time.perf_counter() - begun) * (GLANCE_SHARE if is_glance else SWEEP_SHARE)
            self._tell()
            if looked.changed | await self._written(self._asked.queue):
                self._changed.set()

    async def _look(self, watcher: Watcher | None) -> tuple[bool, Listing]:
        """What may have changed; and whether a glance told it, which does while events are beyond doubt."""
        is_due = self._in_doubt or time.monotonic() >= self._all_again
        if watcher is not None and watcher.is_alive and watcher.heard_all() and not is_due:
            listing = await asyncio.to_thread(self._engine.follow.glance)
            if listing is not None:
                return True, listing
        self._in_doubt, self._all_again = False, time.monotonic() + ALL_AGAIN
        return False, await asyncio.to_thread(self._engine.follow.list_files)

    async def _mind_the_clock(self) -> None:
        """Notice that the clock was set back: what waits for a moment must not wait for another one.

        After any jump, as of a machine that slept, all files are looked at.
        """
        offset, seen = self._now() - time.monotonic(), self._clock_seen
        back_by = self._clock_offset - offset
        self._clock_offset, self._clock_seen = offset, time.monotonic()
        self._in_doubt |= abs(back_by) > CLOCK_JUMP
        if back_by > CLOCK_JUMP:
            self._log.warning("the clock was set back", by_s=round(back_by))
            await self._written(self._engine.follow.clock_was_set)
            set_clock = partial(self._engine.delivery.clock_was_set, horizon=0.0, back_by=back_by)
            await self._written(lambda: set_clock(within=time.monotonic() - seen))

    async def _written(self, step: Callable[[], Result]) -> Result:
        """What the step returns, once the store could be written: a full disk is waited for.

        Raises `StoreUnavailable` in a run that ends by itself.
        """
        failures = 0
        while True:
            try:
                return step()
            except StoreUnavailable as error:
                failures += 1
                if self._gives_up(failures):
                    raise
                self._in_doubt = True
                self._engine.events.trouble(error)
                self._on_beat(INGEST)
                await asyncio.sleep(TROUBLE_AGAIN)

    def _gives_up(self, failures: int) -> bool:
        return self._ends_by_itself and failures >= GIVE_UP_AFTER

    def _hint_from(self, loop: asyncio.AbstractEventLoop) -> Callable[[bytes | None], None]:
        """`_hint`, to be called from another thread."""

        def hint(path: bytes | None) -> None:
            loop.call_soon_threadsafe(self._hint, path)

        return hint

    def _hint(self, path: bytes | None) -> None:
        if path is None:
            self._sweep_wanted.set()
            return
        try:
            self._engine.follow.hint(path)
        except StoreUnavailable:
            self._in_doubt = True
            self._sweep_wanted.set()
        self._changed.set()

    async def _take_what_the_server_has(self, *, patient: bool) -> None:
        """After the store was lost: the sessions that the server has were followed before."""
        baseline = Baseline(self._engine.database)
        while baseline.is_rebuilding:
            known = await self._known_sessions()
            if known is None and not patient:
                return
            if known is None:
                await asyncio.sleep(REBUILD_AGAIN)
                continue
            for found in self._engine.follow.left_alone():
                header = await asyncio.to_thread(first_header, found.path)
                if header is not None and external_id(header) in known:
                    self._engine.follow.queue(found.path, live=False)
            await self._written(baseline.rebuilt)
            self._changed.set()

    async def _known_sessions(self) -> Collection[str] | None:
        try:
            return await self._engine.sender.known_sessions()
        except StoreUnavailable as error:
            self._engine.events.trouble(error)
            return None

    async def _flush(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._engine.events.tell(await self._engine.delivery.stop(within=FLUSH_WITHIN))

    async def asked_to_stop(self) -> None:
        """Wait for a signal, or for `stop`."""
        await self._stopping.wait()

    def stop(self) -> None:
        """Let `watch` end once what is under way has had its time."""
        self._stopping.set()

    def _catch_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        def received(number: signal.Signals) -> None:
            if self._signalled:
                os._exit(128 + number)  # asked twice: at once; all that matters is on disk
            self._signalled = True
            self.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, received, number)

    def _tell(self) -> None:
        """Say once what can not be read, and again when the reason changes."""
        follow = self._engine.follow
        current = {**follow.unreadable, **follow.problems, **follow.odd}
        for path, reason in current.items():
            if self._told.get(path) == reason:
                continue
            if path in follow.odd:
                self._log.warning("not a transcript", path=shown_path(path), reason=reason)
            else:
                self._log.warning(
                    "can not be read",
                    path=shown_path(path),
                    reason=reason,
                    hint="it is tried again when that changes",
                )
        self._told = current

    def _tell_events(self, reason: str | None) -> None:
        if reason is not None and reason != self._no_events:
            self._log.warning("no events from the file system, sweeping instead", reason=reason)
        self._no_events = reason
