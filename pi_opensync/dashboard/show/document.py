"""A session as a file of one's own: Markdown to read, JSON to work with, JSONL as OpenSync gives it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import tzinfo
from typing import Any

from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.db.readback import window
from pi_opensync.dashboard.parts import StoredPart, call_of, text_of, to_json
from pi_opensync.dashboard.show.visible import count, duration, moment, money, source_label
from pi_opensync.sqlite import Database, Row

FORMATS = {"json": "application/json", "markdown": "text/markdown", "jsonl": "application/x-ndjson"}
_SUFFIX = {"html": "html", "json": "json", "markdown": "md", "jsonl": "jsonl"}
_PAGE = 100

Reading = Callable[[], AbstractContextManager[Database]]


def filename(session: Row, kind: str) -> str:
    """Return a name that is safe on every system and in a header: ASCII letters, digits and dashes."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", session["title"] or "")[:80].strip("-")
    return f"{stem or 'session'}.{_SUFFIX[kind]}"


def session_json(session: Row) -> dict[str, Any]:
    """Return a session as the API shows it; what is not known is left out."""
    fields = {
        "id": str(session["id"]),
        "externalId": session["external_id"],
        "source": session["source"],
        "title": session["title"],
        "projectPath": session["project_path"],
        "projectName": session["project_name"],
        "machine": session["machine"],
        "model": session["model"],
        "provider": session["provider"],
        "promptTokens": session["prompt_tokens"],
        "completionTokens": session["completion_tokens"],
        "totalTokens": session["prompt_tokens"] + session["completion_tokens"],
        "cacheReadTokens": session["cache_read_tokens"],
        "cacheWriteTokens": session["cache_write_tokens"],
        "cost": session["cost"],
        "durationMs": session["duration_ms"],
        "parentId": None if session["parent_id"] is None else str(session["parent_id"]),
        "isPublic": False,
        "messageCount": session["message_count"],
        "createdAt": session["created_at"],
        "updatedAt": session["updated_at"],
    }
    return _known(fields)


def message_json(message: StoredMessage) -> dict[str, Any]:
    row = message.row
    fields = {
        "id": str(row["id"]),
        "externalId": row["external_id"],
        "role": row["role"],
        "textContent": message.text,
        "model": row["model"],
        "promptTokens": row["prompt_tokens"],
        "completionTokens": row["completion_tokens"],
        "cacheReadTokens": row["cache_read_tokens"],
        "cacheWriteTokens": row["cache_write_tokens"],
        "cost": row["cost"],
        "durationMs": row["duration_ms"],
        "createdAt": row["created_at"],
        "parts": [{"type": part.type, "content": part.content} for part in message.parts],
    }
    return _known(fields)


def messages(reading: Reading, session_id: int) -> Iterator[StoredMessage]:
    """All messages of a session, a page at a time, so that no writer waits for a slow reader."""
    after: int | None = None
    while True:
        with reading() as con:
            page = window(con, session_id, limit=_PAGE, after=after)
        yield from page.messages
        if not page.after or not page.messages:
            return
        after = page.messages[-1].row["id"]


def as_json(reading: Reading, session: Row) -> Iterator[str]:
    """`{session, messages}`, in pieces."""
    yield '{"session":' + to_json(session_json(session)) + ',"messages":['
    for index, message in enumerate(messages(reading, session["id"])):
        yield ("," if index else "") + to_json(message_json(message))
    yield "]}"


def as_jsonl(reading: Reading, session: Row) -> Iterator[str]:
    """Return a `{role, content}` line for each message."""
    for message in messages(reading, session["id"]):
        yield to_json({"role": message.row["role"], "content": text_of_message(message)}) + "\n"


def as_chat(reading: Reading, session: Row) -> Iterator[str]:
    """`{session: {id, title, model}, messages: [{role, content}]}`, OpenSync's own JSON export, in pieces."""
    head = _known({"id": str(session["id"]), "title": session["title"], "model": session["model"]})
    yield '{"session":' + to_json(head) + ',"messages":['
    for index, message in enumerate(messages(reading, session["id"])):
        yield ("," if index else "") + to_json(
            {"role": message.row["role"], "content": text_of_message(message)}
        )
    yield "]}"


def as_markdown(reading: Reading, session: Row, zone: tzinfo | None) -> Iterator[str]:
    """Return a heading, the facts, and each message with its tool calls in fenced blocks."""
    yield f"# {_line(session['title'] or 'Untitled')}\n\n"
    facts = {
        "Source": source_label(session["source"]),
        "Project": session["project_path"] or session["project_name"],
        "Model": session["model"],
        "Started": moment(session["created_at"], zone),
        "Tokens": f"{count(session['prompt_tokens'])} in, {count(session['completion_tokens'])} out",
        "Cost": money(session["cost"]),
        "Time": duration(session["duration_ms"]) if session["duration_ms"] else None,
        "Id": session["external_id"],
    }
    yield "".join(f"- **{name}:** {_line(value)}\n" for name, value in facts.items() if value)
    for message in messages(reading, session["id"]):
        role = message.row["role"].capitalize()
        yield f"\n---\n\n## {role}, {moment(message.row['created_at'], zone)}\n\n"
        yield "\n\n".join(_part_markdown(part) for _, part in message.shown) + "\n"


def _part_markdown(part: StoredPart) -> str:
    if part.kind == "tool-call":
        call = call_of(part.content)
        pieces = [f"**{_line(call.name)}**"]
        if isinstance(call.args, str):
            pieces.append(_fenced(call.args, ""))
        elif call.args is not None:
            pieces.append(_fenced(json.dumps(call.args, ensure_ascii=False, indent=2), "json"))
        if call.result is not None:
            pieces.append(_fenced(text_of(call.result), ""))
        return "\n\n".join(pieces)
    if part.is_image:
        return "*[image]*"
    text = text_of(part.content)
    if part.kind == "text":
        return text
    return _fenced(text, "")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def text_of_message(message: StoredMessage) -> str:
    """What it says, without its tool calls."""
    texts = [text_of(part.content) for part in message.parts if part.kind == "text"]
    return "\n".join(text for text in texts if text) or message.text or ""


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
