"""What of a transcript the dashboard does not get, by kind."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pi_opensync.pi import tail
from pi_opensync.pi.entries import Broken, Entry, Header, decode_line
from pi_opensync.pi.translate import Options

HIDDEN = "hidden messages of extensions"


def left_out(path: bytes, options: Options) -> Counter[str]:
    """Raises OSError where the file can not be read."""
    counts: Counter[str] = Counter()
    for item in _items(path):
        if isinstance(item, Broken):
            counts["broken lines"] += 1
        elif isinstance(item, Entry):
            counts.update(_left_out_of(item, options))
    return counts


def _items(path: bytes) -> Iterator[Entry | Header | Broken]:
    cursor = tail.START
    with tail.opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        while True:
            piece = tail.read_piece(descriptor, cursor, size)
            for line in piece.lines:
                yield from decode_line(line.data) if line.data is not None else [Broken(0, line.length)]
            cursor = piece.cursor
            if piece.at_end:
                return


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
