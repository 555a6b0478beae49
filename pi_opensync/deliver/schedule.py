"""Keeps sessions going to the server, several side by side, one request at a time for each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from pi_opensync.deliver import plan
from pi_opensync.deliver.changes import Report
from pi_opensync.deliver.inside import Hand, Prepared
from pi_opensync.deliver.send import Sender
from pi_opensync.deliver.server import Server
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.sessions import SyncStates

AT_ONCE = 256  # sessions that are handed over in one transaction, at most
WRITTEN_WITHIN = 0.5  # seconds
TROUBLE_AGAIN = 5.0  # seconds until the store is tried again


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round; `trouble` is why the store could not be written."""

    reports: Sequence[Report] = ()
    trouble: StoreUnavailable | None = None


class Delivery:
    def __init__(
        self,
        database: StateDatabase,
        sender: Sender,
        server: Server,
        *,
        now: Callable[[], float],
        hand: Hand | None = None,
    ) -> None:
        """`hand` where the dashboard is in this process."""
        self._database = database
        self._sessions = SyncStates(database)
        self._sender = sender
        self._server = server
        self._now = now
        self._hand = hand
        self._visits: dict[int, asyncio.Task[Report]] = {}
        self._handed_over: list[Report] = []
        self._woken = asyncio.Event()

    def clock_was_set(self, *, horizon: float, back_by: float = 0.0, within: float = 0.0) -> None:
        """Let nothing wait for a moment that the clock may not reach for long. Raises `StoreUnavailable`."""
        self._sessions.forget_future(self._now(), horizon, back_by)
        self._server.clock_was_set(horizon=horizon, back_by=back_by, within=within)
        self.wake()

    def wake(self) -> None:
        """There may be something new to send."""
        self._woken.set()

    def prepare(self) -> Prepared:
        """Decide what is sent first of what is due now; what can be handed over at once is.

        To be called in the transaction that made it due, so that the disk is waited for once; what it returns
        goes to `start` when that is on disk. Raises `StoreUnavailable`.
        """
        prepared = Prepared()
        if self._hand is not None:
            due, room = self._due(AT_ONCE), self._room()
            if due:
                self._hand.over(due, prepared, room)
            return prepared
        for session_id in self._due():
            try:
                with self._database.transaction():
                    prepared.visits[session_id] = self._sender.begin(session_id)
            except StoreUnavailable:
                if not self._database.is_in_transaction:
                    raise
                break  # as where nobody can say what is excluded: what was read is kept
        return prepared

    def start(self, prepared: Prepared) -> None:
        """Send what was prepared."""
        self._handed_over += prepared.reports
        for session_id, begun in prepared.visits.items():
            self._visits[session_id] = asyncio.create_task(self._sender.visit(session_id, begun))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and nothing is to be sent, now or later."""
        return not self._visits and self._sessions.next_due(set()) is None

    @property
    def is_held(self) -> bool:
        """Whether nothing may be sent now: the user asked for a pause, or changed the settings."""
        return self._sender.situation().is_held

    def next_due(self) -> float | None:
        """When something is to be sent next; None where nothing is left."""
        return plan.next_start(self._sessions.next_due(set(self._visits)), self._server.pause)

    async def rounds(self, *, endless: bool = True) -> AsyncIterator[Round]:
        """Begin what is due, wait for something to finish or to wake, say what came of it; over and over.

        It goes on while somebody asks for the next round; not `endless`, until nothing is due now. Raises
        what a visit raised other than `StoreUnavailable`, which is waited for.
        """
        while True:
            self._woken.clear()
            try:
                self._begin_due()
                if not endless and not self._visits and not self._handed_over:
                    return
                situation = self._sender.situation()
                patience = plan.patience(self.next_due(), len(self._visits), situation) if endless else None
                reports = await self._until_something_happens(patience)
            except StoreUnavailable as error:
                # A full disk or a file held by another process passes, and nothing is lost by waiting.
                yield Round(trouble=error)
                await asyncio.sleep(TROUBLE_AGAIN)
            else:
                yield Round(reports)

    async def stop(self, within: float) -> Round:
        """Let the requests under way finish, for at most `within` seconds; what came of them.

        Where none has reached the server there is nothing to wait for: what is written is soon on disk.
        """
        if self._visits:
            await asyncio.wait(self._visits.values(), timeout=min(WRITTEN_WITHIN, within))
        if self._visits and self._sender.is_talking:
            await asyncio.wait(self._visits.values(), timeout=within - WRITTEN_WITHIN)
        for visit in self._visits.values():
            visit.cancel()
        ended = await asyncio.gather(*self._visits.values(), return_exceptions=True)
        self._visits.clear()
        reports, self._handed_over = self._handed_over, []
        return Round([*reports, *(report for report in ended if isinstance(report, Report))])

    def _begin_due(self) -> None:
        if self._hand is None:
            for session_id in self._due():
                self._visits[session_id] = asyncio.create_task(self._sender.visit(session_id))
        elif self._due(1):
            with self._database.transaction():
                prepared = self.prepare()
            self.start(prepared)

    def _room(self) -> int:
        return plan.room(len(self._visits), self._sender.situation())

    def _due(self, at_least: int = 0) -> list[int]:
        """The sessions to begin now; `at_least` so many where none needs a request of its own."""
        room = self._room()
        most = max(room, at_least)
        return self._sessions.due(self._now(), most, set(self._visits)) if room > 0 else []

    async def _until_something_happens(self, patience: float | None) -> list[Report]:
        if self._handed_over:
            await asyncio.sleep(0)
            return self._finished()
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait(
                {woken, *self._visits.values()}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()
        return self._finished()

    def _finished(self) -> list[Report]:
        """What the visits that ended bring; one that raised does so here, after what the others bring."""
        reports, self._handed_over = self._handed_over, []
        for session_id, visit in list(self._visits.items()):
            if not visit.done() or (reports and visit.exception() is not None):
                continue
            del self._visits[session_id]
            reports.append(visit.result())
        return reports
