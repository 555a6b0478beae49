"""Sessions and messages as OpenSync's wire takes them.

OpenSync stores Convex values: no null, object keys of printable ASCII that begin neither with `$` nor `_`,
at most 1,024 fields, 8,192 items and 64 levels, a document under 1 MiB. What does not fit is written
another way, never left out in silence.
"""

import re
from hashlib import blake2b
from typing import Any

import msgspec

from pi_opensync import texts
from pi_opensync.model import SOURCE, Message, Options, Part, Session, Usage, Whereabouts
from pi_opensync.opensync.limits import (
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_KEY,
    MAX_MESSAGE,
    MAX_NESTING,
    MAX_PARTS,
)
from pi_opensync.privacy.cleaner import Cleaner

IMAGE = "image"  # the type of a part
MIN_TEXT = 256  # bytes that a text keeps, however many share its message

_THINKING = re.compile(r"<thinking>\n.*?\n</thinking>\n*", re.DOTALL)

NOTHING = Usage()

encode = msgspec.json.Encoder().encode


def session_payload(
    session: Session,
    title: str,
    *,
    delegated: Usage = NOTHING,
    extras: Whereabouts | None = None,
) -> dict[str, Any]:
    """The body of `/sync/session`: counts always, what is not known left out.

    `delegated` is usage of subagents that have no session of their own. With `extras`, what only
    pi-opensync's own server takes is added, and these among it.
    """
    payload: dict[str, Any] = {"externalId": session.external_id, "source": SOURCE, "title": title}
    if session.cwd:
        payload["projectPath"] = session.cwd
        payload["projectName"] = project_name(session.cwd)
    if session.model:
        payload["model"] = session.model
    if session.provider:
        payload["provider"] = session.provider
    usage = session.usage + delegated
    payload["promptTokens"] = usage.prompt
    payload["completionTokens"] = usage.completion
    payload["cost"] = usage.cost
    payload["durationMs"] = session.duration_ms
    if session.created_at is not None:
        payload["createdAt"] = session.created_at
    return payload if extras is None else payload | _session_extras(session, usage, extras)


def _session_extras(session: Session, usage: Usage, where: Whereabouts) -> dict[str, Any]:
    more: dict[str, Any] = {
        "cacheReadTokens": usage.cache_read,
        "cacheWriteTokens": usage.cache_write,
        "isSubagent": session.is_subagent,
        "spent": [
            {
                "at": one.at,
                "model": one.model,
                "kind": one.kind,
                "promptTokens": one.usage.prompt,
                "completionTokens": one.usage.completion,
                "cost": one.usage.cost,
            }
            for one in session.spent
        ],
    }
    if session.parent_id:
        more["parentExternalId"] = session.parent_id
    known = {"file": where.file, "machine": where.machine, "repositoryPath": where.repository}
    return more | {name: value for name, value in known.items() if value is not None}


def without_content(external_id: str) -> bytes:
    """A session's body that says nothing of it: what is kept of an excluded one."""
    return encode({"externalId": external_id, "title": ""})


def project_name(cwd: str) -> str:
    """The last component of a path of either kind; the path itself where it has none."""
    return cwd.replace("\\", "/").rstrip("/").rpartition("/")[2] or cwd


def message_payload(message: Message, session_external_id: str, *, extras: bool = False) -> dict[str, Any]:
    """The body of `/sync/message`, at most MAX_MESSAGE bytes of JSON; `extras` as for a session."""
    return _fitted(_payload(message, session_external_id, extras=extras))[0]


def message_body(message: Message, session_external_id: str, *, extras: bool = False) -> bytes:
    """The same as JSON."""
    return _fitted(_payload(message, session_external_id, extras=extras))[1]


def _fitted(whole: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """A payload of at most MAX_MESSAGE bytes without its images, and its JSON."""
    payload, body = whole, encode(whole)
    images = [part for part in whole["parts"] if part["type"] == IMAGE]
    if images:
        if len(body) - sum(len(part["content"]["data"]) for part in images) <= MAX_MESSAGE:
            return payload, body
        whole = whole | {"parts": [part for part in whole["parts"] if part["type"] != IMAGE]}
    limit = texts.MAX_TEXT
    while len(body) > MAX_MESSAGE and limit > MIN_TEXT:
        limit //= 2
        payload = whole | {name: _shortened(whole[name], limit) for name in ("textContent", "parts")}
        body = encode(payload)
    if len(body) > MAX_MESSAGE:
        note = texts.cut(encode(payload["parts"]).decode(), MAX_MESSAGE // 4)
        payload["parts"] = [{"type": "text", "content": note}]
        body = encode(payload)
    return payload, body


def cleaned(payload: bytes, clean: Cleaner, options: Options) -> dict[str, Any]:
    """A message's body cleaned once more, without what the options leave out by now.

    Raises `CannotRedact`.
    """
    value: dict[str, Any] = msgspec.json.decode(payload)
    value["textContent"] = clean(_without_thinking(value["textContent"], options))
    parts = []
    for part in value["parts"]:
        content = part["content"]
        if part["type"] == IMAGE:
            parts += [part] if options.images else []
            continue
        if part["type"] != "text" and not options.sync_tool_calls:
            continue
        if isinstance(content, str):
            content = clean(_without_thinking(content, options))
        elif part["type"] == "tool-result":
            # Without its diff: numbers between the lines would hide a secret of several lines.
            content = {name: value for name, value in content.items() if name != "diff"}
            content["text"] = clean(content["text"])
        else:
            content = {
                "toolName": clean(content["toolName"]),
                "args": acceptable(clean.json(content["args"])),
            }
        parts.append({"type": part["type"], "content": content})
    return value | {"parts": parts}


def _without_thinking(text: str, options: Options) -> str:
    return text if options.sync_thinking else _THINKING.sub("", text)


def as_server_dated(payload: bytes) -> bytes:
    """The body without its date: the server puts its own."""
    value: dict[str, Any] = msgspec.json.decode(payload)
    value.pop("createdAt", None)
    return encode(value)


def digest(body: bytes) -> bytes:
    """What tells two versions of a body apart: 16 bytes."""
    return blake2b(body, digest_size=16).digest()


def _payload(message: Message, session_external_id: str, *, extras: bool) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "sessionExternalId": session_external_id,
        "externalId": message.external_id,
        "role": message.role,
        "textContent": texts.cut(message.text),
        "source": SOURCE,
        "parts": _parts(message, extras=extras),
        "createdAt": message.created_at,
    }
    usage = message.usage
    known = {
        "model": message.model,
        "promptTokens": None if usage is None else usage.prompt,
        "completionTokens": None if usage is None else usage.completion,
        "durationMs": message.duration_ms,
    }
    if extras:
        known |= _message_extras(message, usage)
    return payload | {name: value for name, value in known.items() if value is not None}


def _message_extras(message: Message, usage: Usage | None) -> dict[str, Any]:
    return {
        "cost": None if usage is None else usage.cost,
        "cacheReadTokens": None if usage is None else usage.cache_read,
        "cacheWriteTokens": None if usage is None else usage.cache_write,
        "entryId": message.entry_id,
        "parentEntryId": message.parent_entry_id,
    }


def _parts(message: Message, *, extras: bool) -> list[dict[str, Any]]:
    parts = [
        {"type": part.type, "content": _of_part(part, extras=extras)} for part in message.parts[:MAX_PARTS]
    ]
    left_out = len(message.parts) - MAX_PARTS
    if left_out > 0:
        parts.append({"type": "text", "content": f"[... {left_out} parts left out ...]"})
    return parts


def _of_part(part: Part, *, extras: bool) -> Any:
    """A part's content; with `extras` that of a result has the change and the time that pi noted with it."""
    if part.type == IMAGE:
        return part.content
    content = _content(part.content)
    if not extras:
        return content
    known = {"diff": part.diff and texts.cut(part.diff), "durationMs": part.duration_ms}
    noted = {name: value for name, value in known.items() if value is not None}
    return {"text": content, **noted} if noted else content


def _content(content: Any) -> Any:
    if isinstance(content, str):
        return texts.cut(content)
    args = acceptable(content["args"])
    if not isinstance(args, dict):
        args = {"json": args}
    return {"toolName": content["toolName"], "args": args}


def acceptable(value: Any, depth: int = 0) -> Any:
    """The value as Convex stores it: keys mended, and what is too wide or too deep as a text of its JSON."""
    if isinstance(value, dict):
        if depth >= MAX_NESTING or len(value) > MAX_FIELDS:
            return texts.cut(encode(value).decode())
        mended: dict[str, Any] = {}
        for key, inner in value.items():
            name = mended_key(key)
            while name in mended:
                name = f".{name}"
            mended[name] = acceptable(inner, depth + 1)
        return mended
    if isinstance(value, list):
        if depth >= MAX_NESTING or len(value) > MAX_ITEMS:
            return texts.cut(encode(value).decode())
        return [acceptable(inner, depth + 1) for inner in value]
    return value


def mended_key(key: str) -> str:
    r"""A field name that OpenSync takes: `$ref` becomes `.$ref`, other refused characters `\uXXXX`."""
    if key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY and key[0] not in "$_":
        return key
    shown = "".join(char if char.isascii() and char.isprintable() else _escaped(char) for char in key)
    if len(shown) > MAX_KEY:
        mark = blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
        shown = f"{shown[: MAX_KEY - 32]}...{mark}"
    return shown if shown and shown[0] not in "$_" else f".{shown}"


def _escaped(char: str) -> str:
    data = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[index : index + 2].hex()}" for index in range(0, len(data), 2))


def _shortened(value: Any, limit: int) -> Any:
    """The payload with every text in it cut to `limit` bytes; keys and structure stay."""
    if isinstance(value, str):
        return texts.cut(value, limit)
    if isinstance(value, dict):
        return {key: _shortened(inner, limit) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner, limit) for inner in value]
    return value
