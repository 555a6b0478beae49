"""Changes written to the store, each in the way that it says; a change decides nothing."""

from collections.abc import Sequence

from pi_opensync.deliver.changes import (
    Acknowledge,
    AcknowledgeSession,
    Attempt,
    AttemptSession,
    BeginPause,
    Change,
    Due,
    EndPause,
    Fail,
    FailSession,
    GiveUpReading,
    LearnBatch,
    LearnIds,
    LearnListed,
    LearnMessages,
    LearnRows,
    MayBeWritten,
    Park,
    ParkSession,
    Postpone,
    ReadThere,
    Report,
    Restored,
    Unattempt,
)
from pi_opensync.deliver.server import Server
from pi_opensync.opensync.limits import update_key
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Outbox, attempted
from pi_opensync.store.sessions import SyncState, SyncStates


class Record:
    def __init__(self, database: StateDatabase, server: Server) -> None:
        self._sessions = SyncStates(database)
        self._outbox = Outbox(database)
        self._server = server

    def write(self, session: SyncState | None, changes: Sequence[Change]) -> None:
        """To be called in a transaction; `session` as it was when what they came of was begun, if any was."""
        for change in changes:
            if session is not None:
                self._of_session(session, change)
                self._of_search(session, change)
            self._of_messages(change)
            self._of_server(change)

    def _of_session(self, session: SyncState, change: Change) -> None:  # noqa: C901 - a case a change
        update = self._sessions.update
        match change:
            case Due(at):
                self._sessions.set_due(session.id, at)
            case AttemptSession(origin, dates, at, written_at):
                digest = attempted(session.wanted_digest, session.attempted_digest, session.acked_digest)
                update(
                    session.id,
                    origin=origin,
                    dates=dates,
                    attempted_digest=digest,
                    sent_at=at,
                    written_at=written_at,
                )
            case AcknowledgeSession(server_id, written_at, is_retitled):
                if is_retitled:
                    update(session.id, retitled=1)
                update(
                    session.id,
                    acked_digest=session.wanted_digest,
                    attempted_digest=session.wanted_digest,
                    acked_key=update_key(session.wanted, session.acked_key),
                    server_id=server_id,
                    written_at=written_at,
                    failures=0,
                    next_try=0.0,
                )
            case Attempt(_, at) | MayBeWritten(at) | Acknowledge(_, at):
                update(session.id, written_at=at)
            case ReadThere():
                self._read(session, change)
            case Restored(_, is_over, written_at):
                update(session.id, retitled=int(not is_over), written_at=written_at, failures=0, next_try=0.0)
            case GiveUpReading():
                update(session.id, origin="unread", failures=0, next_try=0.0)
            case ParkSession(reason):
                update(session.id, parked=reason, due=None)
            case FailSession(until, _):
                update(session.id, failures=session.failures + 1, next_try=until)
            case _:
                pass

    def _read(self, session: SyncState, found: ReadThere) -> None:
        self._sessions.update(
            session.id,
            server_id=found.server_id,
            origin=found.origin,
            dates=found.dates,
            failures=0,
            next_try=0.0,
        )
        if found.held_row is None:
            return
        held = session.wanted_digest if found.holds_wanted else b""
        self._sessions.update(session.id, acked_digest=held, acked_key=found.held_row)
        if session.attempted_digest is None:
            self._sessions.update(session.id, attempted_digest=held, written_at=found.written_at)

    def _of_search(self, session: SyncState, change: Change) -> None:
        match change:
            case AcknowledgeSession(is_retitled=True):
                self._outbox.search_emptied(session.id)
            case Restored(external_ids):
                self._outbox.search_filled(session.id, external_ids)
            case _:
                pass

    def _of_messages(self, change: Change) -> None:
        match change:
            case Attempt(messages, _):
                self._outbox.attempt(messages)
            case Unattempt(messages):
                self._outbox.unattempt(messages)
            case Acknowledge(messages, at):
                self._outbox.acknowledge(messages, at)
            case ReadThere():
                self._outbox.checked(change.looked_for)
                self._outbox.acknowledge(change.same, change.at)
                self._outbox.held_otherwise(change.different, change.at)
                self._outbox.held_as(change.by_others)
            case Park(message, reason):
                self._outbox.park(message, reason)
            case Fail(messages, until, _):
                self._outbox.postpone(messages, until, failed=True)
            case Postpone(messages, until):
                self._outbox.postpone(messages, until, failed=False)
            case _:
                pass

    def _of_server(self, change: Change) -> None:
        match change:
            case Acknowledge() | AcknowledgeSession():
                self._server.note_success()
            case ParkSession(reason) | Park(_, reason) | FailSession(_, reason) | Fail(_, _, reason):
                self._server.note_error(reason)
            case LearnBatch(learned):
                self._server.learned_batch(learned)
            case LearnListed(listed):
                self._server.listed = listed
            case LearnIds(ids, tries):
                self._server.ids, self._server.ids_tries = ids, tries
            case LearnRows(streak):
                self._server.rows = streak
            case LearnMessages(streak):
                self._server.messages = streak
            case BeginPause(pause):
                self._server.set_pause(pause)
            case EndPause():
                self._server.set_pause(None)
            case _:
                pass


def note(report: Report, changes: Sequence[Change]) -> None:
    """Add to the report what the changes tell of what happened."""
    for change in changes:
        match change:
            case Acknowledge(messages, _):
                report.delivered += len(messages)
            case ParkSession(reason):
                report.parked.append((report.session.external_id, reason))
            case Park(message, reason):
                report.parked.append((message.external_id, reason))
            case FailSession(_, reason) | Fail(_, _, reason):
                report.failed.append(reason)
            case BeginPause(pause):
                report.away = pause
            case EndPause(after):
                report.back_after = after
            case _:
                pass
