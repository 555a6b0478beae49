"""The rows that the stand-in stores, and what it counts."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counters:
    """What happened, for tests to judge; each counts since the server was made."""

    requests: dict[str, int] = field(default_factory=dict)
    batch_messages: int = 0
    """Messages that arrived in a batch whose list was taken."""
    lost_parts: int = 0
    """Message writes that ended with fewer parts than were sent or stored before."""
    dropped_message_updates: int = 0
    """Answered ok inside the 5 s window, although they differed from what is stored."""
    repeated_messages: int = 0
    """Messages that were stored already, just as they were sent; in or out of the window."""
    dropped_session_updates: int = 0
    """Answered ok inside the 10 s window, although they would have changed something."""
    refused_batches: int = 0
    """Batches with a list that was refused whole."""
    embedding_jobs: int = 0
    orphan_sessions: int = 0
    """Sessions that a message created."""
    concurrent_session_writes: int = 0
    """Requests that came while another one writing the same session was under way."""
    bodies_too_large: int = 0
    duplicate_rows: int = 0
    """Rows stored twice because one batch named their id twice."""


@dataclass
class Session:
    id: str
    external_id: str
    created_at: int
    updated_at: int
    title: str | None = None
    project_path: str | None = None
    project_name: str | None = None
    model: str | None = None
    provider: str | None = None
    source: str | None = None
    prompt_tokens: float = 0
    completion_tokens: float = 0
    total_tokens: float = 0
    cost: float = 0
    duration_ms: float | None = None
    searchable_text: str | None = None
    message_count: int = 0


@dataclass
class Message:
    id: str
    external_id: str
    session_id: str
    session_external_id: str
    role: str
    created_at: int
    text_content: str | None = None
    model: str | None = None
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    duration_ms: float | None = None
    parts: list[dict[str, Any]] = field(default_factory=list)
