"""One session as it is wanted, held against what the server read back. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pi_opensync.opensync.compare import Moments, holds_session, is_foreign, is_same, matched
from pi_opensync.opensync.summary import summary


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

    @property
    def count(self) -> int:
        listed = len(self.missing) + len(self.different) + len(self.duplicated) + len(self.foreign)
        return listed + self.session_missing + self.session_different

    @property
    def can_be_repaired(self) -> bool:
        return bool(self.session_missing or self.session_different or self.missing or self.different)


def server_ids(body: dict[str, Any]) -> dict[str, str]:
    """The server's own ids of the sessions that it listed, by ours."""
    listed = body.get("sessions")
    return {
        item["externalId"]: item["id"]
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and "externalId" in item and "id" in item
    }


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
    used = {id(foreign[index]) for index in counted.values()}
    moments = Moments(present)
    for item in others:
        if id(item) not in used:
            (found.duplicated if moments.near(item) else found.foreign).append(str(item.get("externalId")))
    return found
