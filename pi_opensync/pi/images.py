"""The images of an entry: for a dashboard on this machine alone, as nothing can redact them."""

from typing import Any

from pi_opensync import texts
from pi_opensync.model import Options, Part

MAX_IMAGE = 3 << 20  # characters of base64
MAX_IMAGES = 6 << 20  # of all of an entry


def images(message: dict[str, Any], options: Options) -> tuple[Part, ...]:
    """A part for each image that is to be shown; of the others a line in the text is all that is told."""
    content = message.get("content")
    if not options.images or not isinstance(content, list):
        return ()
    shown: list[Part] = []
    room = MAX_IMAGES
    for block in content:
        data = block.get("data") if isinstance(block, dict) and block.get("type") == "image" else None
        if isinstance(data, str) and data.isascii() and 0 < len(data) <= min(MAX_IMAGE, room):
            room -= len(data)
            kind = texts.name(block.get("mimeType")) or "image"
            shown.append(Part("image", {"data": data, "mimeType": kind}))
    return tuple(shown)
