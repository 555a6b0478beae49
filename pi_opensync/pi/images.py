"""The images of an entry: for a dashboard on this machine alone, as nothing can redact them."""

from typing import Any

from pi_opensync import texts
from pi_opensync.model import Options, Part

MAX_IMAGE = 3 << 20  # characters of base64
MAX_IMAGES = 2  # of an entry


def images(message: dict[str, Any], options: Options) -> tuple[Part, ...]:
    """A part for each image that is to be shown; of the others a line in the text is all that is told."""
    content = message.get("content")
    if not options.images or not isinstance(content, list):
        return ()
    found = [block for block in content if isinstance(block, dict) and block.get("type") == "image"]
    shown = [
        Part("image", {"data": block["data"], "mimeType": texts.name(block.get("mimeType")) or "image"})
        for block in found
        if isinstance(block.get("data"), str)
        and block["data"].isascii()
        and 0 < len(block["data"]) <= MAX_IMAGE
    ]
    return tuple(shown[:MAX_IMAGES])
