"""Carries one session to the server: attempts are recorded before a request, its outcome after it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pi_opensync.deliver import plan
from pi_opensync.deliver.backoff import AMBIGUOUS_BATCH, delay
from pi_opensync.deliver.server import Server
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.compare import holds_session, on_server
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.opensync.payloads import as_server_dated
from pi_opensync.privacy.projects import Policy
from pi_opensync.store.database import Database
from pi_opensync.store.outbox import Outbox, Waiting, attempted
from pi_opensync.store.sessions import Session, Sessions

UNCLEAR_TRIES = 5  # failures without a reason until a row is parked
LOOK_AHEAD = plan.MAX_BATCH
ACTIONS_A_VISIT = 12  # then another session has its turn


class Events(Protocol):
    """What delivery tells whoever listens; never content."""

    def delivered(self, session: Session, messages: int) -> None: ...
    def parked(self, session: Session, external_id: str, reason: str) -> None: ...
    def failed(self, session: Session, reason: str) -> None: ...
    def away(self, kind: str, reason: str, seconds: float) -> None: ...
    def back(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: whether the session may go on, how many messages arrived.

    `record` writes it down, in the transaction in which the next action begins.
    """

    going: bool
    messages: int = 0
    record: Callable[[], None] = lambda: None


GOING, ENDED = Done(going=True), Done(going=False)


class Courier:
    def __init__(
        self,
        database: Database,
        client: Client,
        server: Server,
        events: Events,
        policy: Policy,
        *,
        dates: str,
        now: Callable[[], float],
        jitter: Callable[[], float],
        is_held: Callable[[], bool] = lambda: False,
    ) -> None:
        """While `is_held` no request is begun."""
        self._database = database
        self._sessions = Sessions(database)
        self._outbox = Outbox(database)
        self._client = client
        self._server = server
        self._events = events
        self._policy = policy
        self._dates = dates
        self._now = now
        self._jitter = jitter
        self._is_held = is_held
        self._asking = asyncio.Lock()
        self._known: set[str] | None = None

    async def visit(self, session_id: int) -> None:
        """Send what the session has to send now, and note when to look at it again.

        One transaction between two requests: what the last one brought, and what the next one may bring.
        """
        delivered = 0
        actions = 0
        done = GOING
        while True:
            with self._database.transaction():
                done.record()
                session = self._sessions.by_id(session_id)
                action = self._begin(session, last=actions == ACTIONS_A_VISIT) if done.going else None
            delivered += done.messages
            if action is None:
                break
            done = await self._perform(session, action)
            actions += 1
        if delivered:
            self._events.delivered(session, delivered)

    def _begin(self, session: Session, *, last: bool) -> plan.Action | None:
        """What to do next, recorded as attempted; None where the visit ends.

        To be called in a transaction.
        """
        if self._is_held():
            return None
        if session.excluded or self._stays_here(session):
            self._sessions.set_due(session.id, None)  # the next sweep takes it back
            return None
        action = self._next(session)
        if isinstance(action, plan.Wait | plan.Rest):
            self._sessions.set_due(session.id, action.until if isinstance(action, plan.Wait) else None)
            return None
        if last:
            self._sessions.set_due(session.id, self._now())  # behind the others that are due
            return None
        if isinstance(action, plan.SendBatch) and self._is_to_ask_dates(session):
            return plan.AskDates(action.messages[0])
        if isinstance(action, plan.SendSession):
            self._sessions.update(
                session.id,
                dates=session.dates or self._dates,
                attempted_digest=attempted(
                    session.wanted_digest, session.attempted_digest, session.acked_digest
                ),
                sent_at=self._now(),
                written_at=self._may_be_written_at(session),
            )
        elif isinstance(action, plan.SendEach | plan.SendBatch):
            self._attempt(session, action.messages)
        return action

    def _stays_here(self, session: Session) -> bool:
        """Whether the session was excluded after it was read."""
        return self._policy.reason(self._sessions.project(session.id)) is not None

    def _is_to_ask_dates(self, session: Session) -> bool:
        return session.dates != "server" and self._server.batch_keeps_dates() is None

    async def _perform(self, session: Session, action: plan.Action) -> Done:
        if isinstance(action, plan.FindOrigin):
            return await self._find_origin(session)
        if isinstance(action, plan.SendSession):
            return await self._send_session(session)
        if isinstance(action, plan.ReadBack):
            return GOING if await self._read_back(session) else ENDED
        if isinstance(action, plan.AskDates):
            return await self._ask_dates(session, action.message)
        if isinstance(action, plan.SendBatch):
            return await self._send_batch(session, action.messages)
        assert isinstance(action, plan.SendEach)  # noqa: S101 - waiting and resting end the visit
        return await self._send_each(session, action.messages)

    def _next(self, session: Session) -> plan.Action:
        return plan.next_action(
            session,
            self._outbox.fresh(session.id, LOOK_AHEAD),
            self._outbox.updates(session.id, 4),
            now=self._now(),
            skew=self._server.skew,
            may_batch=session.origin == "new"
            and (session.dates == "server" or self._server.batch_keeps_dates() is not False),
        )

    async def _find_origin(self, session: Session) -> Done:
        """Learn whether the server had the session before anything of it was sent from here."""
        known = await self.known_sessions()
        if known is None:
            return ENDED
        origin = "known" if session.external_id in known else "new"
        return Done(going=True, record=lambda: self._sessions.update(session.id, origin=origin))

    async def _send_session(self, session: Session) -> Done:
        outcome = await self._client.session(self._body(session.wanted, session.dates or self._dates))
        if not self._heard(outcome, writes=session):
            return ENDED
        if outcome.verdict is Verdict.DELIVERED:
            return Done(going=True, record=lambda: self._acknowledge_session(session, outcome))
        if outcome.verdict is Verdict.REFUSED or self._gives_up(outcome, session.failures):
            with self._database.transaction():
                self._sessions.update(session.id, parked=outcome.reason, due=None)
                self._server.note_error(outcome.reason)
            self._events.parked(session, session.external_id, outcome.reason)
            return ENDED
        self._fail_session(session, outcome)
        return GOING

    def _acknowledge_session(self, session: Session, outcome: Outcome) -> None:
        """To be called in a transaction."""
        server_id = outcome.body.get("sessionId")
        self._sessions.update(
            session.id,
            acked_digest=session.wanted_digest,
            attempted_digest=session.wanted_digest,
            acked_key=plan.update_key(session.wanted, session.acked_key),
            server_id=server_id if isinstance(server_id, str) else session.server_id,
            written_at=self._server.time(),
            failures=0,
            next_try=0.0,
        )
        self._server.note_success()

    def _fail_session(self, session: Session, outcome: Outcome) -> None:
        until = self._now() + delay(session.failures + 1, self._jitter(), retry_after=outcome.retry_after)
        with self._database.transaction():
            self._sessions.update(session.id, failures=session.failures + 1, next_try=until)
            self._server.note_error(outcome.reason)
        self._events.failed(session, outcome.reason)

    async def known_sessions(self) -> set[str] | None:
        """The sessions that the server had before this process sent any; None where it does not say."""
        async with self._asking:
            if self._known is None:
                outcome = await self._client.session_ids()
                if not self._heard(outcome):
                    return None
                listed = outcome.body.get("sessionIds")
                if outcome.verdict is not Verdict.DELIVERED or not isinstance(listed, list):
                    self._pause(
                        Outcome(Verdict.AWAY, outcome.reason or "the server does not list its sessions")
                    )
                    return None
                self._known = {item for item in listed if isinstance(item, str)}
            return self._known

    async def _read_back(self, session: Session) -> bool:
        """Count as delivered what the server holds of this session already."""
        outcome = await self._client.read_session(session.server_id or "")
        if not self._heard(outcome):
            return False
        stored = outcome.body.get("messages")
        if outcome.verdict is not Verdict.DELIVERED or not isinstance(stored, list):
            self._fail_session(session, outcome)
            return True
        with self._database.transaction():
            looked_for = self._outbox.fresh(session.id, limit=-1)
            there = on_server(
                stored,
                looked_for,
                taken=self._outbox.held_ids(session.id),
                server_dates=session.dates == "server",
            )
            self._outbox.checked(looked_for)
            self._outbox.acknowledge(there.same, self._server.time())
            self._outbox.held_otherwise(there.different, self._server.time())
            self._outbox.held_as(there.by_others)
            whole = self._sessions.is_whole(session.id)
            self._sessions.update(session.id, origin="read" if whole else "known", failures=0, next_try=0.0)
            if not holds_session(outcome.body.get("session"), session.wanted):
                self._sessions.update(session.id, acked_digest=b"")
        return True

    async def _send_each(self, session: Session, messages: Sequence[Waiting]) -> Done:
        arrived: list[Waiting] = []
        going = True
        try:
            for index, message in enumerate(messages):
                if index and (self._is_held() or self._stays_here(session)):
                    self._unattempt(messages[index:])
                    break
                outcome = await self._client.message(self._body(message.wanted, session.dates))
                if not self._heard(outcome, writes=session):
                    if not outcome.arrived:
                        self._unattempt(messages[index:])
                    going = False
                    break
                if outcome.verdict is Verdict.DELIVERED:
                    arrived.append(message)
                elif outcome.verdict is Verdict.REFUSED or self._gives_up(outcome, message.failures):
                    self._park(session, message, outcome.reason)
                else:
                    self._fail_messages(session, [message], outcome)
                    break
        except BaseException:
            with self._database.transaction():
                self._acknowledge(session, arrived)
            raise
        return self._arrived(session, arrived, going=going)

    def _arrived(self, session: Session, messages: Sequence[Waiting], *, going: bool = True) -> Done:
        return Done(going, len(messages), lambda: self._acknowledge(session, messages))

    async def _send_batch(self, session: Session, messages: Sequence[Waiting]) -> Done:
        outcome = await self._batch(session, messages)
        if not self._heard(outcome, writes=session):
            return ENDED
        stored = outcome.body.get("messages", len(messages))
        if outcome.verdict is Verdict.DELIVERED and stored == len(messages):
            return self._arrived(session, messages)
        if outcome.verdict is Verdict.DATES_REFUSED:
            self._server.learned_batch(keeps_dates=False)
        # Each of them goes alone from here: what is refused stands by itself, what was stored is mended.
        return GOING

    async def _ask_dates(self, session: Session, message: Waiting) -> Done:
        """Learn with one message whether a batch keeps its date; others wait for the answer."""
        async with self._asking:
            if self._server.batch_keeps_dates() is not None or self._is_held():
                return GOING
            with self._database.transaction():
                self._attempt(session, [message])
            outcome = await self._batch(session, [message])
            if not self._heard(outcome, writes=session):
                return ENDED
            if outcome.verdict is Verdict.DATES_REFUSED:
                self._server.learned_batch(keeps_dates=False)
                return GOING
            if outcome.verdict is not Verdict.DELIVERED:
                return GOING
            read = await self._client.read_session(session.server_id or "")
            stored = read.body.get("messages") if read.verdict is Verdict.DELIVERED else None
            self._server.learned_batch(
                keeps_dates=any(
                    isinstance(item, dict)
                    and item.get("externalId") == message.external_id
                    and item.get("createdAt") == message.created_at
                    for item in (stored if isinstance(stored, list) else ())
                )
            )
            return self._arrived(session, [message])

    async def _batch(self, session: Session, messages: Sequence[Waiting]) -> Outcome:
        outcome = await self._client.batch([self._body(m.wanted, session.dates) for m in messages])
        if outcome.verdict is Verdict.DATES_REFUSED or not outcome.arrived:
            self._unattempt(messages)
        elif outcome.verdict in (Verdict.AWAY, Verdict.PASSING, Verdict.UNCLEAR):
            with self._database.transaction():
                self._outbox.postpone(messages, self._now() + AMBIGUOUS_BATCH, failed=False)
        return outcome

    def _may_be_written_at(self, session: Session) -> float:
        """The latest moment, by the server's clock, at which it may have written the session."""
        return max(session.written_at or 0.0, self._server.time())

    def _attempt(self, session: Session, messages: Sequence[Waiting]) -> None:
        """To be called in a transaction."""
        self._outbox.attempt(messages)
        self._sessions.update(session.id, written_at=self._may_be_written_at(session))

    def _unattempt(self, messages: Sequence[Waiting]) -> None:
        with self._database.transaction():
            self._outbox.unattempt(messages)

    def _acknowledge(self, session: Session, messages: Sequence[Waiting]) -> None:
        """To be called in a transaction."""
        if messages:
            self._outbox.acknowledge(messages, self._server.time())
            self._sessions.update(session.id, written_at=self._may_be_written_at(session))
            self._server.note_success()

    def _park(self, session: Session, message: Waiting, reason: str) -> None:
        with self._database.transaction():
            self._outbox.park(message, reason)
            self._server.note_error(reason)
        self._events.parked(session, message.external_id, reason)

    def _fail_messages(self, session: Session, messages: Sequence[Waiting], outcome: Outcome) -> None:
        until = self._now() + delay(messages[0].failures + 1, self._jitter(), retry_after=outcome.retry_after)
        with self._database.transaction():
            self._outbox.postpone(messages, until, failed=True)
            self._server.note_error(outcome.reason)
        self._events.failed(session, outcome.reason)

    def _gives_up(self, outcome: Outcome, failures: int) -> bool:
        return outcome.verdict is Verdict.UNCLEAR and failures + 1 >= UNCLEAR_TRIES

    def _heard(self, outcome: Outcome, *, writes: Session | None = None) -> bool:
        """False where the outcome concerns every request: then nothing is sent for a while.

        `writes` is the session that the request was to change: one that failed may have been stored all the
        same, and as late as now.
        """
        self._server.heard(outcome)
        if writes is not None and outcome.verdict is not Verdict.DELIVERED and outcome.arrived:
            with self._database.transaction():
                self._sessions.update(writes.id, written_at=self._may_be_written_at(writes))
        if outcome.verdict in (Verdict.AWAY, Verdict.KEY_REFUSED):
            self._pause(outcome)
            return False
        ended = self._server.came_back()
        if ended is not None:
            self._events.back(self._now() - ended.since)
        return True

    def _pause(self, outcome: Outcome) -> None:
        pause = self._server.went_away(outcome)
        self._events.away(pause.kind, pause.reason, pause.until - self._now())

    def _body(self, payload: bytes, dates: str | None) -> bytes:
        return as_server_dated(payload) if dates == "server" else payload
