"""What a session that somebody else sent already holds. Pure.

pi-opensync-plugin uses the same session ids and other message ids; a state folder that was lost leaves
messages of our own behind.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
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


class WantedMessage(Protocol):
    """A message of ours: its id, its date (ms), the body it is sent with."""

    @property
    def external_id(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def wanted(self) -> bytes: ...


Ours = TypeVar("Ours", bound=WantedMessage)


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
    others = [item for key, item in by_id.items() if key not in taken and is_foreign(item)]
    pairs = matched([payload for _message, payload in absent], others)
    result.by_others = [(absent[n][0], others[other]["externalId"]) for n, other in pairs.items()]
    return result


class Moments:
    """Messages by their moments, to find those of one role and moment."""

    def __init__(self, messages: Sequence[dict[str, Any]]) -> None:
        self._messages = messages
        self._dated = sorted(
            (float(item["createdAt"]), index) for index, item in enumerate(messages) if _is_dated(item)
        )

    def near(self, message: dict[str, Any]) -> list[tuple[bool, float, int]]:
        """(says something else, ms apart, index) of each of its role and moment."""
        if not _is_dated(message):
            return []
        moment = message["createdAt"]
        found: list[tuple[bool, float, int]] = []
        first = bisect_left(self._dated, (moment - SAME_MOMENT_MS, -1))
        for position in range(first, len(self._dated)):
            theirs, index = self._dated[position]
            if theirs > moment + SAME_MOMENT_MS:
                break
            other = self._messages[index]
            if other.get("role") == message.get("role"):
                differs = other.get("textContent") != message.get("textContent")
                found.append((differs, abs(theirs - moment), index))
        return found


def matched(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Each of ours with one of theirs of its role and moment, by index.

    The same text first, then the nearest.
    """
    moments = Moments(theirs)
    pairs = [
        (differs, apart, number, index)
        for number, message in enumerate(ours)
        for differs, apart, index in moments.near(message)
    ]
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _differs, _apart, number, index in sorted(pairs):
        if number not in found and index not in taken:
            found[number] = index
            taken.add(index)
    return found


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


def is_foreign(item: dict[str, Any]) -> bool:
    """Whether an id is not of our own making: ours carry a date of 13 digits behind the role."""
    key, role = item.get("externalId"), item.get("role")
    if not isinstance(key, str) or not isinstance(role, str):
        return False
    _head, mark, tail = key.rpartition(f"-{role}-")
    return not (mark and tail[:13].isdigit() and len(tail) >= 13)  # noqa: PLR2004 - digits of a date in ms


def _is_message(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("externalId"), str) and _is_dated(item)


def _is_dated(item: dict[str, Any]) -> bool:
    return isinstance(item.get("createdAt"), int | float)
