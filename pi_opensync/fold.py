"""The session state cache: `(Session, Event) -> Session, Message`.

Pure: what was met earlier in the session is asked of a `Memory`, what is to be remembered is returned.
`FOLD_VERSION` changes with what comes out of it, or of `pi.translate`: then all is read again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import msgspec

from pi_opensync import texts
from pi_opensync.model import (
    SAYS,
    SLOT_MS,
    Booked,
    Content,
    Delegation,
    Event,
    Header,
    Message,
    Part,
    Result,
    Session,
    Spent,
    Usage,
)
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.identifiers import public

FOLD_VERSION = 5
LONGEST_GAP_MS = 30 * 60 * 1000  # a longer pause is not time spent

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Memory(Protocol):
    """What was met earlier in the session; kept outside the session so that that stays small."""

    def seen(self, key: str) -> bool:
        """Whether an entry known by that key came before."""

    def taken(self, message_id: str) -> bool:
        """Whether an earlier entry's message has that id."""

    def waiting_for(self, call_id: str) -> Message | None:
        """The latest message with an unanswered call of that id."""

    def shown_above(self, entry_id: str) -> str | None:
        """The nearest entry at or above this one that shows something; None where that is not kept."""


class Step(msgspec.Struct, frozen=True):
    """What one event did: the new session, the message it made or completed, what counts elsewhere too.

    `key` is what the entry is to be remembered by.
    """

    session: Session
    key: str
    message: Message | None = None
    delegations: tuple[Delegation, ...] = ()
    booked: tuple[Booked, ...] = ()
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from: the id of the session it was forked from or works for."""

    parent_id: str | None = None
    is_subagent: bool = False


def external_id(header: Header) -> str:
    """The session's id on the dashboard: pi's own if it is a UUID, else made unique by date and project.

    An id that holds a secret is replaced first.
    """
    if _UUID.fullmatch(header.id):
        return header.id
    place = f"{header.timestamp_text}\n{header.cwd or ''}"
    digest = sha256(texts.well_formed(place).encode()).hexdigest()
    return f"{texts.identifier(public(header.id))}-{digest[:12]}"


def begin(header: Header, origin: Origin, clean: Cleaner, *, is_alone: bool = True) -> Session:
    """A session of which only the header is known; `is_alone` where no other file holds it.

    Raises what `clean` raises.
    """
    return Session(
        external_id=external_id(header),
        created_at=header.timestamp,
        started_at=header.timestamp,
        cwd=texts.cut(clean(header.cwd), texts.MAX_PATH) if header.cwd else None,
        parent_id=texts.well_formed(public(origin.parent_id)) if origin.parent_id else None,
        has_parent=header.parent is not None or origin.parent_id is not None,
        is_subagent=origin.is_subagent,
        has_entry_ids=header.has_entry_ids,
        is_keyed_by_id=header.has_entry_ids or is_alone,
        model=_name(header.model, clean),
        provider=_name(header.provider, clean),
    )


def joined(session: Session, header: Header, origin: Origin, clean: Cleaner) -> Session:
    """The session with what the header of another file of it says: the earliest date, and any parent.

    The result is the same in whatever order the headers are met. Raises what `clean` raises.
    """
    other = begin(header, origin, clean, is_alone=False)
    first = min((one for one in (session, other)), key=_age)
    parented = min((one for one in (session, other) if one.has_parent), key=_age, default=first)
    return msgspec.structs.replace(
        session,
        created_at=first.created_at,
        cwd=first.cwd or session.cwd or other.cwd,
        parent_id=parented.parent_id,
        has_parent=parented.has_parent,
        is_subagent=session.is_subagent or other.is_subagent,
        started_at=parented.started_at,
        has_entry_ids=session.has_entry_ids and other.has_entry_ids,
        is_keyed_by_id=session.has_entry_ids and other.has_entry_ids,
    )


def _age(session: Session) -> tuple[int, str]:
    started = session.started_at
    return (texts.MAX_SAFE_INTEGER if started is None else started, session.cwd or "")


def counts_alike(one: Session, other: Session) -> bool:
    """Whether the same entries are own ones of both, and known by the same keys."""
    return (one.has_parent, one.has_parent and one.started_at, one.is_keyed_by_id) == (
        other.has_parent,
        other.has_parent and other.started_at,
        other.is_keyed_by_id,
    )


def title(session: Session) -> str:
    kind = "Subagent" if session.is_subagent else "Fork"
    prefix = f"[{kind}::{session.parent_id[:8]}] " if session.has_parent and session.parent_id else ""
    return prefix + (session.name or session.first_text or texts.UNTITLED)


def fold(
    session: Session, event: Event, memory: Memory, *, extras: bool = False, is_alone: bool = True
) -> Step:
    """What the event does to the session.

    `extras`: keep what only pi-opensync's own server shows. `is_alone`: one file holds the session, so that
    entries without ids that say the same are two.
    """
    key = event.key
    if memory.seen(key):
        if not (is_alone and key.startswith(SAYS)):
            return Step(session, key, is_repeat=True)
        count = 2
        while memory.seen(f"{key}#{count}"):
            count += 1
        key = f"{key}#{count}"
    is_own = _is_own(session, event)
    before = session
    session = _counted(session, event, is_own=is_own, extras=extras)
    session = _named(session, event, is_own=is_own)
    delegations = event.delegations if is_own else ()
    if delegations and not session.has_delegations:
        session = msgspec.structs.replace(session, has_delegations=True)
    if event.result is not None:
        session, message = _answered(session, event, memory)
    elif event.content is not None:
        session, message = _shown(session, event, event.content, memory)
    else:
        message = None
    booked = tuple(_booked(before, session, event, message)) if is_own else ()
    return Step(session, key, message, delegations, booked)


def _counted(session: Session, event: Event, *, is_own: bool, extras: bool) -> Session:
    """Usage, time spent and dates: what every entry counts for, whatever it shows."""
    changes: dict[str, object] = {}
    if event.at is not None:
        changes["last_at"] = event.at
        if session.created_at is None:
            changes["created_at"] = event.at
    if is_own and event.usage is not None:
        changes["usage"] = session.usage + event.usage
        if extras and (event.content is None or event.content.usage is None):
            changes["spent"] = _spent(session, event, event.usage)
    if is_own and event.at is not None and event.counts_time:
        gap = event.at - (session.last_own_at if session.last_own_at is not None else event.at)
        if 0 < gap <= LONGEST_GAP_MS:
            changes["duration_ms"] = session.duration_ms + gap
        changes["last_own_at"] = event.at
    return msgspec.structs.replace(session, **changes) if changes else session


def _spent(session: Session, event: Event, usage: Usage) -> tuple[Spent, ...]:
    at = _moment(session, event)
    slot, model = at - at % SLOT_MS, event.model or session.model or ""
    for index, one in enumerate(session.spent):
        if (one.at, one.model, one.kind) == (slot, model, event.kind):
            more = Spent(slot, model, event.kind, one.usage + usage)
            return (*session.spent[:index], more, *session.spent[index + 1 :])
    return (*session.spent, Spent(slot, model, event.kind, usage))


def _booked(before: Session, after: Session, event: Event, message: Message | None) -> Iterator[Booked]:
    """A message counts where it was said, and what was used outside messages where it was written."""
    usage, model = event.usage or Usage(), message.model if message is not None else None
    is_outside = event.content is None or event.content.usage is None
    if message is not None and after.position > before.position:
        at = message.created_at
        yield Booked(at - at % SLOT_MS, model or "", 1, Usage() if is_outside else usage)
    if is_outside and event.usage is not None:
        at = _moment(after, event)
        yield Booked(at - at % SLOT_MS, event.model or after.model or "", 0, usage)


def _moment(session: Session, event: Event) -> int:
    return event.at if event.at is not None else session.last_at or session.created_at or 0


def _is_own(session: Session, event: Event) -> bool:
    """False for what a fork copied from its parent: it was counted there."""
    if not session.has_parent or session.started_at is None or event.at is None:
        return True
    return event.at >= session.started_at


def _named(session: Session, event: Event, *, is_own: bool) -> Session:
    """The session's title and model, as far as this entry has a say in them."""
    changes: dict[str, object] = {}
    if event.name is not None:
        changes["name"] = event.name or None
    asked = event.title
    if session.is_subagent:
        asked = event.task if is_own else None  # what it was given, not what its parent had been asked
    if asked is not None and session.first_text is None:
        changes["first_text"] = asked
    if event.counts_time and (event.answers or not session.answered):
        if event.provider is not None:
            changes["provider"] = event.provider
        if event.model is not None:
            changes["model"] = event.model
    if event.answers and not session.answered:
        changes["answered"] = True
    return msgspec.structs.replace(session, **changes) if changes else session


def _answered(session: Session, event: Event, memory: Memory) -> tuple[Session, Message | None]:
    """A tool's result stands behind its call; one that no call asked for is a message of its own."""
    assert event.result is not None  # noqa: S101 - the caller asked
    asked = None if event.result.call_id is None else memory.waiting_for(event.result.call_id)
    if asked is not None and event.result.call_id is not None:
        return session, msgspec.structs.replace(asked, parts=answer(asked.parts, event.result))
    text: str = event.result.part.content
    if not text:
        return session, None
    parts = (*event.result.nested, event.result.part, *event.result.images)
    return _shown(session, event, Content("tool", text, parts), memory)


def answer(parts: tuple[Part, ...], result: Result) -> tuple[Part, ...]:
    """The parts with the result behind the latest unanswered call of its id."""
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if part.type == "tool-call" and part.call_id == result.call_id and not part.answered:
            answered = msgspec.structs.replace(part, answered=True)
            found = (answered, *result.nested, result.part, *result.images)
            return (*parts[:index], *found, *parts[index + 1 :])
    return parts


def open_calls(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """The ids of the calls that wait for their results."""
    return tuple(part.call_id for part in parts if part.call_id is not None and not part.answered)


def _shown(session: Session, event: Event, content: Content, memory: Memory) -> tuple[Session, Message]:
    moments = (event.said_at, event.at, session.last_at, session.created_at)
    created_at = next((moment for moment in moments if moment is not None), 1)
    position = session.position + 1
    base = f"{session.external_id}-{content.role}-{created_at}"
    free_id, collided = _free_id(base, event, session, memory)
    message = Message(
        external_id=free_id,
        position=position,
        created_at=created_at,
        role=content.role,
        text=content.text,
        parts=content.parts,
        model=content.model,
        usage=content.usage,
        duration_ms=content.duration_ms,
        entry_id=texts.identifier(event.id),
        parent_entry_id=None if event.parent_id is None else memory.shown_above(event.parent_id),
    )
    return msgspec.structs.replace(session, position=position, collided=collided), message


def _free_id(base: str, event: Event, session: Session, memory: Memory) -> tuple[str, tuple[str, int]]:
    """The base, or with what tells the entry apart: its id, or a count where ids are absent or random."""
    if not memory.taken(base):
        return base, session.collided
    if event.id is not None:
        base = f"{base}-{texts.identifier(event.id)}"
        if not memory.taken(base):
            return base, session.collided
    count = session.collided[1] + 1 if session.collided[0] == base else 2
    while memory.taken(f"{base}-{count}"):
        count += 1
    return f"{base}-{count}", (base, count)


def _name(value: str | None, clean: Cleaner) -> str | None:
    short = texts.name(value)
    return None if short is None else texts.one_line(clean(short)) or None
