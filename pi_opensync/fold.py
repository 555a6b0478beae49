"""The session state cache: `(SessionState, Entry) -> SessionState, messages`.

Pure: what was met earlier in the session is asked of a `Memory`, what is to be remembered is returned.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import msgspec

from pi_opensync import texts
from pi_opensync.pi import translate as messages
from pi_opensync.pi.entries import KNOWN_TYPES, Entry, Header, milliseconds
from pi_opensync.pi.translate import Content, Options, Part, Role, Usage
from pi_opensync.privacy.cleaner import Cleaner

LONGEST_GAP_MS = 30 * 60 * 1000  # a longer pause is not time spent
SOURCE = "pi"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MESSAGE_ROLES = frozenset(
    {"user", "assistant", "toolResult", "bashExecution", "custom", "hookMessage", "system"}
)


class SessionState(msgspec.Struct, frozen=True):
    """All of a session that later entries can change or need. Times in Unix milliseconds, cost in dollars."""

    external_id: str
    created_at: int | None = None
    cwd: str | None = None
    parent_id: str | None = None
    has_parent: bool = False
    started_at: int | None = None
    renumbered: bool = False
    name: str | None = None
    first_text: str | None = None
    model: str | None = None
    provider: str | None = None
    answered: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    duration_ms: int = 0
    last_own_at: int | None = None
    last_at: int | None = None
    position: int = 0
    collided: tuple[str, int] = ("", 1)


class Message(msgspec.Struct, frozen=True, array_like=True):
    """A message as the dashboard is to hold it. `position` orders the messages of a session."""

    external_id: str
    position: int
    created_at: int
    role: Role
    text: str
    parts: tuple[Part, ...]
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_ms: int | None = None
    extras: dict[str, float] | None = None


class Memory(Protocol):
    """What was met earlier in the session; kept outside the state so that the state stays small."""

    def seen(self, entry_id: str) -> bool:
        """Whether an entry of that id came before."""

    def taken(self, message_id: str) -> bool:
        """Whether an earlier entry's message has that id."""

    def waiting_for(self, call_id: str) -> Message | None:
        """The latest message with an unanswered call of that id."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one entry did: the new state, the message it made or completed, what was not understood."""

    state: SessionState
    message: Message | None = None
    unknown: str | None = None
    repeat: bool = False


def external_id(header: Header) -> str:
    """The session's id on the dashboard: pi's own if it is a UUID, else made unique by date and project."""
    if _UUID.fullmatch(header.id):
        return header.id
    place = f"{header.timestamp_text}\n{header.cwd or ''}"
    digest = sha256(texts.well_formed(place).encode()).hexdigest()
    return f"{texts.identifier(header.id)}-{digest[:12]}"


def begin(header: Header, parent_id: str | None, clean: Cleaner) -> SessionState:
    """The state of a session of which only the header is known.

    `parent_id` is the id of the session that `header.parent` leads to.
    """
    return SessionState(
        external_id=external_id(header),
        created_at=header.timestamp,
        started_at=header.timestamp,
        cwd=texts.cut(clean(header.cwd), texts.MAX_PATH) if header.cwd else None,
        parent_id=texts.well_formed(parent_id) if parent_id else None,
        has_parent=header.parent is not None,
        renumbered=header.renumbered or header.version == 1,
        model=texts.name(header.model),
        provider=texts.name(header.provider),
    )


def title(state: SessionState) -> str:
    prefix = f"[Fork::{state.parent_id[:8]}] " if state.has_parent and state.parent_id else ""
    return prefix + (state.name or state.first_text or texts.UNTITLED)


def fold(state: SessionState, entry: Entry, memory: Memory, options: Options, clean: Cleaner) -> Step:
    """What the entry does to the session.

    Raises what `clean` raises, and RecursionError for what is nested too deeply.
    """
    if entry.id is not None and memory.seen(entry.id):
        return Step(state, repeat=True)
    state = _count(state, entry)
    if entry.type not in KNOWN_TYPES:
        return Step(state, unknown=entry.type)
    if entry.type == "message":
        return _message(state, entry, memory, options, clean)
    if entry.type == "session_info":
        state = _named(state, entry, clean)
    elif entry.type == "model_change":
        state = _model_changed(state, entry)
    return _shown(state, entry, messages.content_of(entry, options, clean), memory)


def _message(state: SessionState, entry: Entry, memory: Memory, options: Options, clean: Cleaner) -> Step:
    message = entry.body.get("message")
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(role, str) or role not in _MESSAGE_ROLES:
        return Step(state, unknown=f"message:{role}" if isinstance(role, str) else "message")
    if role == "toolResult":
        return _result(state, entry, memory, options, clean)
    content = messages.content_of(entry, options, clean)
    if role == "assistant":
        state = _answered(state, message)
    elif role == "user" and state.first_text is None and content is not None:
        shown = texts.title(content.text)
        state = msgspec.structs.replace(state, first_text=shown or None)
    return _shown(state, entry, content, memory)


def _count(state: SessionState, entry: Entry) -> SessionState:
    """Usage, time spent and dates: what every entry counts for, whatever it shows."""
    changes: dict[str, object] = {}
    if entry.timestamp is not None:
        changes["last_at"] = entry.timestamp
        if state.created_at is None:
            changes["created_at"] = entry.timestamp
    if _is_own(state, entry):
        for usage in _usages(entry):
            changes["prompt_tokens"] = state.prompt_tokens + usage.prompt
            changes["completion_tokens"] = state.completion_tokens + usage.completion
            changes["cost"] = state.cost + usage.cost
            changes["cache_read_tokens"] = state.cache_read_tokens + usage.cache_read
            changes["cache_write_tokens"] = state.cache_write_tokens + usage.cache_write
        if entry.timestamp is not None:
            gap = entry.timestamp - (state.last_own_at if state.last_own_at is not None else entry.timestamp)
            if 0 < gap <= LONGEST_GAP_MS:
                changes["duration_ms"] = state.duration_ms + gap
            changes["last_own_at"] = max(entry.timestamp, state.last_own_at or entry.timestamp)
    return msgspec.structs.replace(state, **changes) if changes else state


def _is_own(state: SessionState, entry: Entry) -> bool:
    """False for what a fork copied from its parent: it was counted there."""
    if not state.has_parent or state.started_at is None or entry.timestamp is None:
        return True
    return entry.timestamp >= state.started_at


def _usages(entry: Entry) -> list[Usage]:
    """The entry's usage: its own, or that of its message; pi writes one of them."""
    message = entry.body.get("message")
    inner = messages.usage_of(message.get("usage")) if isinstance(message, dict) else None
    usage = inner or messages.usage_of(entry.body.get("usage"))
    return [usage] if usage else []


def _named(state: SessionState, entry: Entry, clean: Cleaner) -> SessionState:
    name = entry.body.get("name")
    if name is not None and not isinstance(name, str):
        return state
    return msgspec.structs.replace(state, name=clean(name.strip()) or None if name else None)


def _model_changed(state: SessionState, entry: Entry) -> SessionState:
    return (
        state if state.answered else _with_model(state, entry.body.get("provider"), entry.body.get("modelId"))
    )


def _answered(state: SessionState, message: dict[str, object]) -> SessionState:
    state = _with_model(state, message.get("provider"), message.get("model"))
    return state if state.answered else msgspec.structs.replace(state, answered=True)


def _with_model(state: SessionState, provider: object, model: object) -> SessionState:
    known_provider = texts.name(provider) or state.provider
    known_model = texts.name(model) or state.model
    if (known_provider, known_model) == (state.provider, state.model):
        return state
    return msgspec.structs.replace(state, provider=known_provider, model=known_model)


def _result(state: SessionState, entry: Entry, memory: Memory, options: Options, clean: Cleaner) -> Step:
    if not options.sync_tool_calls:
        return Step(state)
    result = entry.body["message"]
    text = messages.result_text(result, clean)
    call_id = texts.identifier(result.get("toolCallId"))
    asked = memory.waiting_for(call_id) if call_id is not None else None
    if asked is None or call_id is None:
        return _shown(state, entry, messages.orphan_result(text), memory)
    return Step(state, msgspec.structs.replace(asked, parts=messages.answer(asked.parts, call_id, text)))


def _shown(state: SessionState, entry: Entry, content: Content | None, memory: Memory) -> Step:
    if content is None:
        return Step(state)
    created_at = _created_at(state, entry)
    position = state.position + 1
    base = f"{state.external_id}-{content.role}-{created_at}"
    free_id, collided = _free_id(base, entry, state, memory)
    message = Message(
        external_id=free_id,
        position=position,
        created_at=created_at,
        role=content.role,
        text=content.text,
        parts=content.parts,
        model=content.model,
        prompt_tokens=content.prompt_tokens,
        completion_tokens=content.completion_tokens,
        duration_ms=content.duration_ms,
        extras=content.extras,
    )
    return Step(msgspec.structs.replace(state, position=position, collided=collided), message)


def _created_at(state: SessionState, entry: Entry) -> int:
    message = entry.body.get("message")
    own = milliseconds(message.get("timestamp")) if isinstance(message, dict) else None
    moments = (own, entry.timestamp, state.last_at, state.created_at)
    return next((moment for moment in moments if moment is not None), 1)


def _free_id(base: str, entry: Entry, state: SessionState, memory: Memory) -> tuple[str, tuple[str, int]]:
    """The base, or with what tells the entry apart: its id, or a count where ids are absent or random."""
    if not memory.taken(base):
        return base, state.collided
    if entry.id is not None and not state.renumbered:
        base = f"{base}-{texts.identifier(entry.id)}"
        if not memory.taken(base):
            return base, state.collided
    count = state.collided[1] + 1 if state.collided[0] == base else 2
    while memory.taken(f"{base}-{count}"):
        count += 1
    return f"{base}-{count}", (base, count)
