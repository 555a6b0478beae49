"""The dashboard held against the transcripts: what is missing, different, there twice, or not of pi's."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from pi_opensync.errors import KeyRefused, NetworkError
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.compare import SAME_MOMENT_MS, holds_session, is_same
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.store.database import Database

ALL = 1_000_000  # more sessions than a dashboard has


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


async def differences(
    client: Client, wanted: Database, *, only: str | None, server_dated: set[str]
) -> AsyncIterator[Differences]:
    """Compare every session of the store `wanted` (or those whose id begins with `only`).

    `server_dated` are the sessions whose dates are the server's own. Raises `NetworkError`, `KeyRefused`.
    """
    listed = _body(await client.sessions(ALL), client).get("sessions")
    server_ids = {
        item["externalId"]: item["id"]
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and "externalId" in item and "id" in item
    }
    rows = wanted.execute("SELECT id, external_id, wanted FROM sessions ORDER BY id").fetchall()
    for session_id, external_id, payload in rows:
        if only is not None and not external_id.startswith(only):
            continue
        messages = wanted.execute(
            "SELECT wanted FROM messages WHERE session_id = ? ORDER BY position", (session_id,)
        )
        stored: dict[str, Any] | None = None
        if external_id in server_ids:
            stored = _body(await client.read_session(server_ids[external_id]), client)
        yield compare(
            external_id,
            payload,
            (json.loads(row[0]) for row in messages),
            stored,
            server_dates=external_id in server_dated,
        )


def compare(
    external_id: str,
    session: bytes,
    messages: Iterable[dict[str, Any]],
    stored: dict[str, Any] | None,
    *,
    server_dates: bool,
) -> Differences:
    """Pure: one session as it is wanted against what the server read back (None: it has no such session)."""
    found = Differences(external_id, json.loads(session)["title"])
    items = (stored or {}).get("messages")
    there = [item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict)]
    by_id: dict[str, list[dict[str, Any]]] = {}
    for item in there:
        by_id.setdefault(str(item.get("externalId")), []).append(item)
    found.session_missing = stored is None
    found.session_different = stored is not None and not holds_session(stored.get("session"), session)
    absent: list[dict[str, Any]] = []
    present: list[dict[str, Any]] = []
    for payload in messages:
        same_id = by_id.pop(payload["externalId"], [])
        if not same_id:
            absent.append(payload)
            continue
        present.append(payload)
        if not is_same(payload, same_id[0], server_dates=server_dates):
            found.different.append(payload["externalId"])
        found.duplicated.extend([payload["externalId"]] * (len(same_id) - 1))
    others = [item for same_id in by_id.values() for item in same_id]
    for payload in absent:
        match = _twin(payload, others)
        if match is None:
            found.missing.append(payload["externalId"])
        else:
            others.remove(match)  # somebody else's message counts as this one
    for item in others:
        twin = _twin(item, present)
        (found.foreign if twin is None else found.duplicated).append(str(item.get("externalId")))
    return found


def _twin(message: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The message of the same role and moment among others."""
    moment = message.get("createdAt")
    for other in others:
        theirs = other.get("createdAt")
        if (
            other.get("role") == message.get("role")
            and isinstance(theirs, int | float)
            and isinstance(moment, int | float)
            and abs(theirs - moment) <= SAME_MOMENT_MS
        ):
            return other
    return None


def want_again(state: Database, wanted: Database, found: Iterable[Differences], now: float) -> int:
    """Put what is missing or different back into the outbox; returns how many messages."""
    count = 0
    with state.transaction():
        for item in found:
            if item.session_missing or item.session_different:
                state.execute(
                    "UPDATE sessions SET acked_digest = CASE WHEN ? THEN NULL ELSE x'' END, parked = NULL "
                    "WHERE external_id = ?",
                    (item.session_missing, item.external_id),
                )
            for external_id, is_there in [(key, False) for key in item.missing] + [
                (key, True) for key in item.different
            ]:
                payload = wanted.one("SELECT wanted FROM messages WHERE external_id = ?", external_id)
                count += state.execute(
                    "UPDATE messages SET wanted = ?, parked = NULL, failures = 0, next_try = 0, "
                    "acked_digest = CASE WHEN ? THEN x'' END WHERE external_id = ?",
                    (payload, is_there, external_id),
                ).rowcount
            state.execute("UPDATE sessions SET due = ? WHERE external_id = ?", (now, item.external_id))
    return count


def _body(outcome: Outcome, client: Client) -> dict[str, Any]:
    if outcome.verdict is Verdict.KEY_REFUSED:
        raise KeyRefused(outcome.reason, hint="make a new key and run `pi-opensync login`")
    if outcome.verdict is not Verdict.DELIVERED:
        raise NetworkError(f"{client.host}: {outcome.reason}", hint="try again when it can be reached")
    return outcome.body
