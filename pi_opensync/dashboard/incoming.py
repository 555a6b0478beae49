"""Sessions and messages as they come in. What is None was not sent, and leaves what is stored as it is."""

from dataclasses import dataclass

from pi_opensync.dashboard.parts import StoredPart


@dataclass(frozen=True, slots=True)
class SpentIn:
    """What a session took outside its messages, of one model and kind: as a compaction or a tool."""

    at: int
    model: str
    kind: str
    prompt_tokens: int
    completion_tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class SessionIn:
    """Times and durations are in ms, `cost` in US dollars.

    `file` is the path of pi's transcript, `machine` the name of the machine that it is on,
    `repository_path` the repository that its project is a worktree of.
    """

    external_id: str
    source: str | None = None
    title: str | None = None
    project_path: str | None = None
    project_name: str | None = None
    model: str | None = None
    provider: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost: float | None = None
    duration_ms: int | None = None
    created_at: int | None = None
    parent_external_id: str | None = None
    is_subagent: bool | None = None
    file: str | None = None
    machine: str | None = None
    repository_path: str | None = None
    spent: tuple[SpentIn, ...] | None = None


@dataclass(frozen=True, slots=True)
class MessageIn:
    """Times and durations are in ms, `cost` in US dollars; entries are those of pi's tree."""

    session_external_id: str
    external_id: str
    role: str
    source: str | None = None
    text_content: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost: float | None = None
    duration_ms: int | None = None
    created_at: int | None = None
    parts: tuple[StoredPart, ...] | None = None
    entry_id: str | None = None
    parent_entry_id: str | None = None
