"""What a session's payload says, in our own words."""

from collections.abc import Callable
from typing import Any

import msgspec


class Summary(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        "id": "externalId",
        "project": "projectName",
        "folder": "projectPath",
        "created_at": "createdAt",
        "prompt_tokens": "promptTokens",
        "completion_tokens": "completionTokens",
        "duration_ms": "durationMs",
    },
):
    """Of an excluded session little is kept.

    `folder` is the project's; `created_at` in Unix milliseconds, `duration_ms` the time spent.
    """

    id: str
    title: str = ""
    project: str | None = None
    folder: str | None = None
    model: str | None = None
    provider: str | None = None
    created_at: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    duration_ms: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


summary: Callable[[bytes], Summary] = msgspec.json.Decoder(Summary).decode


def message_id(payload: dict[str, Any]) -> str:
    """The id under which a message's payload is stored."""
    return str(payload["externalId"])
