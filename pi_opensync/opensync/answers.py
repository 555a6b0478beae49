"""What OpenSync's answers hold, each read in one place; None where an answer is not what it should be."""

import json
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from pi_opensync.model import SOURCE
from pi_opensync.opensync.limits import SEARCH_TEXT, update_key
from pi_opensync.opensync.outcomes import Outcome, Verdict

OWN_SERVER = "pi-opensync"
DELETED = "deleted"  # in what it answers, the sessions that a reader deleted there

encode = msgspec.json.Encoder().encode
_MESSAGE_FIELDS = (
    "externalId",
    "role",
    "textContent",
    "model",
    "promptTokens",
    "completionTokens",
    "durationMs",
    "createdAt",
    "parts",
)


def listed(outcome: Outcome) -> frozenset[str] | None:
    """The external ids of `/sync/sessions/list`."""
    ids = outcome.body.get("sessionIds")
    if outcome.verdict is not Verdict.DELIVERED or not isinstance(ids, list):
        return None
    return frozenset(item for item in ids if isinstance(item, str))


def takes_extras(outcome: Outcome) -> bool:
    """Whether `/health` was answered by pi-opensync's own server, which takes more than OpenSync."""
    return outcome.verdict is Verdict.DELIVERED and outcome.body.get("server") == OWN_SERVER


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


def deleted(outcome: Outcome) -> frozenset[str]:
    """The external ids that `/api/sessions` of pi-opensync's own server names as deleted there."""
    ids = outcome.body.get(DELETED)
    return frozenset(item for item in ids if isinstance(item, str)) if isinstance(ids, list) else frozenset()


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


def search_text(outcome: Outcome, external_id: str, held: AbstractSet[str]) -> dict[str, bytes]:
    """The first messages of a session that was read back, as many as its search text holds, by their ids.

    `held` are the ids of those whose text it holds. Each body says what the server holds of the message, so
    that putting it changes nothing else.
    """
    stored = [item for item in stored_messages(outcome) or () if isinstance(item, dict)]
    texts = {str(item.get("externalId")): " ".join(text_parts(item)) for item in stored}
    room = SEARCH_TEXT - _units(str((stored_session(outcome) or {}).get("title") or ""))
    room -= sum(1 + _units(text) for key, text in texts.items() if key in held)
    bodies: dict[str, bytes] = {}
    for item in sorted(stored, key=lambda item: item.get("createdAt") or 0):
        key = str(item.get("externalId"))
        if room <= 0 or key in held or not texts[key]:
            continue
        room -= 1 + _units(texts[key])
        kept = {name: item[name] for name in _MESSAGE_FIELDS if item.get(name) is not None}
        bodies[key] = encode(kept | {"sessionExternalId": external_id, "source": SOURCE})
    return bodies


def text_parts(item: dict[str, Any]) -> list[str]:
    """What the server's search takes of a message that was read back."""
    parts = item.get("parts")
    return [
        part["content"]
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("content"), str)
    ]


def found(outcome: Outcome) -> list[str] | None:
    """The external ids of the sessions of `/api/search`, the best first."""
    results = outcome.body.get("results")
    if outcome.verdict is not Verdict.DELIVERED or not isinstance(results, list):
        return None
    return [str(item.get("externalId")) for item in results if isinstance(item, dict)]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


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
