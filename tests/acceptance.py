"""What OpenSync accepts, asked of the stand-in's validators."""

from typing import Any

import msgspec

from pi_opensync.opensync.payloads import encode
from tests.standin.values import MESSAGE, SESSION, check_arguments, check_document

MAX_PAYLOAD = 900_000  # bytes of JSON


def accepted(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as the server sees it. Raises AssertionError over 900 KB, and RefusedValueError."""
    data = encode(payload)
    if len(data) > MAX_PAYLOAD:
        raise AssertionError("a payload is over 900 KB")
    seen: dict[str, Any] = msgspec.json.decode(data)
    check_arguments(seen, MESSAGE if "role" in seen else SESSION)
    check_document({name: value for name, value in seen.items() if name != "parts"})
    for part in seen.get("parts", ()):
        check_document(part)
        _check_part(part)
    return seen


def _check_part(part: dict[str, Any]) -> None:
    """What the dashboard needs to draw a part."""
    content = part["content"]
    if part["type"] == "tool-call":
        if not isinstance(content["toolName"], str) or not isinstance(content["args"], dict):
            raise AssertionError("a call is not drawn")
    elif part["type"] not in ("text", "tool-result") or not isinstance(content, str):
        raise AssertionError("a part is not drawn")
