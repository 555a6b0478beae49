"""Images that a message holds: which bytes may be shown, and as what."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

MAX_IMAGE = 8 * 1024 * 1024
_DATA_KEYS = ("data", "base64", "image", "url")
# By their first bytes, whatever they are said to be. SVG is a program and is none of them.
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_RIFF, _WEBP = b"RIFF", b"WEBP"


@dataclass(frozen=True, slots=True)
class Image:
    media_type: str
    data: bytes


def holds_image(content: Any) -> bool:
    """Whether a part seems to hold an image small enough to be shown; only its beginning is read."""
    encoded = _encoded(content)
    if encoded is None or len(encoded) > MAX_IMAGE * 4 // 3 + 4:
        return False
    try:
        return _type_of(base64.b64decode(encoded[:24], validate=True)) is not None
    except binascii.Error:
        return False


def image_of(content: Any) -> Image | None:
    """Return the image of a part; None where it is none, too large, or not whole."""
    if not holds_image(content):
        return None
    try:
        data = base64.b64decode(_encoded(content) or "", validate=True)
    except binascii.Error:
        return None
    media_type = _type_of(data)
    return Image(media_type, data) if media_type else None


def _encoded(content: Any) -> str | None:
    """Find base64 in `{data}`, `{source: {data}}`, `{image_url: {url}}` or a data URL."""
    if isinstance(content, dict):
        for key in ("source", "image_url", "image"):
            if isinstance(content.get(key), dict):
                return _encoded(content[key])
        content = next(
            (content[key] for key in (*_DATA_KEYS, "url") if isinstance(content.get(key), str)), None
        )
    if not isinstance(content, str):
        return None
    if content.startswith("data:"):
        head, _, data = content.partition(",")
        return data if head.endswith(";base64") else None
    return content


def _type_of(data: bytes) -> str | None:
    if data[:4] == _RIFF and data[8:12] == _WEBP:
        return "image/webp"
    return next((media_type for sign, media_type in _SIGNS if data.startswith(sign)), None)
