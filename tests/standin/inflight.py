"""Which sessions are being written at this moment."""

import json
from collections import Counter as Multiset
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.standin.backend import Counters


def parsed_json(body: bytes) -> Any:
    """The body as JSON, or `None` where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def sessions_written(path: str, sent: Any) -> set[str]:
    """The external ids of the sessions that a request writes, by its parsed body."""
    if not isinstance(sent, dict):
        return set()
    if path == "/sync/session":
        found = [sent.get("externalId")]
    elif path == "/sync/message":
        found = [sent.get("sessionExternalId")]
    elif path == "/sync/batch":
        found = [*_each(sent, "sessions", "externalId"), *_each(sent, "messages", "sessionExternalId")]
    else:
        found = []
    return {external_id for external_id in found if isinstance(external_id, str)}


def _each(sent: dict[str, Any], listed: str, name: str) -> list[Any]:
    items = sent.get(listed)
    return [item.get(name) for item in items if isinstance(item, dict)] if isinstance(items, list) else []


class InFlight:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._writing: Multiset[str] = Multiset()

    @contextmanager
    def writing(self, sessions: set[str]) -> Iterator[None]:
        """Counts the request if another one that writes one of its sessions is under way."""
        self._counters.concurrent_session_writes += any(self._writing[session] for session in sessions)
        self._writing.update(sessions)
        try:
            yield
        finally:
            self._writing.subtract(sessions)
            self._writing += Multiset()
