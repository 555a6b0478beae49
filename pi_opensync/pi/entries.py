"""From a line of a transcript to typed entries.

pi writes one JSON object a line. Files exist with objects glued together, torn, after a run of NULs or a
byte order mark, with lone surrogates, invalid UTF-8, numbers of hundreds of digits and nesting of
thousands of levels. Nothing here raises: what can not be decoded comes back as `Broken` with its byte range.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pi_opensync.model import Broken, Header

MAX_JS_MILLISECONDS = 8_640_000_000_000_000  # the range of a JavaScript Date
SALVAGE_BUDGET = 8  # how often over, at most, a broken line is searched for whole entries
MAX_DEPTH = 100  # nesting kept as structure; what lies deeper becomes text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_JSON_SPACE = b" \t\r\n\0"
_OBJECT_START = re.compile(rb'\{\s*"type"\s*:')
# A string (also one without its end, so that a torn line is scanned once) or a bracket.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_BYTES_TOKEN = re.compile(_TOKEN.pattern.encode(), re.DOTALL)
_MAX_INTEGER_DIGITS = 4000  # Python refuses to convert longer ones

_decode = msgspec.json.Decoder().decode


class Entry(msgspec.Struct, frozen=True):
    """One entry below a header. `timestamp` is in Unix milliseconds, None where pi wrote none."""

    type: str
    id: str | None
    timestamp: int | None
    body: dict[str, Any]

    def __repr__(self) -> str:
        return f"Entry({self.type!r}, {self.id!r}, {self.timestamp!r})"  # what it says is no one's to see


Decoded = Entry | Header | Broken


def decode_line(line: bytes) -> list[Decoded]:
    """Everything that a complete line (without its newline) holds, in order; empty for a blank line."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip(_JSON_SPACE)
    if not text:
        return [] if not line.strip() else [Broken(0, len(line))]
    value = _decode_object(text)
    if value is not None:
        return [_typed(value, len(line))]
    return list(_salvage(line))


def flattened(line: bytes) -> list[Decoded]:
    """`decode_line` for a line whose nesting is too deep to be walked: the depths become text."""
    text = line.decode("utf-8", "replace").lstrip("\ufeff").strip(" \t\r\n\0")
    value = _loads(_flatten(text))
    return [_typed(value, len(line)) if isinstance(value, dict) else Broken(0, len(line))]


def milliseconds(value: object) -> int | None:
    """Unix milliseconds of an ISO 8601 string or a number that a JavaScript Date could hold, else None."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MILLISECOND
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 < value <= MAX_JS_MILLISECONDS:
        return None
    return round(value)


def _typed(value: dict[str, Any], length: int) -> Decoded:
    kind = value.get("type")
    if not isinstance(kind, str):
        return Broken(0, length)
    if kind == "session":
        return _header(value) or Broken(0, length)
    return Entry(
        type=kind, id=_text(value.get("id")), timestamp=milliseconds(value.get("timestamp")), body=value
    )


def _header(value: dict[str, Any]) -> Header | None:
    session_id = _text(value.get("id"))
    if session_id is None:
        return None
    keys = list(value)
    version = value.get("version")
    return Header(
        id=session_id,
        timestamp_text=_text(value.get("timestamp")) or "",
        timestamp=milliseconds(value.get("timestamp")),
        cwd=_text(value.get("cwd")),
        version=version if isinstance(version, int) and not isinstance(version, bool) else 1,
        parent=_text(value.get("parentSession")) or _text(value.get("branchedFrom")),
        provider=_text(value.get("provider")),
        model=_text(value.get("modelId")),
        renumbered="version" in keys and keys.index("version") > keys.index("id"),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _decode_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None. Falls back where the fast decoder is too strict."""
    try:
        value = _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        if not (text.startswith(b"{") and text.endswith(b"}")):
            return None
        value = _decode_tolerantly(text.decode("utf-8", "replace"))
    return value if isinstance(value, dict) else None


def _decode_tolerantly(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        return _loads(_flatten(text))
    except ValueError:
        return None


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else digits


def _flatten(text: str) -> str:
    """The same JSON with every value deeper than MAX_DEPTH written as a string of its own JSON."""
    pieces: list[str] = []
    depth = 0
    kept = 0
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces.append(text[kept : token.start()])
                kept = token.start()
        elif mark in "]}":
            if depth == MAX_DEPTH + 1:
                pieces.append(json.dumps(text[kept : token.end()]))
                kept = token.end()
            depth -= 1
    pieces.append(text[kept:])
    return "".join(pieces)


def _salvage(line: bytes) -> Iterator[Decoded]:
    """Whole entries within a line that is not one object: glued, torn, or after other bytes."""
    done = 0
    budget = SALVAGE_BUDGET * len(line)
    for start in _OBJECT_START.finditer(line):
        if start.start() < done:
            continue
        if budget < 0:
            break
        end = _object_end(line, start.start())
        budget -= (end or len(line)) - start.start()
        value = None if end is None else _decode_object(line[start.start() : end])
        if end is None or value is None or not _looks_like_an_entry(value):
            continue
        if line[done : start.start()].strip(_JSON_SPACE):
            yield Broken(done, start.start())
        yield _typed(value, end)
        done = end
    if done == 0 or line[done:].strip(_JSON_SPACE):
        yield Broken(done, len(line))


def _looks_like_an_entry(value: dict[str, Any]) -> bool:
    """False for a content block, the other object of pi's that begins with a type."""
    return "timestamp" in value and isinstance(value.get("type"), str)


def _object_end(line: bytes, start: int) -> int | None:
    """Where the object that begins at `start` closes, by counting brackets outside strings."""
    depth = 0
    for token in _BYTES_TOKEN.finditer(line, start):
        mark = token.group()
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return token.end()
    return None
