"""Transcripts folded in memory: the oracle that other tests compare a dashboard with, and entries to fold."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from pi_opensync.fold import Origin, begin, external_id, fold, open_calls, title
from pi_opensync.model import Broken, Header, Message, Options, Session
from pi_opensync.opensync.payloads import session_payload
from pi_opensync.pi.entries import Entry, decode_line
from pi_opensync.pi.translate import translate
from pi_opensync.privacy.cleaner import Cleaner

HIDDEN = Options()
CALLS = Options(sync_tool_calls=True)
THINKING = Options(sync_thinking=True)
EVERYTHING = Options(sync_tool_calls=True, sync_thinking=True)
PLAIN = Cleaner()  # redacts nothing

SESSION_ID = "01a1f87e-3b5e-7387-8bf1-0df43b4b852e"
PARENT_ID = "9f8e7d6c-5b4a-4321-8fed-cba987654321"
START = 1_795_168_800_000  # 2026-11-20T10:00:00Z, the moment of the header, in ms
CWD = "/home/user/src/webapp"

Item = dict[str, Any]
ParentId = Callable[[str], str | None]


class Memory:
    """`fold.Memory` in dictionaries."""

    def __init__(self) -> None:
        self.entries: set[str] = set()
        self.messages: dict[str, Message] = {}
        self._asking: dict[str, dict[int, str]] = {}

    def seen(self, entry_id: str) -> bool:
        return entry_id in self.entries

    def taken(self, message_id: str) -> bool:
        return message_id in self.messages

    def waiting_for(self, call_id: str) -> Message | None:
        asking = self._asking.get(call_id)
        return self.messages[asking[max(asking)]] if asking else None

    def shown_above(self, entry_id: str) -> str | None:
        del entry_id
        return None

    def put(self, message: Message) -> None:
        self.messages[message.external_id] = message
        waiting = open_calls(message.parts)
        for call_id in {part.call_id for part in message.parts if part.call_id is not None}:
            asking = self._asking.setdefault(call_id, {})
            if call_id in waiting:
                asking[message.position] = message.external_id
            else:
                asking.pop(message.position, None)


def payload(session: Session, **how: Any) -> dict[str, Any]:
    """The body of `/sync/session`."""
    return session_payload(session, title(session), **how)


class Folded(NamedTuple):
    """A session after its last entry, and its messages by id in their order."""

    state: Session
    messages: dict[str, Message]

    @property
    def shown(self) -> list[Message]:
        return list(self.messages.values())

    @property
    def only(self) -> Message:
        (message,) = self.messages.values()
        return message


@dataclass(slots=True)
class _Session:
    state: Session
    memory: Memory = field(default_factory=Memory)


@dataclass(slots=True)
class Folding:
    """A transcript under way. `broken` and `unknown` are what `status` would count."""

    options: Options = HIDDEN
    clean: Cleaner = PLAIN
    parent_id: ParentId = lambda _path: None
    broken: int = 0
    unknown: list[str] = field(default_factory=list)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _current: _Session | None = None

    def take(self, line: bytes) -> list[tuple[Session, Message | None]]:
        """Fold a complete line without its newline; returns what each entry of it led to."""
        return [
            (self._current.state, message)
            for item in decode_line(line)
            for message in [self._take(item, line)]
            if self._current is not None
        ]

    @property
    def folded(self) -> dict[str, Folded]:
        return {key: Folded(one.state, one.memory.messages) for key, one in self._sessions.items()}

    def _take(self, item: Entry | Header | Broken, line: bytes) -> Message | None:
        if isinstance(item, Header):
            key = external_id(item)
            if key not in self._sessions:
                parent = self.parent_id(item.parent) if item.parent is not None else None
                self._sessions[key] = _Session(begin(item, Origin(parent), self.clean))
            self._current = self._sessions[key]
        elif isinstance(item, Broken) or self._current is None:
            self.broken += 1
        else:
            return self._fold(self._current, item, line)
        return None

    def _fold(self, session: _Session, entry: Entry, line: bytes) -> Message | None:
        event = translate(entry, line, self.options, self.clean, session.state)
        if event is None:
            self.broken += 1
            return None
        step = fold(session.state, event, session.memory)
        session.state = step.session
        if step.is_repeat:
            return None
        session.memory.entries.add(step.key)
        if event.unknown is not None:
            self.unknown.append(event.unknown)
        if step.message is not None:
            session.memory.put(step.message)
        return step.message


def fold_sessions(
    lines: Iterable[bytes | Item],
    options: Options = HIDDEN,
    *,
    parent_id: ParentId = lambda _path: None,
    clean: Cleaner = PLAIN,
) -> dict[str, Folded]:
    """The sessions of a transcript by external id: some files hold more than one."""
    folding = Folding(options, clean, parent_id)
    for line in lines:
        folding.take(line if isinstance(line, bytes) else encoded(line))
    return folding.folded


def fold_lines(lines: Iterable[bytes | Item], options: Options = HIDDEN, **how: Any) -> Folded:
    """The only session of a transcript."""
    (folded,) = fold_sessions(lines, options, **how).values()
    return folded


def fold_entries(*entries: Item, options: Options = HIDDEN, **how: Any) -> Folded:
    """Those entries behind an ordinary header."""
    return fold_lines([header(), *entries], options, **how)


# entries, `at` in seconds after the header


def encoded(item: Item) -> bytes:
    return json.dumps(item, separators=(",", ":")).encode()


def iso(at: float) -> str:
    moment = datetime.fromtimestamp((START + round(at * 1000)) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def header(at: float = 0, **fields: Any) -> Item:
    named = {"type": "session", "version": 3, "id": SESSION_ID, "timestamp": iso(at), "cwd": CWD}
    return without_absent(named | fields)


def old_header(at: float = 0, **fields: Any) -> Item:
    """The header of a version 1 transcript."""
    return header(at, **({"version": ...} | fields))


def entry(kind: str, at: float = 0, /, **fields: Any) -> Item:
    """An entry whose id follows from what it holds; `id=...` (the ellipsis) leaves it out, as any field."""
    digest = sha256(repr((kind, at, fields)).encode(errors="backslashreplace")).hexdigest()
    named = {"type": kind, "id": digest[:8], "parentId": None, "timestamp": iso(at)}
    return without_absent(named | fields)


def said(role: str, content: Any, at: float = 0, *, entry_fields: Item | None = None, **fields: Any) -> Item:
    """A message; pi writes the entry when the message is complete, here at the same moment."""
    message = {"role": role, "content": content, "timestamp": START + round(at * 1000)} | fields
    return entry("message", at, message=without_absent(message), **(entry_fields or {}))


def text(value: str) -> Item:
    return {"type": "text", "text": value}


def thinking(value: str) -> Item:
    return {"type": "thinking", "thinking": value}


def image(data: str, mime_type: str = "image/png") -> Item:
    return {"type": "image", "data": data, "mimeType": mime_type}


def call(call_id: str, name: str = "bash", **arguments: Any) -> Item:
    return {"type": "toolCall", "id": call_id, "name": name, "arguments": arguments}


def result(call_id: str, value: str | list[Item], at: float = 0, **fields: Any) -> Item:
    content = [text(value)] if isinstance(value, str) else value
    named: Item = {"toolCallId": call_id, "toolName": "bash", "isError": False} | fields
    return said("toolResult", content, at, **named)


def usage(
    prompt: int = 0, completion: int = 0, dollars: float = 0.0, *, read: int = 0, write: int = 0
) -> Item:
    return {
        "input": prompt,
        "output": completion,
        "cacheRead": read,
        "cacheWrite": write,
        "totalTokens": prompt + completion + read + write,
        "cost": {"input": 7.0, "output": 7.0, "cacheRead": 7.0, "cacheWrite": 7.0, "total": dollars},
    }


def without_absent(item: Item) -> Item:
    return {key: value for key, value in item.items() if value is not ...}
