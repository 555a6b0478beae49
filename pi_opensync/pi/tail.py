"""From a path and a cursor to complete lines and a new cursor.

A cursor is verified before it is trusted, because pi rewrites files in place (migration, fork, repair) and
people copy, restore and move them. Files are opened, read and closed, never held and never written.
"""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

_pack = msgspec.msgpack.Encoder().encode
PIECE = 1 << 20  # bytes read at a time
WINDOW = 4096  # bytes before the offset that are compared before it is trusted
HEADER_STEP = 512
MAX_HEADER = 64 << 10
MAX_LINE = 64 << 20  # a longer line is passed over and counted as broken


class Signature(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What `stat` says of a file: while it stays the same, the file is not opened."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    def packed(self) -> bytes:
        """As bytes, which are alike where the signatures are."""
        return _pack(self)

    @classmethod
    def of(cls, status: os.stat_result) -> "Signature":
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How far a transcript was read, and what to recognise it by.

    `head` is a hash of the first line (of its first 4 KiB), `window` one of the up to 4 KiB before
    `offset`, `checksum` the CRC-32 of every byte before it.
    """

    offset: int = 0
    head_length: int = 0
    head: bytes = b""
    window: bytes = b""
    checksum: int = 0


START = Cursor()


class Line(msgspec.Struct, frozen=True):
    """A complete line without its newline; `data` is None where it was too long to be read."""

    offset: int
    length: int
    data: bytes | None

    def __repr__(self) -> str:
        return f"Line({self.offset}, {self.length})"  # what it says is no one's to see


@dataclass(frozen=True, slots=True)
class Piece:
    """Complete lines, the cursor behind them, and whether the file (as opened) has no more of them."""

    lines: list[Line]
    cursor: Cursor
    at_end: bool
    start: Cursor = START
    before: bytes = b""  # the window before the first line

    def cursor_after(self, count: int) -> Cursor:
        """The cursor behind the first `count` lines."""
        if count == len(self.lines):
            return self.cursor
        data = b"".join((line.data or b"") + b"\n" for line in self.lines[:count])
        if not data:
            return self.start
        head = data[: self.lines[0].length + 1] if self.start.offset == 0 else b""
        window = (self.before + data)[-WINDOW:]
        offset = self.start.offset + len(data)
        return _advance(self.start, head, window, zlib.crc32(data, self.start.checksum), offset)


@contextmanager
def opened(path: bytes) -> Iterator[int]:
    """A descriptor for reading. Raises OSError; IsADirectoryError for anything but a regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(0, "not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def verified(descriptor: int, cursor: Cursor, before: Signature | None, now: Signature) -> bytes | None:
    """The last bytes before the cursor if all before it are still the ones that were read, else None.

    Growth of the same file is checked by its first line and the window before the offset; anything
    else that changed (another inode, the same size with another time) by every byte before it.
    """
    if cursor.offset == 0:
        return b""
    if now.size < cursor.offset:
        return None
    same_file = before is not None and (before.device, before.inode) == (now.device, now.inode)
    if before is not None and same_file and now.size > before.size:
        head = os.pread(descriptor, cursor.head_length, 0)
        window = _window(descriptor, cursor.offset)
        return window if (_hash(head), _hash(window)) == (cursor.head, cursor.window) else None
    whole = _checksum(descriptor, cursor.offset) == cursor.checksum
    return _window(descriptor, cursor.offset) if whole else None


def first_line(descriptor: int, size: int) -> bytes:
    """The first line that is not blank, without reading far beyond it; empty while it has no newline."""
    data = b""
    while len(data) < min(size, MAX_HEADER):
        block = os.pread(descriptor, HEADER_STEP, len(data))
        if not block:
            break
        data += block
        *lines, _rest = data.split(b"\n")
        line = next((line for line in lines if line.strip()), None)
        if line is not None:
            return line
    return b""


def read_piece(descriptor: int, cursor: Cursor, size: int, window: bytes | None = None) -> Piece:
    """The next complete lines below `size`, about PIECE bytes of them, or one longer line.

    `window` is what `verified` returned: the last bytes before the cursor, where they are at hand.
    """
    start = cursor.offset
    block = os.pread(descriptor, min(PIECE, size - start), start) if size > start else b""
    end = block.rfind(b"\n") + 1
    if end == 0:
        newline = _find_newline(descriptor, start + len(block), size)
        if newline is None:
            return Piece([], cursor, at_end=True)
        return _long_line(descriptor, cursor, newline, size)
    if end < len(block):
        block = block[:end]
    lines: list[Line] = []
    offset = start
    for data in block.split(b"\n")[:-1]:
        lines.append(Line(offset, len(data), data))
        offset += len(data) + 1
    head = block[: lines[0].length + 1] if start == 0 else b""
    if window is None:
        window = _window(descriptor, start)
    tail = (window + block)[-WINDOW:]
    moved = _advance(cursor, head, tail, zlib.crc32(block, cursor.checksum), offset)
    return Piece(lines, moved, at_end=start + end >= size, start=cursor, before=window)


def unterminated(descriptor: int, cursor: Cursor, size: int) -> Line | None:
    """What stands behind the last newline, where that may be a whole object, and is not too long."""
    length = size - cursor.offset
    if not 0 < length <= MAX_LINE or os.pread(descriptor, 1, size - 1) != b"}":
        return None
    data = os.pread(descriptor, length, cursor.offset)
    return Line(cursor.offset, len(data), data) if len(data) == length and b"\n" not in data else None


def _long_line(descriptor: int, cursor: Cursor, newline: int, size: int) -> Piece:
    start = cursor.offset
    length = newline - start
    data = os.pread(descriptor, length, start) if length <= MAX_LINE else None
    if data is None:
        checksum = _checksum(descriptor, newline + 1, start, cursor.checksum)
    else:
        checksum = zlib.crc32(b"\n", zlib.crc32(data, cursor.checksum))
        if len(data) != length:
            return Piece([], cursor, at_end=True)
    head = os.pread(descriptor, WINDOW, 0) if start == 0 else b""
    moved = _advance(cursor, head, _window(descriptor, newline + 1), checksum, newline + 1)
    return Piece([Line(start, length, data)], moved, at_end=newline + 1 >= size, start=cursor)


def _advance(cursor: Cursor, head: bytes, window: bytes, checksum: int, offset: int) -> Cursor:
    if cursor.offset == 0:
        head = head[:WINDOW]
        cursor = replace_cursor(cursor, head_length=len(head), head=_hash(head))
    return replace_cursor(cursor, offset=offset, window=_hash(window), checksum=checksum)


def replace_cursor(cursor: Cursor, **changes: object) -> Cursor:
    return msgspec.structs.replace(cursor, **changes)


def _find_newline(descriptor: int, start: int, size: int) -> int | None:
    position = start
    while position < size:
        block = os.pread(descriptor, min(PIECE, size - position), position)
        if not block:
            return None
        found = block.find(b"\n")
        if found >= 0:
            return position + found
        position += len(block)
    return None


def _window(descriptor: int, offset: int) -> bytes:
    start = max(0, offset - WINDOW)
    return os.pread(descriptor, offset - start, start)


def _checksum(descriptor: int, end: int, start: int = 0, checksum: int = 0) -> int:
    while start < end:
        block = os.pread(descriptor, min(PIECE, end - start), start)
        if not block:
            return -1
        checksum = zlib.crc32(block, checksum)
        start += len(block)
    return checksum


def _hash(data: bytes) -> bytes:
    from hashlib import blake2b  # noqa: PLC0415 - loads a library that most commands do without

    return blake2b(data, digest_size=16).digest()
