"""Exactly what would be sent of a transcript, what was redacted in it, and what is left out."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pi_opensync.opensync.payloads import as_server_dated
from pi_opensync.pi.entries import Broken, Entry, Header
from pi_opensync.pi.translate import Options
from pi_opensync.store.database import Database

HIDDEN = "hidden messages of extensions"
WITHHELD_MESSAGES = "messages that could not be redacted"


@dataclass(frozen=True, slots=True)
class Preview:
    """`sessions` are pairs of a session's payload and its messages' payloads."""

    sessions: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    redacted: dict[str, int]
    left_out: dict[str, int]
    excluded: list[str]


def preview(
    wanted: Database,
    redacted: Counter[str],
    left_out: Counter[str],
    *,
    server_dated: Callable[[str], bool],
) -> Preview:
    """What a store holds that was filled for the purpose, as `scratch.folded` does.

    `server_dated` says of a session's id whether it goes without dates.
    """
    sessions = []
    for session_id, external_id, payload in wanted.execute(
        "SELECT id, external_id, wanted FROM sessions ORDER BY id"
    ).fetchall():
        as_sent = as_server_dated if server_dated(external_id) else bytes
        rows = wanted.execute(
            "SELECT wanted FROM messages WHERE session_id = ? AND wanted IS NOT NULL AND parked IS NULL "
            "ORDER BY position",
            (session_id,),
        )
        sessions.append((json.loads(as_sent(payload)), [json.loads(as_sent(row[0])) for row in rows]))
    withheld = wanted.one("SELECT count(*) FROM messages WHERE parked IS NOT NULL")
    excluded = wanted.execute("SELECT DISTINCT excluded FROM transcripts WHERE excluded IS NOT NULL")
    kept = dict(left_out) | ({WITHHELD_MESSAGES: withheld} if withheld else {})
    return Preview(sessions, dict(redacted), kept, [row[0] for row in excluded])


def left_out(items: Iterable[Entry | Header | Broken], options: Options) -> Counter[str]:
    """What the entries hold that the dashboard does not get, by kind."""
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Broken):
            counts["broken lines"] += 1
        elif isinstance(item, Entry):
            counts.update(_left_out_of(item, options))
    return counts


def _left_out_of(entry: Entry, options: Options) -> list[str]:
    message = entry.body.get("message")
    if entry.type == "message" and isinstance(message, dict):
        return _of_message(message, options)
    hidden = entry.type == "custom_message" and entry.body.get("display") is not True
    return [HIDDEN] if hidden or entry.type == "custom" else []


def _of_message(message: dict[str, Any], options: Options) -> list[str]:
    role = message.get("role")
    out: list[str] = []
    if role == "system":
        out.append("system prompts")
    elif role == "toolResult" and not options.sync_tool_calls:
        out.append("tool results")
    elif role == "bashExecution" and not options.sync_tool_calls:
        out.append("commands of yours")
    elif role in ("custom", "hookMessage") and message.get("display") is not True:
        out.append(HIDDEN)
    else:
        out += _of_blocks(message.get("content"), options)
    return out


def _of_blocks(content: object, options: Options) -> list[str]:
    blocks = content if isinstance(content, list) else []
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    out = ["images (a line stands for each)"] * kinds.count("image")
    if not options.sync_thinking:
        out += ["thinking"] * kinds.count("thinking")
    if not options.sync_tool_calls:
        out += ["tool calls"] * kinds.count("toolCall")
    return out
