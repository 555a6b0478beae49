"""Delivery to a dashboard in this process: within the transaction that read what is sent, without requests.

What is decided stands in `plan` and `consequences`, as for a server. What the dashboard took is on its disk
before the transaction ends that forgets it: after a crash between the two it is read and put once more.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from pi_opensync.deliver import consequences
from pi_opensync.deliver.actions import FindOrigin, Request, SendBatch, SendEach, SendSession
from pi_opensync.deliver.changes import Report
from pi_opensync.deliver.record import note
from pi_opensync.deliver.send import BegunVisit, Heard, Judging, Sender, body_of
from pi_opensync.opensync.outcomes import Outcome
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import SyncState

ENOUGH = 8 << 20  # bytes put in one transaction


class Taking(Protocol):
    """A dashboard that takes what it is given; what it answers means what a server's answer does.

    Raises `StoreUnavailable` where its file can not be written.
    """

    def session(self, payload: bytes) -> Outcome: ...

    def messages(self, payloads: Sequence[bytes]) -> Outcome:
        """All of them are taken, or none."""

    def session_ids(self) -> Outcome: ...


class Inside(Protocol):
    """A dashboard in this process."""

    def taking(self) -> AbstractContextManager[Taking]:
        """What is taken in the block is on disk when it ends, or none of it is: then it raises."""

    def rest(self) -> None:
        """Nothing was handed over of late: there is time to tidy up. Does not raise."""


@dataclass(slots=True)
class Prepared:
    """What came of delivery in a transaction, to be told and begun once that is on disk."""

    reports: list[Report] = field(default_factory=list)
    visits: dict[int, BegunVisit] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.reports and not self.visits


class Hand:
    """Hands sessions over. To be used in a transaction."""

    def __init__(
        self, database: StateDatabase, sender: Sender, inside: Inside, *, now: Callable[[], float]
    ) -> None:
        self._database = database
        self._sender = sender
        self._inside = inside
        self._now = now

    def over(self, session_ids: Sequence[int], prepared: Prepared, room: int) -> None:
        """Hand these over, so many that it takes a moment; add what came of it to what is prepared.

        What only a request can do is begun, of `room` sessions at most. Raises `StoreUnavailable`: then
        nothing of the transaction may be kept.
        """
        size = 0
        with self._inside.taking() as taking:
            for session_id in session_ids:
                try:
                    with self._database.transaction():
                        begun = self._sender.begin(session_id)
                except StoreUnavailable:
                    if not self._database.is_in_transaction:
                        raise
                    return  # as where nobody can say what is excluded: what was read is kept
                report, begun, put = self._visit(begun, taking)
                prepared.reports.append(report)
                if isinstance(begun.action, Request):
                    prepared.visits[session_id] = begun
                size += put
                if size > ENOUGH or len(prepared.visits) >= room:
                    return

    def _visit(self, begun: BegunVisit, taking: Taking) -> tuple[Report, BegunVisit, int]:
        """What came of it, what is left to do by a request, and how many bytes were put."""
        report = Report(begun.session)
        turn = size = 0
        while isinstance(begun.action, Request):
            answer = self._answer(begun.session, begun.action, taking)
            if answer is None:
                break
            judge, put = answer
            turn += 1
            size += put
            begun = self._sender.go_on(begun.session, Heard(judge, self._now(), 0.0), turn)
            note(report, begun.came.changes)
        return report, begun, size

    def _answer(self, session: SyncState, action: Request, taking: Taking) -> tuple[Judging, int] | None:
        """What the dashboard's answer means, and the bytes it was given; None where it must be asked."""
        match action:
            case FindOrigin():
                return partial(consequences.of_list, taking.session_ids()), 0
            case SendSession(_, dates):
                outcome = taking.session(body_of(session.wanted, dates))
                return partial(consequences.of_session, session, outcome), len(session.wanted)
            case SendBatch(messages):
                bodies = _bodies(session, messages)
                outcome = taking.messages(bodies)
                return partial(consequences.of_batch, session, messages, outcome), sum(map(len, bodies))
            case SendEach(messages):
                return self._one_by_one(session, messages, taking)
            case _:
                return None

    def _one_by_one(
        self, session: SyncState, messages: Sequence[Waiting], taking: Taking
    ) -> tuple[Judging, int]:
        outcomes: list[Outcome] = []
        size = 0
        for message, body in zip(messages, _bodies(session, messages), strict=True):
            outcomes.append(taking.messages([body]))
            size += len(body)
            if not consequences.chain_goes_on(message, outcomes[-1]):
                break
        judge = partial(consequences.of_messages, session, messages, outcomes, begun=len(outcomes))
        return judge, size


def _bodies(session: SyncState, messages: Iterable[Waiting]) -> list[bytes]:
    return [body_of(message.wanted, session.dates) for message in messages]
