"""Carries one session to the server: attempts are recorded before a request, its outcome after it.

It decides nothing: what to do stands in `plan`, what an answer means in `consequences`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pi_opensync.deliver import consequences, plan
from pi_opensync.deliver.actions import (
    Action,
    AskDates,
    FindIds,
    FindOrigin,
    Question,
    ReadBack,
    Request,
    RestoreSearch,
    SendBatch,
    SendEach,
    SendSession,
    Situation,
)
from pi_opensync.deliver.changes import Came, Report
from pi_opensync.deliver.record import Record, note
from pi_opensync.deliver.server import Server
from pi_opensync.deliver.together import Together
from pi_opensync.deliver.wishes import Wishes
from pi_opensync.opensync import answers
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.limits import MAX_BATCH
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.opensync.payloads import as_server_dated
from pi_opensync.privacy.judge import Judge
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Outbox, Waiting
from pi_opensync.store.sessions import SyncState, SyncStates

LOOK_AHEAD = MAX_BATCH  # messages in order that the plan sees
LOOK_AT_UPDATES = 4
_NOTHING_CAME = Came()


@dataclass(frozen=True, slots=True)
class BegunVisit:
    """What is to be done next of a session, as it was when that was decided; None: nothing in this visit.

    `came` is what came of the action before.
    """

    session: SyncState
    action: Action | None
    came: Came = _NOTHING_CAME


Judging = Callable[[Situation], Came]  # what an answer means in a situation


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, and when it came; `skew` as in a situation."""

    judge: Judging
    now: float
    skew: float

    def came(self, situation: Situation) -> Came:
        """What it means beside what others learned since."""
        return self.judge(replace(situation, now=self.now, skew=self.skew))


class Sender:
    def __init__(
        self,
        database: StateDatabase,
        client: Client,
        server: Server,
        policy: Judge,
        wishes: Wishes,
        *,
        dates: str,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        """`dates`: whose dates a session is begun with, transcript or server."""
        self._database = database
        self._sessions = SyncStates(database)
        self._outbox = Outbox(database)
        self._record = Record(database, server)
        self._client = client
        self._server = server
        self._policy = policy
        self._wishes = wishes
        self._dates = dates
        self._now = now
        self._jitter = jitter
        self._asking = asyncio.Lock()
        self._together = Together(database)

    @property
    def is_talking(self) -> bool:
        """Whether a request may have reached the server and is not answered."""
        return self._client.is_talking

    def begin(self, session_id: int) -> BegunVisit:
        """Decide what to do first of a session, recorded as begun. To be called in a transaction."""
        session = self._sessions.by_id(session_id)
        return BegunVisit(session, self._begin(session, turn=0))

    async def visit(self, session_id: int, begun: BegunVisit | None = None) -> Report:
        """Send what the session has to send now, and note when to look at it again.

        One transaction between two requests: what the last one brought, and what the next one may bring.
        `begun` is what was decided already, and is on disk. Raises what the store raises; what was
        acknowledged and not recorded is found there by the next visit.
        """
        if begun is None:
            begun = await self._together.write(partial(self.begin, session_id))
        report = Report(begun.session)
        turn = 0
        while isinstance(begun.action, Request):
            judge = await self._perform(begun.session, begun.action, turn)
            turn += 1
            # Of the moment when it came: the clock may be set meanwhile.
            heard = Heard(judge, self._now(), self._server.skew)
            step = partial(self.go_on, begun.session, heard, turn)
            if isinstance(begun.action, Question):  # an answer for all must be there before the next one asks
                with self._database.transaction():
                    begun = step()
            else:
                begun = await self._together.write(step)
            note(report, begun.came.changes)
        return report

    def go_on(self, session: SyncState, heard: Heard, turn: int) -> BegunVisit:
        """Record what came, and what is begun next. To be called in a transaction."""
        came = heard.came(self.situation())
        self._record.write(session, came.changes)
        if not came.goes_on:
            return BegunVisit(session, None, came)
        session = self._sessions.by_id(session.id)
        return BegunVisit(session, self._begin(session, turn), came)

    def situation(self, session: SyncState | None = None, turn: int = 0) -> Situation:
        """What a decision about the session rests on, as it is now; without one, about all of them."""
        return Situation(
            now=self._now(),
            skew=self._server.skew,
            jitter=self._jitter(),
            dates=self._dates,
            batch=self._server.batch,
            pause=self._server.pause,
            listed=self._server.listed,
            ids=self._server.ids,
            ids_tries=self._server.ids_tries,
            rows=self._server.rows,
            messages=self._server.messages,
            side_by_side=self._server.width.sessions,
            is_held=self._wishes.is_held(),
            stays_here=session is not None and self._policy.reason(session.project) is not None,
            turn=turn,
        )

    def _between(self, session: SyncState) -> Situation:
        """Of a situation what may end a chain of messages."""
        return Situation(
            now=self._now(),
            pause=self._server.pause,
            is_held=self._wishes.is_held(),
            stays_here=self._policy.reason(session.project) is not None,
        )

    def _begin(self, session: SyncState, turn: int) -> Action:
        """What to do next, recorded as begun. To be called in a transaction."""
        action, situation = self._plan(session, turn)
        if not isinstance(action, Question):  # it begins when it is this session's turn to ask
            self._record.write(session, plan.beginning(session, action, situation))
        return action

    def _plan(self, session: SyncState, turn: int) -> tuple[Action, Situation]:
        situation = self.situation(session, turn)
        fresh = self._outbox.fresh(session.id, LOOK_AHEAD)
        updates = self._outbox.updates(session.id, LOOK_AT_UPDATES)
        return plan.next_action(session, fresh, updates, situation), situation

    async def _perform(self, session: SyncState, action: Request, turn: int) -> Judging:
        match action:
            case FindOrigin() | FindIds(_) | AskDates():
                came = await self._ask(session, action, turn)
                return lambda _now: came
            case SendSession(_, dates):
                outcome = await self._timed(self._client.session(body_of(session.wanted, dates)))
                return partial(consequences.of_session, session, outcome)
            case ReadBack(server_id):
                return await self._read_back(session, server_id)
            case RestoreSearch(server_id):
                return await self._restore(session, server_id)
            case SendBatch(messages):
                outcome = await self._batch(session, messages)
                return partial(consequences.of_batch, session, messages, outcome)
            case SendEach(messages):
                return await self._send_each(session, messages)

    async def _ask(self, session: SyncState, question: Question, turn: int) -> Came:
        """Ask what concerns every session; whoever waited meanwhile plans again, with the answer."""
        async with self._asking:
            with self._database.transaction():
                action, situation = self._plan(session, turn)
                if action != question:
                    return Came()
                self._record.write(session, plan.beginning(session, action, situation))
            match question:
                case AskDates(message):
                    return await self._ask_dates(session, message)
                case FindIds(limit):
                    outcome = await self._heard(self._client.sessions(limit))
                    return consequences.of_ids(outcome, self.situation())
                case FindOrigin():
                    outcome = await self._heard(self._client.session_ids())
                    return consequences.of_list(outcome, self.situation())

    async def known_sessions(self) -> Collection[str] | None:
        """The sessions that the server has, as far as it says; None where it may yet say."""
        async with self._asking:
            match plan.next_question(self.situation()):
                case FindOrigin():
                    outcome = await self._heard(self._client.session_ids())
                    came = consequences.of_list(outcome, self.situation())
                case FindIds(limit):
                    outcome = await self._heard(self._client.sessions(limit))
                    came = consequences.of_ids(outcome, self.situation())
                case _:
                    came = Came()
            with self._database.transaction():
                self._record.write(None, came.changes)
            return plan.known(self.situation())

    async def _ask_dates(self, session: SyncState, message: Waiting) -> Came:
        outcome = await self._batch(session, [message])
        read = None
        if outcome.verdict is Verdict.DELIVERED:
            read = await self._heard(self._client.read_session(session.server_id or ""))
        return consequences.of_asking(session, message, outcome, read, self.situation())

    async def _read_back(self, session: SyncState, server_id: str) -> Judging:
        outcome = await self._heard(self._client.read_session(server_id))
        return lambda now: consequences.of_reading(
            session,
            server_id,
            outcome,
            self._outbox.fresh(session.id, limit=-1),
            now,
            taken=self._outbox.held_ids(session.id),
            is_whole=self._sessions.is_whole(session.id),
        )

    async def _send_each(self, session: SyncState, messages: Sequence[Waiting]) -> Judging:
        outcomes: list[Outcome] = []
        begun = 0
        try:
            for message in messages:
                if begun and plan.stops(self._between(session)):
                    break
                begun += 1
                outcomes.append(
                    await self._timed(self._client.message(body_of(message.wanted, session.dates)))
                )
                if not consequences.chain_goes_on(message, outcomes[-1]):
                    break
        except BaseException:
            came = consequences.of_messages(session, messages, outcomes, self.situation(), begun=begun)
            with self._database.transaction():
                self._record.write(session, came.changes)
            raise
        return partial(consequences.of_messages, session, messages, outcomes, begun=begun)

    async def _restore(self, session: SyncState, server_id: str) -> Judging:
        read = await self._heard(self._client.read_session(server_id))
        bodies = answers.search_text(read, session.external_id, self._outbox.searchable(session.id))
        outcomes: list[Outcome] = []
        for body in bodies.values():
            if plan.stops(self._between(session)):
                break
            outcomes.append(await self._heard(self._client.message(body)))
            if outcomes[-1].verdict is not Verdict.DELIVERED:
                break
        return partial(consequences.of_restoring, session, read, list(bodies), outcomes)

    async def _batch(self, session: SyncState, messages: Sequence[Waiting]) -> Outcome:
        bodies = [body_of(message.wanted, session.dates) for message in messages]
        return await self._heard(self._client.batch(bodies))

    async def _timed(self, request: Awaitable[Outcome]) -> Outcome:
        """As `_heard`, of a request small enough that its time tells how the server bears them."""
        begun = self._now()
        outcome = await self._heard(request)
        self._server.width = self._server.width.after(outcome, self._now() - begun)
        return outcome

    async def _heard(self, request: Awaitable[Outcome]) -> Outcome:
        outcome = await request
        self._server.heard(outcome)
        return outcome


def body_of(payload: bytes, dates: str | None) -> bytes:
    """The payload as it is sent to a session of these dates."""
    return as_server_dated(payload) if dates == "server" else payload
