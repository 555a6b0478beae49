"""Keeps sessions going to the server, several side by side, one request at a time for each."""

import asyncio
import sqlite3
from collections.abc import Callable

from pi_opensync.daemon.systemd import DELIVERY
from pi_opensync.deliver.send import Courier
from pi_opensync.deliver.server import Server
from pi_opensync.store.database import Database
from pi_opensync.store.sessions import Sessions

TROUBLE_AGAIN = 5.0  # seconds until the store is tried again
PAUSE_LOOK = 2.0  # seconds until it is looked whether the user resumed
LONGEST_SLEEP = 20.0  # seconds; a clock that is set back must not stop delivery
SIDE_BY_SIDE = 6  # the smallest hosted tier runs 16 functions at once for a whole deployment


class Delivery:
    def __init__(
        self,
        database: Database,
        courier: Courier,
        server: Server,
        *,
        now: Callable[[], float],
        on_trouble: Callable[[sqlite3.OperationalError], None] = lambda _error: None,
        is_held: Callable[[], bool] = lambda: False,
        on_beat: Callable[[str], None] = lambda _part: None,
    ) -> None:
        """`on_trouble` hears why the store can not be written; while `is_held` nothing is begun."""
        self._is_held = is_held
        self._on_beat = on_beat
        self._on_trouble = on_trouble
        self._sessions = Sessions(database)
        self._courier = courier
        self._server = server
        self._now = now
        self._visits: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def clock_was_set(self, *, horizon: float, back_by: float = 0.0) -> None:
        """Let nothing wait for a moment that the clock may not reach for long. Raises sqlite3.Error."""
        self._sessions.forget_future(self._now(), horizon)
        self._server.clock_was_set(horizon=horizon, back_by=back_by)
        self.wake()

    def wake(self) -> None:
        """There may be something new to send."""
        self._woken.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and nothing is to be sent, now or later."""
        return not self._visits and self._sessions.next_due(set()) is None

    @property
    def is_held(self) -> bool:
        """Whether nothing may be sent now: the user asked for a pause, or changed the settings."""
        return self._is_held()

    def next_due(self) -> float | None:
        """When something is to be sent next; None where nothing is left."""
        due = self._sessions.next_due(set(self._visits))
        pause = self._server.pause
        return due if due is None or pause is None else max(due, pause.until)

    async def settle(self) -> float | None:
        """Do all that is due now; returns `next_due`. Raises what a visit raised."""
        while self._start_due() or self._visits:
            await self._finish_one()
        return self.next_due()

    async def run(self) -> None:
        """Settle and wait, over and over, until cancelled. Raises what a visit raised."""
        while True:
            self._on_beat(DELIVERY)
            self._woken.clear()
            try:
                self._start_due()
            except sqlite3.OperationalError as error:
                await self._rest(error)
                continue
            woken = asyncio.ensure_future(self._woken.wait())
            try:
                await asyncio.wait(
                    {woken, *self._visits.values()},
                    timeout=self._patience(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                woken.cancel()
            try:
                self._reap()
            except sqlite3.OperationalError as error:
                await self._rest(error)

    async def _rest(self, error: sqlite3.OperationalError) -> None:
        """Wait: a full disk or a file held by another process passes, and nothing is lost by waiting."""
        self._on_trouble(error)
        await asyncio.sleep(TROUBLE_AGAIN)

    def _patience(self) -> float:
        """Seconds until something may be started that no event announces, and until the next beat."""
        due = self.next_due()
        if due is None or len(self._visits) >= self._limit():
            return LONGEST_SLEEP
        return PAUSE_LOOK if self._is_held() else min(max(due - self._now(), 0.0), LONGEST_SLEEP)

    async def stop(self, within: float) -> None:
        """Let the requests under way finish, for at most `within` seconds."""
        if self._visits:
            await asyncio.wait(self._visits.values(), timeout=within)
        for visit in self._visits.values():
            visit.cancel()
        await asyncio.gather(*self._visits.values(), return_exceptions=True)
        self._visits.clear()

    def _limit(self) -> int:
        """How many sessions may go side by side: one at a time while the server is away."""
        return SIDE_BY_SIDE if self._server.pause is None else 1

    def _start_due(self) -> bool:
        pause = self._server.pause
        if self._is_held() or (pause is not None and pause.until > self._now()):
            return False
        free = self._limit() - len(self._visits)
        due = self._sessions.due(self._now(), free, set(self._visits)) if free > 0 else []
        for session_id in due:
            self._visits[session_id] = asyncio.create_task(self._courier.visit(session_id))
        return bool(due)

    async def _finish_one(self) -> None:
        await asyncio.wait(self._visits.values(), return_when=asyncio.FIRST_COMPLETED)
        self._reap()

    def _reap(self) -> None:
        for session_id, visit in list(self._visits.items()):
            if visit.done():
                del self._visits[session_id]
                visit.result()
