"""Where pi keeps its transcripts, and which files there are.

Paths are bytes from here on: a file's name need not be UTF-8.
"""

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path, PosixPath
from typing import NamedTuple

from pi_opensync.pi.tail import Signature, opened

SUFFIX = b".jsonl"
SETTINGS = Path(".pi", "settings.json")  # of pi, in a project
MAX_SETTINGS = 4 << 20  # bytes


class Found(NamedTuple):
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
_name = attrgetter("name")


def session_dir_setting(file: Path) -> str | None:
    """`sessionDir` of a settings file of pi's; None where there is none to read."""
    with suppress(OSError, ValueError, RecursionError), opened(os.fsencode(file)) as descriptor:
        value = json.loads(os.pread(descriptor, MAX_SETTINGS, 0))
        named = value.get("sessionDir") if isinstance(value, dict) else None
        return named if isinstance(named, str) and named else None
    return None


class OfProject(PosixPath):
    """A session folder that only a project names: a link that leads out of it is not followed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A session folder that only a project asks for, and why it is not followed."""

    folder: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Roots:
    """The session folders to follow, and those that are not followed though a project asks for it."""

    followed: tuple[Path, ...]
    refused: tuple[Refused, ...] = ()


def roots(
    configured: tuple[Path, ...],
    env: Mapping[str, str],
    working_directory: Path,
    *,
    trusted: tuple[Path, ...] = (),
) -> tuple[Path, ...]:
    """The session folders: those configured, or those that pi itself would use.

    pi reads `PI_CODING_AGENT_SESSION_DIR`, `sessionDir` of the project's and of the agent folder's
    settings, and else `sessions` in the agent folder, which keeps the older ones in every case. What the
    project in the working directory names is taken as `with_projects` takes it.
    """
    if configured:
        return _unique(sessions_folder(path.absolute()) for path in configured)
    home = Path(env.get("HOME") or Path.home())
    found = [usual_folder(env), *(working_directory / name for name in named_by_user(env))]
    return with_projects(_unique(found), [str(working_directory)], home=home, trusted=trusted).followed


def usual_folder(env: Mapping[str, str]) -> Path:
    """Where pi keeps sessions unless it is told another folder."""
    home = Path(env.get("HOME") or Path.home())
    return Path(_expand(env.get("PI_CODING_AGENT_DIR") or "~/.pi/agent", home)).absolute() / "sessions"


def named_by_user(env: Mapping[str, str]) -> list[str]:
    """The session folders of pi's environment and agent settings; a relative one lies in each project."""
    home = Path(env.get("HOME") or Path.home())
    settings = usual_folder(env).with_name("settings.json")
    named = env.get("PI_CODING_AGENT_SESSION_DIR"), session_dir_setting(settings)
    return [_expand(name, home) for name in named if name]


def with_projects(
    followed: tuple[Path, ...],
    projects: Iterable[str],
    *,
    home: Path,
    trusted: tuple[Path, ...] = (),
    names: Sequence[str] = (),
    setting: Callable[[Path], str | None] = session_dir_setting,
    resolve: Callable[[Path], str] = os.path.realpath,
) -> Roots:
    """`followed`, and the session folders of these projects: those of their settings, and `names` in them.

    Such a folder is followed where it lies in that project or in a `trusted` folder, links resolved: a
    repository that was cloned does not choose what of this machine is read, nor do links in such a folder.
    `setting` reads a file of settings, `resolve` follows links.
    """
    known = [resolve(folder) for folder in (*followed, *trusted)]
    taken = list(followed)
    refused: dict[Path, Refused] = {}
    for project in map(Path, dict.fromkeys(projects)):
        if not project.is_absolute() or "\0" in str(project):
            continue
        asked = setting(project / SETTINGS)
        for name in (*names, *([] if asked is None else [_expand(asked, home)])):
            if "\0" in name:
                continue
            folder = Path(os.path.normpath(project / name))
            real = Path(resolve(folder))
            if any(real.is_relative_to(root) for root in known):
                taken.append(folder)
            elif real.is_relative_to(resolve(project)):
                taken.append(OfProject(folder))
            else:
                reason = f"{project / SETTINGS} asks for it, and it lies outside that project"
                refused.setdefault(folder, Refused(folder, reason))
    return Roots(_unique(taken), tuple(refused.values()))


def sessions_folder(path: Path) -> Path:
    """The sessions folder that `path` is, or holds as an agent folder (`~/.pi`, `~/.pi/agent`)."""
    for inner in (path / "agent" / "sessions", path / "sessions"):
        if inner.is_dir() and not any(path.glob("*.jsonl")):
            return inner
    return path


@dataclass(slots=True)
class Trace:
    """What a listing met: folders with what `stat` said before they were listed, the number of files.

    `unheard` are files of several names: what is written under another is heard by nobody who watches these
    folders. `is_linked`: a folder was reached by a link, so nobody watches it either.
    """

    folders: dict[bytes, os.stat_result] = field(default_factory=dict)
    files: int = 0
    unheard: list[bytes] = field(default_factory=list)
    is_linked: bool = False


def transcripts(folders: tuple[Path, ...], trace: Trace | None = None) -> Iterator[Item]:
    """Every transcript below the folders, each file once, symbolic links followed once.

    What was met on the way is noted in `trace`.
    """
    trace = trace or Trace()
    visited: set[tuple[int, int]] = set()
    pending = [(os.fsencode(folder), _bound(folder)) for folder in reversed(folders)]
    while pending:
        folder, bound = pending.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 - bytes path
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            trace.folders[folder] = status
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=_name)
        except OSError as error:
            yield Unreadable(folder, error.strerror or "unreadable")
            continue
        inner: list[bytes] = []
        for entry in entries:
            if bound is not None and entry.is_symlink() and not _lies_in(entry.path, bound):
                yield Odd(entry.path, "it leads out of the folder that a project names")
            elif (item := _looked_at(entry, inner, visited, trace)) is not None:
                yield item
        pending.extend((path, bound) for path in reversed(inner))


def names(folders: Iterable[Path]) -> Iterator[bytes]:
    """The paths that are named like transcripts, none of them looked at: in a tenth of the time."""
    visited: set[tuple[int, int]] = set()
    pending = [os.fsencode(folder) for folder in folders]
    while pending:
        folder = pending.pop()
        with suppress(OSError):
            status = os.stat(folder)  # noqa: PTH116 - bytes path
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                for entry in listing:
                    if entry.is_dir():
                        pending.append(entry.path)
                    elif entry.name.endswith(SUFFIX):
                        yield entry.path


def leads_out(path: bytes, folders: Iterable[Path]) -> bool:
    """Whether a link leads to the file from a folder that only a project names, and does not hold it."""
    bounds = [
        _bound(folder)
        for folder in folders
        if isinstance(folder, OfProject) and path.startswith(os.fsencode(folder) + b"/")
    ]
    return any(bound is not None and not _lies_in(path, bound) for bound in bounds)


def _bound(folder: Path) -> bytes | None:
    """The folder that links from this one must not lead out of; None where they may."""
    return os.fsencode(os.path.realpath(folder)) if isinstance(folder, OfProject) else None


def _lies_in(path: bytes, bound: bytes) -> bool:
    return os.path.realpath(path).startswith(bound + b"/")


def files(folders: tuple[Path, ...]) -> list[Found]:
    """The transcripts that can be read."""
    return [item for item in transcripts(folders) if isinstance(item, Found)]


def _looked_at(
    entry: os.DirEntry[bytes], inner: list[bytes], visited: set[tuple[int, int]], trace: Trace
) -> Item | None:
    """What one name of a folder is; folders are added to `inner`, files to `visited`."""
    try:
        if entry.is_dir():
            inner.append(entry.path)
            trace.is_linked |= entry.is_symlink()
            return (
                Odd(entry.path, "it is a folder, and is looked into") if entry.name.endswith(SUFFIX) else None
            )
        if not entry.name.endswith(SUFFIX):
            return None
        status = entry.stat()
    except FileNotFoundError:
        return None  # vanished between the listing and the look
    except OSError as error:
        return Unreadable(entry.path, error.strerror or "unreadable")
    key = (status.st_dev, status.st_ino)
    if not stat.S_ISREG(status.st_mode) or key in visited:
        return None
    visited.add(key)
    trace.files += 1
    if status.st_nlink > 1 or entry.is_symlink():
        trace.unheard.append(entry.path)
    return Found(entry.path, Signature.of(status))


def _unique(paths: Iterator[Path] | list[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def _expand(path: str, home: Path) -> str:
    if path == "~":
        return str(home)
    return str(home / path[2:]) if path.startswith("~/") else path
