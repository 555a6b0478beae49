"""What an answer means for the rows and for what is sent next, every case of it. Pure.

Each function takes the situation as it is after the answer. Rule: what may have been stored stays attempted,
what was certainly not is given back; one bad record is parked and holds back no other.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from pi_opensync.deliver.actions import Learned, Pause, ServerListing, Situation, Streak
from pi_opensync.deliver.backoff import AMBIGUOUS_BATCH, delay
from pi_opensync.deliver.changes import (
    Acknowledge,
    AcknowledgeSession,
    BeginPause,
    Came,
    Change,
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
    Restored,
    Unattempt,
)
from pi_opensync.deliver.plan import message_window, session_window
from pi_opensync.opensync import answers
from pi_opensync.opensync.compare import holds_session, on_server
from pi_opensync.opensync.limits import LISTABLE, changes_title
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import SyncState

UNCLEAR_TRIES = 5  # failures without a reason until a row is parked
KEY_PAUSE = 600.0  # seconds until a refused key is tried again
LIST_TRIES = 3  # failures until the list of sessions is done without
READ_TRIES = 2  # failures until a session is done without being read back
READ_TRIES_AWAY = 5  # the same where the server seemed to be away: an outage passes
LIST_AGAIN = 3600.0  # seconds until the list is asked for again
SEVERAL_SESSIONS = 3  # that fail with none that succeeds between: something is wrong with all of them
SEVERAL_FAILURES = 8  # the same, of fewer sessions


def of_list(outcome: Outcome, now: Situation) -> Came:
    """The server was asked which sessions it has. Of a large account it never says: that stops no write."""
    changes, stop = _of_any(outcome, now)
    listed = answers.listed(outcome)
    if listed is not None:
        return _came([*changes, LearnListed(ServerListing(listed, now.now))])
    if outcome.verdict is Verdict.KEY_REFUSED:
        return _came(changes, goes_on=False)
    failures = (now.listed.failures if now.listed else 0) + 1
    is_given_up = failures >= (READ_TRIES_AWAY if stop else LIST_TRIES)
    wait = LIST_AGAIN if is_given_up else delay(failures, now.jitter, retry_after=outcome.retry_after)
    unknown = ServerListing(None, now.now, failures, now.now + wait, is_given_up=is_given_up)
    return _came([*changes, LearnListed(unknown)], goes_on=not stop)


def of_ids(outcome: Outcome, now: Situation) -> Came:
    """The server was asked for its own ids of sessions; without them a row is sent before it is read back."""
    changes, stop = _of_any(outcome, now)
    if outcome.verdict is Verdict.KEY_REFUSED:
        return _came(changes, goes_on=False)
    ids, tries = answers.server_ids(outcome), now.ids_tries + 1
    learned = LearnIds(ids or {}) if ids is not None or tries >= len(LISTABLE) else LearnIds(None, tries)
    return _came([*changes, learned], goes_on=not stop)


def of_session(session: SyncState, outcome: Outcome, now: Situation) -> Came:
    """The row was sent."""
    if outcome.verdict is Verdict.DELIVERED:
        changes, _stop = _of_any(outcome, now)
        server_id = answers.session_id(outcome) or session.server_id
        succeeded = LearnRows(Streak(has_succeeded=True))
        if session.acked_key is not None and _was_dropped(session_window(session), outcome):
            return _came([*changes, succeeded])
        is_retitled = session.acked_key is not None and changes_title(session.acked_key, session.wanted)
        return _came([*changes, succeeded, AcknowledgeSession(server_id, now.server_now, is_retitled)])
    changes, stop = _of_failure(session, outcome, now)
    if stop:
        return _came(changes, goes_on=False)
    streak = _longer(now.rows, session, outcome)
    changes.append(LearnRows(streak))
    if _fails_for_all(streak) or (outcome.verdict is Verdict.UNCLEAR and not streak.has_succeeded):
        # No row was ever taken, or several are not: this one is not the reason. Others are tried first.
        pause = _pause(outcome, now)
        behind = FailSession(pause.until + delay(1, now.jitter), outcome.reason)
        return Came([*_still(changes), behind, BeginPause(pause)], goes_on=False)
    if _is_given_up(outcome, session.failures):
        return _came([*changes, ParkSession(outcome.reason)], goes_on=False)
    return _came([*changes, _failed_session(session, outcome, now)])


def of_reading(
    session: SyncState,
    server_id: str,
    outcome: Outcome,
    waiting: Sequence[Waiting],
    now: Situation,
    *,
    taken: AbstractSet[str],
    is_whole: bool,
) -> Came:
    """The session was read back; `waiting` are its messages that the server acknowledged in no version.

    `taken` are the ids of others' messages that count as ours already; `is_whole`: its file was read to
    the end, so that nothing more of what others sent can turn up.
    """
    changes, stop = _of_any(outcome, now)
    stored = answers.stored_messages(outcome)
    if stored is None:
        return _came([*changes, *_of_failed_reading(session, outcome, now)], goes_on=not stop)
    dates = session.dates or now.dates
    there = on_server(stored, waiting, taken=taken, server_dates=dates == "server")
    row = answers.stored_session(outcome)
    found = ReadThere(
        server_id,
        waiting,
        there.same,
        there.different,
        there.by_others,
        held_row=None if row is None else answers.held_key(row),
        holds_wanted=holds_session(row, session.wanted),
        written_at=None if row is None else answers.updated_at(row),
        origin="read" if is_whole else "known",
        dates=dates,
        at=now.server_now,
    )
    return _came([*changes, found])


def _of_failed_reading(session: SyncState, outcome: Outcome, now: Situation) -> list[Change]:
    """A session too large to be read back, or a server that can not: that stops no write for long."""
    if outcome.verdict is Verdict.KEY_REFUSED:
        return []
    tries = READ_TRIES_AWAY if outcome.verdict is Verdict.AWAY else READ_TRIES
    if session.failures + 1 >= tries:
        return [GiveUpReading()]
    return [_failed_session(session, outcome, now)]


def of_restoring(
    session: SyncState, read: Outcome, asked: Sequence[str], outcomes: Sequence[Outcome], now: Situation
) -> Came:
    """The session was read back, and the messages `asked` were put again, so many as answered `outcomes`."""
    last = outcomes[-1] if outcomes else read
    changes, stop = _of_failure(session, last, now)
    answered = zip(asked, outcomes, strict=False)
    put = [external_id for external_id, outcome in answered if outcome.verdict is Verdict.DELIVERED]
    if last.verdict is Verdict.DELIVERED:
        return _came([*changes, Restored(put, len(put) == len(asked), now.server_now)])
    if last.verdict is Verdict.KEY_REFUSED:
        return _came(changes, goes_on=False)
    tries = READ_TRIES_AWAY if last.verdict is Verdict.AWAY else READ_TRIES
    is_given_up = session.failures + 1 >= tries  # what is too large to be read back is done without
    changes.append(Restored(put, is_given_up, now.server_now))
    if not is_given_up:
        changes.append(_failed_session(session, last, now))
    return _came(changes, goes_on=not stop)


def of_messages(
    session: SyncState,
    messages: Sequence[Waiting],
    outcomes: Sequence[Outcome],
    now: Situation,
    *,
    begun: int,
) -> Came:
    """The first `begun` of the messages were sent one after another, and so many answered as `outcomes`."""
    changes: list[Change] = []
    arrived: list[Waiting] = []
    streak = now.messages
    goes_on = True
    unsent = begun
    for message, outcome in zip(messages, outcomes, strict=False):
        if outcome.verdict is Verdict.DELIVERED:
            changes += _of_any(outcome, now)[0]
            if not _was_dropped(message_window(session, message), outcome):
                arrived.append(message)
            streak = Streak(has_succeeded=True)
            continue
        heard, stop = _of_failure(session, outcome, now)
        changes += heard
        if stop:
            goes_on = False
            unsent = begun if outcome.arrived else begun - 1
            continue
        streak = _longer(streak, session, outcome)
        if _fails_for_all(streak):
            changes = [*_still(changes), _failed(message, outcome, now), BeginPause(_pause(outcome, now))]
            goes_on = False
        elif _is_given_up(outcome, message.failures):
            changes.append(Park(message, outcome.reason))
        else:
            changes.append(_failed(message, outcome, now))
    changes.append(LearnMessages(streak))
    if arrived:
        changes.append(Acknowledge(arrived, now.server_now))
    if messages[unsent:]:
        changes.append(Unattempt(messages[unsent:]))
    return _came(changes, goes_on=goes_on)


def _was_dropped(window: float | None, outcome: Outcome) -> bool:
    """Whether the server passed an update over in silence: our clock had been set, and misled us."""
    return window is not None and outcome.server_time is not None and outcome.server_time < window


def chain_goes_on(message: Waiting, outcome: Outcome) -> bool:
    """Whether the message behind this one may be sent: it arrived, or never will."""
    return outcome.verdict is Verdict.DELIVERED or _is_given_up(outcome, message.failures)


def of_batch(session: SyncState, messages: Sequence[Waiting], outcome: Outcome, now: Situation) -> Came:
    """The messages were sent at once.

    Where they were not all stored each goes alone from here: what is refused stands by itself, and what
    was stored is mended.
    """
    changes, stop = _of_failure(session, outcome, now)
    if outcome.verdict in (Verdict.DATES_REFUSED, Verdict.KEY_REFUSED) or not outcome.arrived:
        changes.append(Unattempt(messages))
    elif outcome.verdict in (Verdict.AWAY, Verdict.PASSING, Verdict.UNCLEAR):
        changes.append(Postpone(messages, now.now + AMBIGUOUS_BATCH))  # it may still be running there
    if outcome.verdict is Verdict.DATES_REFUSED:
        changes.append(LearnBatch(Learned(keeps_dates=False, at=now.now)))
    if answers.batch_stored(outcome, len(messages)):
        changes.append(Acknowledge(messages, now.server_now))
    return _came(changes, goes_on=not stop)


def of_asking(
    session: SyncState, message: Waiting, outcome: Outcome, read: Outcome | None, now: Situation
) -> Came:
    """The message was sent as a batch of one, and read back where that was accepted (`read`)."""
    came = of_batch(session, [message], outcome, now)
    if read is None:
        return came
    keeps_dates = answers.keeps_date(read, message.external_id, message.created_at)
    return _came([*came.changes, LearnBatch(Learned(keeps_dates, now.now))], goes_on=came.goes_on)


def _of_any(outcome: Outcome, now: Situation) -> tuple[list[Change], bool]:
    """What an answer says of the server; true where it concerns every request, and the visit ends."""
    if outcome.verdict in (Verdict.AWAY, Verdict.KEY_REFUSED):
        return [BeginPause(_pause(outcome, now))], True
    if now.pause is None or now.pause.until > now.now:
        return [], False  # no pause, or one that began after this request did
    return [EndPause(now.now - now.pause.since)], False


def _came(changes: Sequence[Change], *, goes_on: bool = True) -> Came:
    """The first answer after a pause ends the visit, so that the other sessions may begin."""
    return Came(changes, goes_on and not any(isinstance(change, EndPause) for change in changes))


def _of_failure(session: SyncState, outcome: Outcome, now: Situation) -> tuple[list[Change], bool]:
    """As `_of_any`, of a write that may have failed: it may have been stored all the same, as late as now."""
    changes, stop = _of_any(outcome, now)
    if outcome.verdict is not Verdict.DELIVERED and outcome.arrived:
        changes.append(MayBeWritten(max(session.written_at or 0.0, now.server_now)))
    return changes, stop


def _longer(streak: Streak, session: SyncState, outcome: Outcome) -> Streak:
    if outcome.verdict not in (Verdict.PASSING, Verdict.UNCLEAR):
        return streak  # what is refused for a reason says nothing of the others
    return Streak(streak.failures + 1, streak.sessions | {session.id}, streak.has_succeeded)


def _fails_for_all(streak: Streak) -> bool:
    return len(streak.sessions) >= SEVERAL_SESSIONS or streak.failures >= SEVERAL_FAILURES


def _still(changes: Sequence[Change]) -> list[Change]:
    """Without the end of the pause: the server answers, and takes nothing."""
    return [change for change in changes if not isinstance(change, EndPause)]


def _pause(outcome: Outcome, now: Situation) -> Pause:
    """Longer with every failure in a row, or as the server asked."""
    before = now.pause
    if before is not None and before.until > now.now:
        return before  # this was one of several requests that were under way
    failures = (before.failures if before else 0) + 1
    since = before.since if before else now.now
    if outcome.verdict is Verdict.KEY_REFUSED:
        return Pause("key refused", outcome.reason, failures, now.now + KEY_PAUSE, since)
    wait = delay(failures, now.jitter, retry_after=outcome.retry_after)
    return Pause("away", outcome.reason, failures, now.now + wait, since)


def _is_given_up(outcome: Outcome, failures: int) -> bool:
    """Whether a row is parked: it will never be accepted, or failed too often without a reason."""
    return outcome.verdict is Verdict.REFUSED or (
        outcome.verdict is Verdict.UNCLEAR and failures + 1 >= UNCLEAR_TRIES
    )


def _failed_session(session: SyncState, outcome: Outcome, now: Situation) -> FailSession:
    wait = delay(session.failures + 1, now.jitter, retry_after=outcome.retry_after)
    return FailSession(now.now + wait, outcome.reason)


def _failed(message: Waiting, outcome: Outcome, now: Situation) -> Fail:
    wait = delay(message.failures + 1, now.jitter, retry_after=outcome.retry_after)
    return Fail([message], now.now + wait, outcome.reason)
