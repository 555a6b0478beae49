"""What a session that somebody else sent already holds. Pure.

pi-opensync-plugin uses the same session ids and other message ids; a state folder that was lost leaves
messages of our own behind.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

SAME_MOMENT_MS = 2_000  # two dates of one message, from two clocks
SESSION_FIELDS = (
    "title",
    "projectPath",
    "projectName",
    "model",
    "provider",
    "promptTokens",
    "completionTokens",
    "cost",
    "durationMs",
)
COMPARED = ("role", "textContent", "parts", "model", "promptTokens", "completionTokens", "durationMs")


class Wanted(Protocol):
    """A message of ours: its id, its date (ms), the body it is sent with."""

    @property
    def external_id(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def wanted(self) -> bytes: ...


Ours = TypeVar("Ours", bound=Wanted)


@dataclass(slots=True)
class OnServer(Generic[Ours]):
    """Our waiting messages by what the server holds of them; the rest it does not hold."""

    same: list[Ours] = field(default_factory=list)
    different: list[Ours] = field(default_factory=list)
    by_others: list[tuple[Ours, str]] = field(default_factory=list)  # with the id it stands there under


def on_server(
    stored: list[Any],
    waiting: Iterable[Ours],
    *,
    server_dates: bool,
    taken: AbstractSet[str] = frozenset(),
) -> OnServer[Ours]:
    """Match by id, then, for messages under ids that are not ours, by role and moment, each once.

    `taken` are the ids of somebody else's messages that count as others of ours already.
    """
    by_id = {item["externalId"]: item for item in stored if _is_message(item)}
    wanted = [(message, json.loads(message.wanted)) for message in waiting]
    result: OnServer[Ours] = OnServer()
    absent: list[tuple[Ours, dict[str, Any]]] = []
    for message, payload in wanted:
        item = by_id.pop(message.external_id, None)
        if item is None:
            absent.append((message, payload))
        elif is_same(payload, item, server_dates=server_dates):
            result.same.append(message)
        else:
            result.different.append(message)
    foreign = [item for key, item in by_id.items() if key not in taken and _is_foreign(key, item.get("role"))]
    result.by_others = _paired(absent, foreign)
    return result


def _paired(
    absent: list[tuple[Ours, dict[str, Any]]], foreign: list[dict[str, Any]]
) -> list[tuple[Ours, str]]:
    """Each message with the one of its role and moment: the same text first, then the nearest."""
    pairs: list[tuple[bool, float, int, int]] = []
    dated = sorted((float(item["createdAt"]), index) for index, item in enumerate(foreign))
    for number, (message, payload) in enumerate(absent):
        first = bisect_left(dated, (message.created_at - SAME_MOMENT_MS, -1))
        for position in range(first, len(dated)):
            moment, index = dated[position]
            if moment > message.created_at + SAME_MOMENT_MS:
                break
            if foreign[index]["role"] == payload["role"]:
                differs = foreign[index].get("textContent") != payload["textContent"]
                pairs.append((differs, abs(moment - message.created_at), number, index))
    return _matched(absent, foreign, sorted(pairs))


def _matched(
    absent: list[tuple[Ours, dict[str, Any]]],
    foreign: list[dict[str, Any]],
    pairs: list[tuple[bool, float, int, int]],
) -> list[tuple[Ours, str]]:
    ours: dict[int, int] = {}
    theirs: set[int] = set()
    for _differs, _apart, number, index in pairs:
        if number not in ours and index not in theirs:
            ours[number] = index
            theirs.add(index)
    return [(absent[number][0], foreign[index]["externalId"]) for number, index in ours.items()]


def is_same(payload: dict[str, Any], stored: dict[str, Any], *, server_dates: bool) -> bool:
    """Whether the stored message is the wanted one, as far as a reader of the dashboard can tell."""
    if any(payload.get(name) != stored.get(name) for name in COMPARED):
        return False
    return server_dates or payload["createdAt"] == stored.get("createdAt")


def holds_session(stored: object, wanted: bytes) -> bool:
    """Whether the stored session shows what is wanted; dates are never changed by an update."""
    payload = json.loads(wanted)
    return isinstance(stored, dict) and all(
        stored.get(name) == payload[name] for name in SESSION_FIELDS if name in payload
    )


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
