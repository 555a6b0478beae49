"""From a fork's `parentSession`, a path that may be gone or of another machine, to the parent's id."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.pi.discover import SUFFIX
from pi_opensync.pi.entries import Header, decode_line
from pi_opensync.pi.tail import START, first_line, opened, read_piece


def first_header(path: bytes) -> Header | None:
    """The header that the file begins with; None where there is none to read."""
    try:
        with opened(path) as descriptor:
            size = os.fstat(descriptor).st_size
            header = _header(first_line(descriptor, size))
            if header is not None:
                return header
            lines = read_piece(descriptor, START, size).lines
    except OSError:
        return None
    headers = (_header(line.data) for line in lines if line.data is not None)
    return next((header for header in headers if header is not None), None)


def _header(line: bytes) -> Header | None:
    return next((item for item in decode_line(line) if isinstance(item, Header)), None)


@dataclass(frozen=True, slots=True)
class Parent:
    """The id of a session that another was forked from.

    `guessed_from` is the name of the parent's file where no such file could be read: it may appear later.
    """

    id: str | None
    guessed_from: str | None = None


def find_parent(
    parent: str, folders: tuple[Path, ...], find_by_name: Callable[[bytes], bytes | None]
) -> Parent:
    """The id in the parent's header, else the one in its file name.

    A path from a transcript is opened only if it is a `.jsonl` below the watched folders.
    """
    name = file_name(parent)
    for path in (_below(parent, folders), find_by_name(os.fsencode(name)) if _encodable(name) else None):
        header = first_header(path) if path is not None else None
        if header is not None:
            return Parent(header.id)
    stem = name.removesuffix(SUFFIX.decode())
    return Parent(stem.partition("_")[2] or stem or None, guessed_from=name)


def file_name(path: str) -> str:
    """The last component of a path of either kind."""
    return path.replace("\\", "/").rpartition("/")[2]


def _below(parent: str, folders: tuple[Path, ...]) -> bytes | None:
    if not parent.endswith(SUFFIX.decode()) or "\0" in parent or not _encodable(parent):
        return None
    # By its text first: only a path that claims to be below the folders is looked up at all.
    as_text = Path(os.path.normpath(parent))
    roots = [Path(root) for folder in folders for root in (folder, os.path.realpath(folder))]
    if not any(as_text.is_relative_to(root) for root in roots):
        return None
    real = Path(os.path.realpath(as_text))
    return os.fsencode(real) if any(real.is_relative_to(root) for root in roots) else None


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return "\0" not in text
