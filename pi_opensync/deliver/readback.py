"""What a session that somebody else sent already holds. Pure.

pi-opensync-plugin uses the same session ids and other message ids; a state folder that was lost leaves
messages of our own behind.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pi_opensync.store.outbox import Waiting

SAME_MOMENT_MS = 2_000  # two dates of one message, from two clocks
COMPARED = ("role", "textContent", "parts", "model", "promptTokens", "completionTokens", "durationMs")


@dataclass(slots=True)
class OnServer:
    """Our waiting messages by what the server holds of them; the rest it does not hold."""

    same: list[Waiting] = field(default_factory=list)
    different: list[Waiting] = field(default_factory=list)
    by_others: list[tuple[Waiting, str]] = field(default_factory=list)  # with the id it stands there under


def on_server(stored: list[Any], waiting: Iterable[Waiting], *, server_dates: bool) -> OnServer:
    """Match by id, then, for messages under ids that are not ours, by role and moment, each once."""
    by_id = {item["externalId"]: item for item in stored if _is_message(item)}
    wanted = [(message, json.loads(message.wanted)) for message in waiting]
    ours = {message.external_id for message, _payload in wanted}
    foreign: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for key, item in by_id.items():
        if key not in ours and _is_foreign(key, item.get("role")):
            foreign[item["role"]].append((float(item["createdAt"]), key))
    for items in foreign.values():
        items.sort()
    result = OnServer()
    for message, payload in wanted:
        item = by_id.get(message.external_id)
        if item is not None:
            (result.same if is_same(payload, item, server_dates=server_dates) else result.different).append(
                message
            )
            continue
        match = _nearest(foreign[payload["role"]], message.created_at)
        if match is not None:
            foreign[payload["role"]].remove(match)
            result.by_others.append((message, match[1]))
    return result


def is_same(payload: dict[str, Any], stored: dict[str, Any], *, server_dates: bool) -> bool:
    """Whether the stored message is the wanted one, as far as a reader of the dashboard can tell."""
    if any(payload.get(name) != stored.get(name) for name in COMPARED):
        return False
    return server_dates or payload["createdAt"] == stored.get("createdAt")


def holds_session(stored: object, wanted: bytes) -> bool:
    """Whether the stored session shows what is wanted; dates are never changed by an update."""
    payload = json.loads(wanted)
    return isinstance(stored, dict) and all(
        stored.get(name) == value for name, value in payload.items() if name not in ("createdAt", "source")
    )


def _nearest(items: list[tuple[float, str]], moment: int) -> tuple[float, str] | None:
    near = [item for item in items if abs(item[0] - moment) <= SAME_MOMENT_MS]
    return min(near, key=lambda item: abs(item[0] - moment), default=None)


def _is_message(item: object) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("externalId"), str)
        and isinstance(item.get("createdAt"), int | float)
    )


def _is_foreign(key: str, role: object) -> bool:
    """Whether an id is not of our own making: ours carry a date of 13 digits behind the role."""
    _head, mark, tail = key.rpartition(f"-{role}-")
    return isinstance(role, str) and not (mark and tail[:13].isdigit() and len(tail) >= 13)  # noqa: PLR2004 - digits of a date in ms
