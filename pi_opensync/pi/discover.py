"""Where pi keeps its transcripts, and which files there are.

Paths are bytes from here on: a file's name need not be UTF-8.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.pi.tail import Signature

SUFFIX = b".jsonl"


@dataclass(frozen=True, slots=True)
class Found:
    path: bytes
    signature: Signature


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be listed, or a name that leads nowhere, with the reason."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Odd:
    """What is named like a transcript and is none; nothing is lost by passing over it."""

    path: bytes
    reason: str


Item = Found | Unreadable | Odd


def roots(configured: tuple[Path, ...], env: Mapping[str, str], working_directory: Path) -> tuple[Path, ...]:
    """The session folders: those configured, or those that pi itself would use.

    pi reads `PI_CODING_AGENT_SESSION_DIR`, `sessionDir` of the project's and of the agent folder's
    settings, and else `sessions` in the agent folder, which keeps the older ones in every case.
    """
    if configured:
        return _unique(sessions_folder(path.absolute()) for path in configured)
    home = Path(env.get("HOME") or Path.home())
    agent = Path(_expand(env.get("PI_CODING_AGENT_DIR") or "~/.pi/agent", home)).absolute()
    found = [agent / "sessions"]
    if named := env.get("PI_CODING_AGENT_SESSION_DIR"):
        found.append(working_directory / _expand(named, home))
    settings = (working_directory / ".pi" / "settings.json", agent / "settings.json")
    set_there = (session_dir_setting(file) for file in settings)
    found.extend(working_directory / _expand(named, home) for named in set_there if named)
    return _unique(found)


def sessions_folder(path: Path) -> Path:
    """The sessions folder that `path` is, or holds as an agent folder (`~/.pi`, `~/.pi/agent`)."""
    for inner in (path / "agent" / "sessions", path / "sessions"):
        if inner.is_dir() and not any(path.glob("*.jsonl")):
            return inner
    return path


def session_dir_setting(file: Path) -> str | None:
    """`sessionDir` of a settings file of pi's; None where there is none to read."""
    with suppress(OSError, ValueError):
        value = json.loads(file.read_text(encoding="utf-8"))
        named = value.get("sessionDir") if isinstance(value, dict) else None
        return named if isinstance(named, str) and named else None
    return None


def transcripts(folders: tuple[Path, ...]) -> Iterator[Item]:
    """Every transcript below the folders, each file once, symbolic links followed once."""
    visited: set[tuple[int, int]] = set()
    pending = [os.fsencode(folder) for folder in reversed(folders)]
    while pending:
        folder = pending.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 - bytes path
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, error.strerror or "unreadable")
            continue
        inner: list[bytes] = []
        for entry in entries:
            yield from _looked_at(entry, inner, visited)
        pending.extend(reversed(inner))


def files(folders: tuple[Path, ...]) -> list[Found]:
    """The transcripts that can be read."""
    return [item for item in transcripts(folders) if isinstance(item, Found)]


def _looked_at(
    entry: os.DirEntry[bytes], inner: list[bytes], visited: set[tuple[int, int]]
) -> Iterator[Item]:
    """What one name of a folder is; folders are added to `inner`, files to `visited`."""
    try:
        if entry.is_dir():
            inner.append(entry.path)
            if entry.name.endswith(SUFFIX):
                yield Odd(entry.path, "it is a folder, and is looked into")
        elif entry.name.endswith(SUFFIX):
            status = entry.stat()
            key = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode) and key not in visited:
                visited.add(key)
                yield Found(entry.path, Signature.of(status))
    except FileNotFoundError:
        return  # vanished between the listing and the look
    except OSError as error:
        yield Unreadable(entry.path, error.strerror or "unreadable")


def _unique(paths: Iterator[Path] | list[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def _expand(path: str, home: Path) -> str:
    if path == "~":
        return str(home)
    return str(home / path[2:]) if path.startswith("~/") else path
