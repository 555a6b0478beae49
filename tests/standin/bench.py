"""A stand-in with a clock to set and a client, for tests of the stand-in itself."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.standin.backend import OpenSync

START = 1_700_000_000


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def message(external_id: str = "m", session: str = "s", **fields: Any) -> dict[str, Any]:
    return {"externalId": external_id, "sessionExternalId": session, "role": "user", **fields}


@dataclass
class Bench:
    """A stand-in, its clock and a client with the right key."""

    batch_keeps_dates: bool = False
    key: str = field(default_factory=lambda: "osk_" + secrets.token_hex(8))
    time: float = START

    def __post_init__(self) -> None:
        self.opensync = OpenSync(
            now=lambda: self.time, key=self.key, batch_keeps_dates=self.batch_keeps_dates
        )
        self.counters = self.opensync.counters

    def post(self, path: str, payload: Any) -> tuple[int, dict[str, Any]]:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        reply = self.opensync.handle("POST", path, {"authorization": f"Bearer {self.key}"}, body)
        return reply.status, json.loads(reply.body)

    def session(self, external_id: str = "s", **fields: Any) -> tuple[int, dict[str, Any]]:
        return self.post("/sync/session", {"externalId": external_id, **fields})

    def message(
        self, external_id: str = "m", session: str = "s", **fields: Any
    ) -> tuple[int, dict[str, Any]]:
        return self.post("/sync/message", message(external_id, session, **fields))

    def batch(self, **lists: Any) -> list[str]:
        status, answer = self.post("/sync/batch", lists)
        assert (status, answer["ok"]) == (200, True)
        errors: list[str] = answer["errors"]
        return errors
