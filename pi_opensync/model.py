"""The types that carry the data: what pi wrote, what it means, what a dashboard is to show.

Times are Unix milliseconds, costs US dollars, unless a name says otherwise.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

SOURCE = "pi"
SLOT_MS = 15 * 60 * 1000  # usage is summed in quarters of an hour, the finest step that time zones differ by
SAYS = "="  # begins the key of an entry that is known by what it says

Role = Literal["user", "assistant", "system", "tool"]


@dataclass(frozen=True, slots=True)
class Options:
    """What of a session is shown; all off by default."""

    sync_tool_calls: bool = False
    sync_thinking: bool = False
    extras: bool = False  # what pi-opensync's own server shows beyond OpenSync
    machine: str | None = None  # among these: where the session was written
    images: bool = False  # which nothing can redact


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a session was written, for pi-opensync's own server.

    The path of its transcript, the machine's name, and the repository that its project is a worktree of.
    """

    file: str | None = None
    machine: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The line that begins a session.

    `version` is 1 where the file has none. `renumbered` says that pi migrated the file from version 1:
    its entry ids were drawn at random then, and say nothing about the entry. `parent` is the path of the
    file that this one was forked from.
    """

    id: str
    timestamp_text: str
    timestamp: int | None
    cwd: str | None
    version: int
    parent: str | None
    provider: str | None
    model: str | None
    renumbered: bool

    @property
    def has_entry_ids(self) -> bool:
        """Whether an entry's id says which entry it is, in every copy of the file."""
        return not self.renumbered


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """Tokens and cost of requests to a model, as pi counted them.

    The prompt is what was sent, cached or not.
    """

    prompt: int = 0
    completion: int = 0
    cost: float = 0.0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cost + other.cost,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One drawn piece of a message. `content` is a string, `{toolName, args}` of a tool-call, or
    `{data, mimeType}` of an image, which only a dashboard on this machine gets.

    `call_id` is set on tool-calls; `answered` once the result stands behind the call. `diff` and
    `duration_ms` are of tool-results, for pi-opensync's own server: the change as pi numbered its lines, and
    how long the tool ran.
    """

    type: Literal["text", "tool-call", "tool-result", "image"]
    content: Any
    call_id: str | None = None
    answered: bool = False
    diff: str | None = None
    duration_ms: int | None = None


class Content(msgspec.Struct, frozen=True):
    """What an entry shows, before it has an id: the fold gives that."""

    role: Role
    text: str
    parts: tuple[Part, ...]
    model: str | None = None
    usage: Usage | None = None  # as the message itself shows it
    duration_ms: int | None = None


class Result(msgspec.Struct, frozen=True):
    """What a tool answered to the call of that id.

    `nested` are the calls that it made itself, `images` what it showed.
    """

    call_id: str | None
    part: Part
    nested: tuple[Part, ...] = ()
    images: tuple[Part, ...] = ()


class Delegation(msgspec.Struct, frozen=True):
    """Usage of a subagent, which counts here only while no session of its own is known.

    `file` is the path of its transcript as the tool's result names it.
    """

    file: str
    usage: Usage


class Event(msgspec.Struct, frozen=True):
    """What one entry says, without any of pi's words for it.

    `key` is the same in every copy of the entry; `id` tells it from others of its moment, where pi gave it
    one that lasts. `at` is when it was written, `said_at` when what it says began. `title` is what it would
    title a session with, `task` a subagent's. `left_out` names what of it is not shown, `unknown` a kind that
    is not known, `parked` why its message must not be sent.
    """

    key: str
    id: str | None
    at: int | None
    kind: str = "message"  # what its usage was for
    said_at: int | None = None
    parent_id: str | None = None
    content: Content | None = None
    result: Result | None = None
    usage: Usage | None = None
    delegations: tuple[Delegation, ...] = ()
    counts_time: bool = True
    is_titling: bool = False  # the session has no title yet
    title: str | None = None
    task: str | None = None
    name: str | None = None  # "" takes the session's name away
    provider: str | None = None
    model: str | None = None
    answers: bool = False  # an assistant's: its model stands before what was only chosen
    left_out: tuple[str, ...] = ()
    unknown: str | None = None
    parked: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes of a line, `start` to `end` within it, that hold no object of pi's."""

    start: int
    end: int


class Spent(msgspec.Struct, frozen=True, array_like=True):
    """Usage outside messages, of one model and kind within the quarter of an hour that begins at `at`."""

    at: int
    model: str
    kind: str
    usage: Usage


class Booked(msgspec.Struct, frozen=True):
    """What an entry counts for: the quarter of an hour that begins at `at`, and the model, or ""."""

    at: int
    model: str
    messages: int
    usage: Usage


class Session(msgspec.Struct, frozen=True):
    """All of a session that later entries can change or need.

    `started_at` is the moment of the header that says what is a copy: older entries were counted in the
    parent. `has_entry_ids`: the ids of its entries last. `is_keyed_by_id`: its
    entries are told apart by their ids, not by what they say.
    """

    external_id: str
    created_at: int | None = None
    cwd: str | None = None
    parent_id: str | None = None
    has_parent: bool = False
    is_subagent: bool = False
    started_at: int | None = None
    has_entry_ids: bool = True
    is_keyed_by_id: bool = True
    name: str | None = None
    first_text: str | None = None
    model: str | None = None
    provider: str | None = None
    answered: bool = False
    usage: Usage = Usage()
    spent: tuple[Spent, ...] = ()
    has_delegations: bool = False
    duration_ms: int = 0
    last_own_at: int | None = None
    last_at: int | None = None
    position: int = 0
    collided: tuple[str, int] = ("", 1)


class Message(msgspec.Struct, frozen=True, array_like=True):
    """A message as the dashboard is to hold it. `position` orders the messages of a session.

    `entry_id` and `parent_entry_id` are of the entry, and of the nearest one above it that is shown.
    """

    external_id: str
    position: int
    created_at: int
    role: Role
    text: str
    parts: tuple[Part, ...]
    model: str | None = None
    usage: Usage | None = None
    duration_ms: int | None = None
    entry_id: str | None = None
    parent_entry_id: str | None = None
