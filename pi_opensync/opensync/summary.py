"""What a session's payload says, in our own words."""

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Summary:
    """`folder` is the project's; `created_at` in Unix milliseconds, `duration_ms` the time spent."""

    id: str
    title: str
    project: str | None
    folder: str | None
    model: str | None
    provider: str | None
    created_at: int | None
    prompt_tokens: int
    completion_tokens: int
    cost: float
    duration_ms: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class _Payload(msgspec.Struct, rename="camel"):
    external_id: str
    title: str = ""
    project_name: str | None = None
    project_path: str | None = None
    model: str | None = None
    provider: str | None = None
    created_at: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    duration_ms: int = 0


_decode = msgspec.json.Decoder(_Payload).decode


def summary(payload: bytes) -> Summary:
    """Of a session's payload as it is wanted on the server; of an excluded session little is kept."""
    said = _decode(payload)
    return Summary(
        id=said.external_id,
        title=said.title,
        project=said.project_name,
        folder=said.project_path,
        model=said.model,
        provider=said.provider,
        created_at=said.created_at,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        cost=said.cost,
        duration_ms=said.duration_ms,
    )


def message_id(payload: dict[str, Any]) -> str:
    """The id under which a message's payload is stored."""
    return str(payload["externalId"])
