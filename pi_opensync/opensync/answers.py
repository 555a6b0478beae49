"""What OpenSync's answers hold, each read in one place; None where an answer is not what it should be."""

import json
from typing import Any

from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.opensync.rules import update_key


def listed(outcome: Outcome) -> frozenset[str] | None:
    """The external ids of `/sync/sessions/list`."""
    ids = outcome.body.get("sessionIds")
    if outcome.verdict is not Verdict.DELIVERED or not isinstance(ids, list):
        return None
    return frozenset(item for item in ids if isinstance(item, str))


def server_ids(outcome: Outcome) -> dict[str, str] | None:
    """The server's own ids of the sessions of `/api/sessions`, by ours."""
    listed = outcome.body.get("sessions")
    if outcome.verdict is not Verdict.DELIVERED or not isinstance(listed, list):
        return None
    return {
        item["externalId"]: item["id"]
        for item in listed
        if isinstance(item, dict)
        and isinstance(item.get("externalId"), str)
        and isinstance(item.get("id"), str)
    }


def session_id(outcome: Outcome) -> str | None:
    """The server's own id of a session that was put."""
    given = outcome.body.get("sessionId")
    return given if isinstance(given, str) else None


def stored_messages(outcome: Outcome) -> list[Any] | None:
    """The messages of a session that was read back."""
    stored = outcome.body.get("messages")
    return stored if outcome.verdict is Verdict.DELIVERED and isinstance(stored, list) else None


def stored_session(outcome: Outcome) -> dict[str, Any] | None:
    """The row of a session that was read back."""
    stored = outcome.body.get("session")
    return stored if isinstance(stored, dict) else None


def held_key(row: dict[str, Any]) -> bytes:
    """The key, as from `rules.update_key`, of a row that was read back."""
    return update_key(json.dumps(row).encode())


def updated_at(row: dict[str, Any]) -> float | None:
    """When the row was last written, in seconds, by the server's clock."""
    at = row.get("updatedAt")
    return at / 1000 if isinstance(at, int | float) else None


def batch_stored(outcome: Outcome, sent: int) -> bool:
    """Whether a batch stored all the messages that were sent with it; an older server does not count them."""
    return outcome.verdict is Verdict.DELIVERED and outcome.body.get("messages", sent) == sent


def keeps_date(outcome: Outcome, external_id: str, created_at: int) -> bool:
    """Whether a session that was read back holds the message with the date (ms) that it was sent with."""
    return any(
        isinstance(item, dict)
        and item.get("externalId") == external_id
        and item.get("createdAt") == created_at
        for item in stored_messages(outcome) or ()
    )
