"""From a transcript to the one it was forked from, or works for.

That is a path, which may be gone, or of another machine.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.model import Header
from pi_opensync.pi.discover import SUFFIX
from pi_opensync.pi.entries import decode_line
from pi_opensync.pi.tail import START, first_line, opened, read_piece

_SESSION_FOLDER = re.compile(r"\d{4}-\d\d-\d\dT[\d-]+Z_(.+)")
_OF_ONE_PROJECT = re.compile(rb"--.*--", re.DOTALL)  # how pi names the folder of a project's sessions
KEY_PARTS = 3  # of a path's end, which tell subagents' `<hash>/run-N/session.jsonl` apart


@dataclass(frozen=True, slots=True)
class Parent:
    """The transcript that another was forked from, with its header where it can be read.

    `guessed_from` is the name of the parent's file where the watched folders have none: it may appear later.
    `trouble` is why a file that is there could not be read.
    """

    id: str | None
    path: bytes | None = None
    header: Header | None = None
    guessed_from: str | None = None
    trouble: str | None = None


def first_header(path: bytes) -> Header | None:
    """The header that the file begins with; None where there is none to read."""
    try:
        with opened(path) as descriptor:
            return header_of(descriptor, os.fstat(descriptor).st_size)
    except OSError:
        return None


def header_of(descriptor: int, size: int) -> Header | None:
    """The first header of an open file, looked for in its first piece. Raises OSError."""
    header = _header(first_line(descriptor, size))
    if header is not None:
        return header
    lines = read_piece(descriptor, START, size).lines
    headers = (_header(line.data) for line in lines if line.data is not None)
    return next((header for header in headers if header is not None), None)


def _header(line: bytes) -> Header | None:
    return next((item for item in decode_line(line) if isinstance(item, Header)), None)


def find_parent(parent: str, folders: tuple[Path, ...], *, cwd: str | None = None) -> Parent:
    """The file that a header names as its parent, else the id in its file name.

    A path from a transcript is opened only if it is a `.jsonl` below the watched folders; a file of that
    name in them, or in a folder of theirs, will do. One elsewhere is not opened: what it holds is not
    known. A path that is not absolute is one from `cwd`, the folder that the child's session was held in.
    """
    name = file_name(parent)
    trouble: str | None = None
    for path in _candidates(parent, name, folders):
        try:
            with opened(path) as descriptor:
                header = header_of(descriptor, os.fstat(descriptor).st_size)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            trouble = error.strerror or "unreadable"
            continue
        if header is not None:
            return Parent(header.id, path, header)
    if trouble is None and _is_file(os.path.join(cwd or "/", parent)):  # noqa: PTH118 - a string
        trouble = "it lies outside the folders of sessions"
    return Parent(_id_in(name), guessed_from=name, trouble=trouble)


def _is_file(path: str) -> bool:
    """Whether a file is there, or something that can not be looked at."""
    if not _encodable(path):
        return False
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - of any length
    except OSError as error:
        return error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


def _id_in(name: str) -> str | None:
    """The id that a transcript's file name holds, or all of it."""
    stem = name.removesuffix(SUFFIX.decode())
    return stem.partition("_")[2] or stem or None


def parent_by_folder(path: bytes, folders: tuple[Path, ...]) -> Parent | None:
    """The session that a subagent works for: its folder is named as that one's file, which stands beside it.

    pi-subagents writes `<session>/<run>/run-N/session.jsonl` below `<session>.jsonl`. Where that file is not
    there, its id is in the folder's name.
    """
    guess: Parent | None = None
    roots = {os.fsencode(folder) for folder in folders}
    folder = os.path.dirname(path)  # noqa: PTH120 - bytes path
    while folder and folder not in roots and folder != os.path.dirname(folder):  # noqa: PTH120 - bytes path
        beside = folder + SUFFIX
        header = first_header(beside) if os.path.isfile(beside) else None  # noqa: PTH113 - bytes path
        if header is not None:
            return Parent(header.id, beside, header)
        name = os.fsdecode(os.path.basename(folder))  # noqa: PTH119 - bytes path
        named = _SESSION_FOLDER.fullmatch(name)
        if named is not None:
            guess = guess or Parent(named[1], guessed_from=name + SUFFIX.decode())
        folder = os.path.dirname(folder)  # noqa: PTH120 - bytes path
    return guess


def file_name(path: str) -> str:
    """The last component of a path of either kind."""
    return path.replace("\\", "/").rpartition("/")[2]


def file_key(path: str) -> str:
    """What tells a transcript apart on the machine that wrote it and wherever it is copied to.

    pi's own names do by themselves; of others, as `<hash>/run-N/session.jsonl`, the folders above as well.
    """
    parts = path.replace("\\", "/").split("/")
    return parts[-1] if _SESSION_FOLDER.fullmatch(parts[-1]) else "/".join(parts[-KEY_PARTS:])


def _candidates(parent: str, name: str, folders: tuple[Path, ...]) -> list[bytes]:
    if not name.endswith(SUFFIX.decode()) or not _encodable(name):
        return []
    named = _below(parent, folders)
    found = [] if named is None else [named]
    for folder in folders:
        root = os.fsencode(folder)
        places = [root]
        try:
            with os.scandir(root) as listing:
                places += sorted(entry.path for entry in listing if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
        beside = [os.path.join(place, os.fsencode(name)) for place in places]  # noqa: PTH118 - bytes path
        there = [os.fsdecode(path) for path in beside if os.path.isfile(path)]  # noqa: PTH113 - bytes path
        found += [real for path in there if (real := _below(path, folders)) is not None]
    return found


def _below(parent: str, folders: tuple[Path, ...]) -> bytes | None:
    if not parent.endswith(SUFFIX.decode()) or not _encodable(parent):
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


def projects(paths: Iterable[bytes]) -> list[str]:
    """The folders that these sessions were held in; of a folder that pi keeps for one, from one header.

    That is the newest's: pi's names begin with the time.
    """
    newest: dict[bytes, bytes] = {}
    is_of_one: dict[bytes, bool] = {}
    for path in paths:
        folder = path.rpartition(b"/")[0]
        if folder not in is_of_one:
            is_of_one[folder] = _OF_ONE_PROJECT.fullmatch(folder.rpartition(b"/")[2]) is not None
        place = folder if is_of_one[folder] else path
        newest[place] = max(path, newest.get(place, b""))
    headers = map(first_header, newest.values())
    return list(dict.fromkeys(header.cwd for header in headers if header is not None and header.cwd))
