"""Exactly what would be sent of a transcript, what was redacted in it, and what is left out."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pi_opensync.opensync.payloads import as_server_dated
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.views import exclusions, tally, wanted_rows, withheld

WITHHELD_MESSAGES = "messages that could not be redacted"


@dataclass(frozen=True, slots=True)
class Preview:
    """`sessions` are pairs of a session's payload and its messages' payloads."""

    sessions: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    redacted: dict[str, int]
    left_out: dict[str, int]
    excluded: list[str]


def preview(
    wanted: StateDatabase,
    redacted: Counter[str],
    *,
    server_dated: Callable[[str], bool],
) -> Preview:
    """What a store holds that was filled for the purpose, as `dry.folded` does.

    `server_dated` says of a session's id whether it goes without dates.
    """
    sessions = []
    for row in wanted_rows(wanted):
        as_sent = as_server_dated if server_dated(row.external_id) else bytes
        messages = [json.loads(as_sent(body)) for body, leaves in row.messages if leaves]
        sessions.append((json.loads(as_sent(row.payload)), messages))
    count = withheld(wanted)
    tallied = tally(wanted)
    kept = tallied.left_out | ({WITHHELD_MESSAGES: count} if count else {})
    if tallied.broken_lines:
        kept["broken lines"] = tallied.broken_lines
    return Preview(sessions, dict(redacted), kept, exclusions(wanted))
