"""What a session needs next. Pure: rows and clocks in, one action out.

All times in seconds since the epoch by our clock; `skew` is the server's clock minus ours.
"""

import json
from dataclasses import dataclass
from itertools import takewhile

from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import Session

SESSION_PERIOD = 10.0  # at most one update of a session in this time
SESSION_WINDOW = 10.0  # the server drops an update without news this soon after its last write
MESSAGE_WINDOW = 5.0  # the server drops an update of a message whose date is this close to its clock
CLOCK_MARGIN = 1.5  # the Date header names whole seconds
MAX_BATCH = 100  # messages
MAX_BATCH_BYTES = 1 << 20
_KEY_FIELDS = ("title", "model", "projectPath", "promptTokens", "completionTokens")
MAX_CHAIN = 32  # messages sent one after another between two looks at the store


@dataclass(frozen=True, slots=True)
class FindOrigin:
    """Ask whether the server had the session before us."""


@dataclass(frozen=True, slots=True)
class SendSession:
    """Put the session row."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Ask what the server holds of a session that somebody else sent."""


@dataclass(frozen=True, slots=True)
class SendEach:
    """Put these messages one after another."""

    messages: list[Waiting]


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Put these messages at once; none of them was ever attempted."""

    messages: list[Waiting]


@dataclass(frozen=True, slots=True)
class AskDates:
    """Put one message by a batch, to learn whether it keeps dates."""

    message: Waiting


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is left to do."""


Action = FindOrigin | SendSession | ReadBack | SendEach | SendBatch | AskDates | Wait | Rest


def next_action(  # noqa: PLR0911 - a line a case
    session: Session,
    fresh: list[Waiting],
    updates: list[Waiting],
    *,
    now: float,
    skew: float,
    may_batch: bool,
) -> Action:
    """The session row first, then what was never sent in order, then newer versions, then rest.

    `fresh` are the messages that the server acknowledged in no version, in order; `updates` the others.
    """
    if session.parked is not None:
        return Rest()
    if session.acked_digest is None:
        at = max(session.next_try, _first_session_at(session))
        if at > now:
            return Wait(at)
        return SendSession() if session.origin is not None else FindOrigin()
    if session.origin == "known" and not all(message.checked for message in fresh):
        return ReadBack() if session.next_try <= now else Wait(session.next_try)
    waits: list[float] = []
    if session.acked_digest != session.wanted_digest or _another_may_be_there(session):
        at = max(session.next_try, _session_update_at(session, skew))
        if at <= now:
            return SendSession()
        waits.append(at)
    ready = _ready(session, fresh, now, skew)
    if ready:
        return _send(ready, may_batch=may_batch)
    waits.extend(_message_at(session, message, skew) for message in fresh[:1])
    for update in updates:
        at = _message_at(session, update, skew)
        if at <= now:
            return SendEach([update])
        waits.append(at)
    return Wait(min(waits)) if waits else Rest()


def update_key(payload: bytes, before: bytes | None = None) -> bytes:
    """The fields whose change makes the server take an update inside its window.

    With the key `before` it was taken: what the server holds after it, as it keeps what is left out or 0.
    """
    value = json.loads(payload)
    fields = [value.get(name) for name in _KEY_FIELDS]
    if before is not None:
        fields = [new or old for new, old in zip(fields, json.loads(before), strict=True)]
    return json.dumps(fields).encode()


def would_be_dropped(acked_key: bytes, wanted: bytes) -> bool:
    """Whether the server takes an update inside its window for one without news: 0 tokens never are."""
    *old_names, old_prompt, old_completion = json.loads(acked_key)
    *names, prompt, completion = json.loads(update_key(wanted))
    return old_names == names and prompt in (0, old_prompt) and completion in (0, old_completion)


def _first_session_at(session: Session) -> float:
    """Now, unless another version of the row may have arrived: then outside the window behind it."""
    if session.attempted_digest in (None, session.wanted_digest):
        return 0.0
    return (session.sent_at or 0.0) + SESSION_WINDOW + CLOCK_MARGIN


def _another_may_be_there(session: Session) -> bool:
    """Whether an attempt without an answer may have stored what is neither wanted nor acknowledged."""
    return session.attempted_digest not in (session.acked_digest, session.wanted_digest)


def _session_update_at(session: Session, skew: float) -> float:
    at = (session.sent_at or 0.0) + SESSION_PERIOD
    if (
        session.acked_key is None
        or _another_may_be_there(session)
        or would_be_dropped(session.acked_key, session.wanted)
    ):
        at = max(at, (session.written_at or 0.0) + SESSION_WINDOW + CLOCK_MARGIN - skew)
    return at


def _message_at(session: Session, message: Waiting, skew: float) -> float:
    """When the message may be sent: after a failure's wait, and outside the server's window for updates."""
    stored_other = message.acked_digest is not None or (
        message.attempted_digest is not None and message.attempted_digest != message.wanted_digest
    )
    if not stored_other:
        return message.next_try
    dated = (
        message.created_at / 1000
        if session.dates != "server"
        else message.acked_at or session.written_at or 0.0
    )
    return max(message.next_try, dated + MESSAGE_WINDOW + CLOCK_MARGIN - skew)


def _ready(session: Session, fresh: list[Waiting], now: float, skew: float) -> list[Waiting]:
    """The messages to send now, in order; one that waits for the server's window holds back no other."""
    in_turn = takewhile(lambda message: message.next_try <= now, fresh)
    return [message for message in in_turn if _message_at(session, message, skew) <= now]


def _send(ready: list[Waiting], *, may_batch: bool) -> Action:
    if not may_batch:
        return SendEach(ready[:MAX_CHAIN])
    batch: list[Waiting] = []
    size = 0
    for message in takewhile(lambda message: not message.may_be_there, ready[:MAX_BATCH]):
        size += len(message.wanted) + 1
        if batch and size > MAX_BATCH_BYTES:
            break
        batch.append(message)
    if len(batch) > 1:
        return SendBatch(batch)
    return SendEach(list(takewhile(lambda message: message.may_be_there, ready[:MAX_CHAIN])) or ready[:1])
