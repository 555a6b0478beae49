"""What a message says, as it is stored: its text and its parts together, compressed.

Most texts are said twice, in the text and in the parts, and compress to a quarter; so the database stays
smaller than the transcripts it shows. zstd is Python's own from 3.14 on; `backports.zstd` is that module for
the versions before.
"""

import sys
import threading
from dataclasses import dataclass
from functools import cached_property

import msgspec

from pi_opensync.dashboard.parts import StoredPart, parts_to_show, to_json
from pi_opensync.dashboard.runs import Run, runs_in
from pi_opensync.sqlite import Row

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_decode = msgspec.json.Decoder().decode
_LEVEL = 3
_LEAST = 200  # bytes; what is shorter hardly gets smaller
_JSON = b"["  # begins what is not compressed


@dataclass(frozen=True)
class StoredContent:
    """`text` is None where none was sent."""

    text: str | None
    parts: list[StoredPart]

    @cached_property
    def runs(self) -> list[Run]:
        """The tools that ran."""
        return list(runs_in(self.parts))

    @cached_property
    def json(self) -> str:
        """All of it; the text is left out where the parts say the same."""
        text: str | bool | None = self.text
        if text is not None and text == _said(self.parts):
            text = True
        return to_json([text, *([part.type, part.content] for part in self.parts)])


class _Compressors(threading.local):
    """One for each thread: to make one takes longer than to compress a message."""

    def __init__(self) -> None:
        self.compressor = zstd.ZstdCompressor(_LEVEL)


_compressors = _Compressors()


def pack(content: StoredContent) -> bytes:
    body = content.json.encode()
    if len(body) < _LEAST:
        return body
    return _compressors.compressor.compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


def unpack(body: bytes) -> StoredContent:
    text, *parts = _decode(body if body.startswith(_JSON) else zstd.decompress(body))
    found = [StoredPart(kind, content) for kind, content in parts]
    return StoredContent(_said(found) if text is True else text, found)


def _said(parts: list[StoredPart]) -> str:
    """The text that pi-opensync and most plugins make of the parts."""
    return "\n".join(part.content for part in parts if part.type == "text" and isinstance(part.content, str))


class StoredMessage:
    """A message as it was read; what it says is unpacked when it is asked for, after the read."""

    def __init__(self, row: Row) -> None:
        self.row = row

    @cached_property
    def content(self) -> StoredContent:
        return unpack(self.row["body"])

    @property
    def id(self) -> int:
        value: int = self.row["id"]
        return value

    @property
    def text(self) -> str | None:
        return self.content.text

    @property
    def parts(self) -> list[StoredPart]:
        return self.content.parts

    @property
    def shown(self) -> list[tuple[int, StoredPart]]:
        return parts_to_show(self.text, self.parts)
