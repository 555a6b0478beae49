"""One session as it is wanted, held against what the server read back. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pi_opensync.opensync.answers import text_parts
from pi_opensync.opensync.compare import Moments, holds_session, is_foreign, is_same, matched
from pi_opensync.opensync.limits import MAX_READ_BYTES, MAX_READ_MESSAGES
from pi_opensync.opensync.summary import summary

SAME_BEGINNING_MS = 60_000  # another client dates a session by the moment in which it first heard of it
MAX_WORDS = 8
LONGEST_WORD = 32  # characters; the server's search leaves out longer ones
_WORD = re.compile(r"\w+")
_PREFIX = re.compile(r"^\[(Fork|Subagent)::[^\]]*\] ")


@dataclass(slots=True)
class Differences:
    """Ids of one session's messages by what is wrong with them."""

    external_id: str
    title: str
    session_missing: bool = False
    session_different: bool = False
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    unlike: list[str] = field(
        default_factory=list
    )  # somebody else's that count as ours and say something else
    dated_otherwise: bool = False  # the session's own date, which no update changes
    unfound: bool = False  # the server's search finds none of its words
    unread: str | None = None  # why it can not be compared
    deleted: bool = False  # on the dashboard, by its reader

    @property
    def count(self) -> int:
        listed = (self.missing, self.different, self.duplicated, self.foreign, self.unlike)
        of_session = self.session_missing + self.session_different + self.dated_otherwise + self.unfound
        return sum(map(len, listed)) + of_session

    @property
    def can_be_repaired(self) -> bool:
        of_session = self.session_missing or self.session_different or self.unfound
        return bool(of_session or self.missing or self.different)


def unreadable(session: bytes, messages: Sequence[bytes]) -> Differences:
    """Of a session that the server has, and can not read back."""
    said = summary(session)
    large = len(messages) > MAX_READ_MESSAGES or sum(map(len, messages)) > MAX_READ_BYTES
    reason = "too large to read back" if large else "the server can not read it back"
    return Differences(said.id, said.title, unread=reason)


def of_deleted(session: bytes) -> Differences:
    """Of a session that was deleted on the dashboard: it is to be missing there."""
    said = summary(session)
    return Differences(said.id, said.title, deleted=True)


def words_to_find(session: bytes, messages: Iterable[bytes]) -> str | None:
    """Words of a renamed session by which the server's search must find it; None where none are needed.

    A session that was never renamed takes its title from what its first message says. Of a fork only what
    was said in it counts: what it copied, a search may find in its parent alone.
    """
    said = summary(session)
    title = _PREFIX.sub("", said.title).rstrip("…")
    begun = said.created_at if title != said.title.rstrip("…") else None
    bodies = [body for body in map(json.loads, messages) if begun is None or body["createdAt"] >= begun]
    texts = [text for body in bodies if (text := " ".join(text_parts(body)))]
    if not texts or any(title in " ".join(text.split()) for text in texts):
        return None
    known = set(_WORD.findall(title.lower()))
    spoken = (word for text in texts[:1] for word in _WORD.findall(text.lower()))
    words = dict.fromkeys(word for word in spoken if word not in known and 1 < len(word) <= LONGEST_WORD)
    return " ".join(sorted(words, key=len, reverse=True)[:MAX_WORDS]) or None


def compare(
    session: bytes,
    messages: Iterable[bytes],
    stored: dict[str, Any] | None,
    *,
    server_dates: bool,
) -> Differences:
    """`stored` is what the server read back, None where it has no such session."""
    said = summary(session)
    found = Differences(said.id, said.title)
    items = (stored or {}).get("messages")
    there = [item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict)]
    by_id: dict[str, list[dict[str, Any]]] = {}
    for item in there:
        by_id.setdefault(str(item.get("externalId")), []).append(item)
    found.session_missing = stored is None
    found.session_different = stored is not None and not holds_session(stored.get("session"), session)
    if stored is not None and not server_dates:
        found.dated_otherwise = not _is_dated_as(stored.get("session"), said.created_at)
    absent: list[dict[str, Any]] = []
    present: list[dict[str, Any]] = []
    for payload in map(json.loads, messages):
        same_id = by_id.pop(payload["externalId"], [])
        if not same_id:
            absent.append(payload)
            continue
        present.append(payload)
        if not is_same(payload, same_id[0], server_dates=server_dates):
            found.different.append(payload["externalId"])
        found.duplicated.extend([payload["externalId"]] * (len(same_id) - 1))
    others = [item for same_id in by_id.values() for item in same_id]
    foreign = [item for item in others if is_foreign(item)]
    counted = matched(absent, foreign)  # each counts as one of ours that is not there
    found.missing = [payload["externalId"] for number, payload in enumerate(absent) if number not in counted]
    found.unlike = [
        str(foreign[index].get("externalId"))
        for number, index in counted.items()
        if foreign[index].get("textContent") != absent[number]["textContent"]
    ]
    used = {id(foreign[index]) for index in counted.values()}
    moments = Moments(present)
    for item in others:
        if id(item) not in used:
            (found.duplicated if moments.near(item) else found.foreign).append(str(item.get("externalId")))
    return found


def _is_dated_as(row: object, created_at: int | None) -> bool:
    there = row.get("createdAt") if isinstance(row, dict) else None
    if created_at is None or not isinstance(there, int | float):
        return True
    return abs(there - created_at) <= SAME_BEGINNING_MS
