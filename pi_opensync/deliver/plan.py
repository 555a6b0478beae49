"""What is to be done next, every case of it. Pure: rows and a situation in, one action out.

What an answer means afterwards stands in `consequences`.
"""

from collections.abc import Collection, Sequence
from itertools import takewhile

from pi_opensync.deliver.actions import (
    Action,
    AskDates,
    FindIds,
    FindOrigin,
    Hold,
    Pause,
    ReadBack,
    Rest,
    RestoreSearch,
    SendBatch,
    SendEach,
    SendSession,
    Situation,
    Wait,
)
from pi_opensync.deliver.changes import Attempt, AttemptSession, Change, Due
from pi_opensync.deliver.width import WIDEST
from pi_opensync.opensync.limits import (
    CLOCK_MARGIN,
    LISTABLE,
    MAX_BATCH,
    MAX_BATCH_BYTES,
    MESSAGE_WINDOW,
    SESSION_WINDOW,
    would_be_dropped,
)
from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import SyncState

SESSION_PERIOD = 10.0  # at most one update of a session in this time, which costs the deployment a model call
MAX_CHAIN = 32  # messages sent one after another between two looks at the store
TURN = 12  # actions of a session; then another has its turn
PAUSE_LOOK = 2.0  # seconds until it is looked whether the user resumed
WIDER_LOOK = 0.1  # seconds until it is looked whether more may go side by side, as answers tell
LONGEST_SLEEP = 20.0  # seconds; a clock that is set back must not stop delivery
LISTING_HOLDS = 60.0  # seconds until another machine may have sent what was not there
ASK_AGAIN = 24 * 3600.0  # seconds until a server is asked again whether its batch keeps dates


def next_action(
    session: SyncState, fresh: Sequence[Waiting], updates: Sequence[Waiting], now: Situation
) -> Action:
    """The session row first, then what was never sent in order, then newer versions, then rest.

    `fresh` are the messages that the server acknowledged in no version, in order; `updates` the others.
    """
    if now.is_held or _is_away(now):
        return Hold()  # it stays due, for when the pause ends
    if session.excluded or now.stays_here:
        return Rest()  # the next sweep takes back what waits of it
    if session.parked is not None:
        return Rest()  # no message without its session
    action = _of_session(session, now) or _of_messages(session, fresh, updates, now)
    if now.turn >= TURN and not isinstance(action, Wait | Rest):
        return Wait(now.now)  # behind the others that are due
    return action


def next_question(now: Situation) -> FindOrigin | FindIds | None:
    """What to ask to learn which sessions the server has; None where there is nothing to ask now."""
    if now.listed is not None and now.listed.sessions is not None:
        return None
    if now.listed is not None and now.listed.is_given_up and now.ids is None:
        return _find_ids(now)
    return FindOrigin() if now.listed is None or now.listed.again <= now.now else None


def _find_ids(now: Situation) -> FindIds:
    """A large account is asked for fewer of its sessions after each failure."""
    return FindIds(LISTABLE[min(now.ids_tries, len(LISTABLE) - 1)])


def known(now: Situation) -> Collection[str] | None:
    """The sessions that the server has, as far as it says; None where it may yet say."""
    if now.listed is not None and now.listed.sessions is not None:
        return now.listed.sessions
    return now.ids if now.listed is not None and now.listed.is_given_up else None


def stops(now: Situation) -> bool:
    """Whether a chain of messages ends before its next one."""
    return now.is_held or now.stays_here or _is_away(now)


def room(under_way: int, now: Situation) -> int:
    """How many more sessions may be begun beside those that are under way."""
    return 0 if now.is_held or _is_away(now) else _side_by_side(now) - under_way


def next_start(due: float | None, pause: Pause | None) -> float | None:
    """When something is to be begun next, of what is due at `due`; None where nothing is left."""
    return due if due is None or pause is None else max(due, pause.until)


def patience(start: float | None, under_way: int, now: Situation) -> float:
    """Seconds until something may be begun that no event announces; `start` as from `next_start`."""
    if start is None:
        return LONGEST_SLEEP
    if under_way >= _side_by_side(now):
        return WIDER_LOOK if now.pause is None and now.side_by_side < WIDEST else LONGEST_SLEEP
    return PAUSE_LOOK if now.is_held else min(max(start - now.now, 0.0), LONGEST_SLEEP)


def beginning(session: SyncState, action: Action, now: Situation) -> list[Change]:
    """What is to be on disk before the action begins: an attempt, or when the session is due again."""
    written_at = max(session.written_at or 0.0, now.server_now)
    match action:
        case SendSession(origin, dates):
            return [AttemptSession(origin, dates, now.now, written_at)]
        case SendEach(messages) | SendBatch(messages):
            return [Attempt(messages, written_at)]
        case AskDates(message):
            return [Attempt([message], written_at)]
        case Wait(until):
            return [Due(until)]
        case Rest():
            return [Due(None)]
        case _:
            return []


def _is_away(now: Situation) -> bool:
    return now.pause is not None and now.pause.until > now.now


def _side_by_side(now: Situation) -> int:
    # One request tells whether a server that was away is back; more would only be turned away.
    return now.side_by_side if now.pause is None else 1


def _of_session(session: SyncState, now: Situation) -> Action | None:
    """What must come before any message."""
    if session.acked_digest is not None:
        return None
    at = max(session.next_try, _first_session_at(session, now))
    if at > now.now:
        return Wait(at)
    origin = session.origin or _origin(session, now)
    if origin is None:
        again = now.listed.again if now.listed is not None else 0.0
        return FindOrigin() if again <= now.now else Wait(again)
    if origin == "known" and session.attempted_digest is None:
        # A row that is equal already is left alone: every write puts its session on top of the dashboard.
        server_id = session.server_id or (now.ids or {}).get(session.external_id)
        if server_id is not None:
            return ReadBack(server_id)
        if now.ids is None:
            return _find_ids(now)
    return SendSession(origin, session.dates or now.dates)


def _origin(session: SyncState, now: Situation) -> str | None:
    """Whether the server had the session before us; None: it is to be asked. Not knowing counts as yes."""
    if now.listed is None:
        return None
    if now.listed.sessions is not None:
        if session.external_id in now.listed.sessions:
            return "known"
        # Another machine may have sent it since, and a batch would take the parts of its messages.
        is_old = not 0 <= now.now - now.listed.at < LISTING_HOLDS
        return None if is_old and _may_batch(session, now) is not False else "new"
    return "known" if now.listed.is_given_up and now.now < now.listed.again else None


def _of_messages(
    session: SyncState, fresh: Sequence[Waiting], updates: Sequence[Waiting], now: Situation
) -> Action:
    if session.origin == "known" and session.server_id and not all(message.checked for message in fresh):
        # What another program sent under other ids must not stand there twice.
        return ReadBack(session.server_id) if session.next_try <= now.now else Wait(session.next_try)
    waits: list[float] = []
    if session.acked_digest != session.wanted_digest or _another_may_be_there(session):
        at = max(session.next_try, _session_update_at(session, now))
        if at <= now.now:
            return SendSession(session.origin or "known", session.dates or now.dates)
        waits.append(at)
    ready = _ready(session, fresh, now)
    if ready:
        return _send(session, ready, now)
    waits.extend(_message_at(session, message, now) for message in fresh[:1])
    for update in updates:
        at = _message_at(session, update, now)
        if at <= now.now:
            return SendEach([update])
        waits.append(at)
    if waits:
        return Wait(min(waits))
    return _search(session, now) or Rest()


def _search(session: SyncState, now: Situation) -> Action | None:
    """Once all is delivered: what the session's new title emptied on the server."""
    if not session.retitled or session.server_id is None:
        return None
    at = max(session.next_try, (session.written_at or 0.0) + MESSAGE_WINDOW + CLOCK_MARGIN - now.skew)
    return RestoreSearch(session.server_id) if at <= now.now else Wait(at)


def _first_session_at(session: SyncState, now: Situation) -> float:
    """Now, unless another version of the row may have arrived: then outside the window behind it.

    It may have been stored as late as the request ended.
    """
    if session.attempted_digest in (None, session.wanted_digest):
        return 0.0
    latest = max(session.sent_at or 0.0, (session.written_at or 0.0) - now.skew)
    return latest + SESSION_WINDOW + CLOCK_MARGIN


def _another_may_be_there(session: SyncState) -> bool:
    """Whether an attempt without an answer may have stored what is neither wanted nor acknowledged."""
    return session.attempted_digest not in (session.acked_digest, session.wanted_digest)


def _session_update_at(session: SyncState, now: Situation) -> float:
    at = (session.sent_at or 0.0) + SESSION_PERIOD
    window = session_window(session)
    return at if window is None else max(at, window + CLOCK_MARGIN - now.skew)


def session_window(session: SyncState) -> float | None:
    """Until when the server drops this update of the row, by its clock; None where it takes it at once."""
    is_taken_at_once = (
        session.acked_key is not None
        and not _another_may_be_there(session)
        and not would_be_dropped(session.acked_key, session.wanted)
    )
    return None if is_taken_at_once else (session.written_at or 0.0) + SESSION_WINDOW


def _message_at(session: SyncState, message: Waiting, now: Situation) -> float:
    """When the message may be sent: after a failure's wait, and outside the server's window for updates."""
    window = message_window(session, message)
    return message.next_try if window is None else max(message.next_try, window + CLOCK_MARGIN - now.skew)


def message_window(session: SyncState, message: Waiting) -> float | None:
    """Until when the server drops an update of the message, by its clock; None where this is no update."""
    stored_other = message.acked_digest is not None or (
        message.attempted_digest is not None and message.attempted_digest != message.wanted_digest
    )
    if not stored_other:
        return None
    dated = (
        message.created_at / 1000
        if session.dates != "server"
        else message.acked_at or session.written_at or 0.0
    )
    return dated + MESSAGE_WINDOW


def _ready(session: SyncState, fresh: Sequence[Waiting], now: Situation) -> list[Waiting]:
    """The messages to send now, in order; one that waits for the server's window holds back no other."""
    in_turn = takewhile(lambda message: message.next_try <= now.now, fresh)
    return [message for message in in_turn if _message_at(session, message, now) <= now.now]


def _send(session: SyncState, ready: list[Waiting], now: Situation) -> Action:
    if now.pause is not None:
        return SendEach(ready[:1])  # it tells whether the server is back, for all
    keeps_dates = _may_batch(session, now)
    is_ours = session.origin == "new" and now.server_now - (session.written_at or 0.0) < LISTING_HOLDS
    if not is_ours or keeps_dates is False:
        # A message that exists loses its parts in a batch. None exists in a session that the server never had
        # before us, and that we are at work on; later another machine may have gone on with it.
        return SendEach(ready[:MAX_CHAIN])
    batch: list[Waiting] = []
    size = 0
    for message in takewhile(lambda message: not message.may_be_there, ready[:MAX_BATCH]):
        size += len(message.wanted) + 1
        if batch and size > MAX_BATCH_BYTES:
            break
        batch.append(message)
    if len(batch) > 1:
        return SendBatch(batch) if keeps_dates else AskDates(batch[0])
    return SendEach(list(takewhile(lambda message: message.may_be_there, ready[:MAX_CHAIN])) or ready[:1])


def _may_batch(session: SyncState, now: Situation) -> bool | None:
    """None where the server was not asked for a day whether its batch keeps dates: a later one may."""
    if (session.dates or now.dates) == "server":
        return True
    if now.batch is None or not 0 <= now.now - now.batch.at < ASK_AGAIN:
        return None
    return now.batch.keeps_dates
