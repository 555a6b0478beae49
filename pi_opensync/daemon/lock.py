"""One daemon a state folder: a lock that the system releases with the process, however it ends."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pi_opensync import __version__
from pi_opensync.daemon import beyond
from pi_opensync.errors import AlreadyRunning, cannot_keep_state
from pi_opensync.files import require_private_file, require_private_folder

FILE = "lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the state folder; `url` is where it serves pages, if it does."""

    pid: int
    command: str
    version: str
    since: float
    url: str = ""


@contextmanager
def held(folder: Path, command: str, now: float, url: str = "") -> Iterator[None]:
    """Hold the folder while the block runs, also where it is removed meanwhile and made anew.

    Raises `AlreadyRunning` that names who holds it, `ConfigurationError` where it can not be used.
    """
    path = folder / FILE
    with ExitStack() as stack:
        try:
            require_private_folder(folder)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            require_private_file(path)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            stack.callback(os.close, descriptor)
            is_free = _locked(descriptor)
        except OSError as error:
            raise cannot_keep_state(folder, error) from None
        other = stack.enter_context(beyond.held(folder)) if is_free else None
        if not is_free or other is not None:
            raise AlreadyRunning(
                f"{_named(None if is_free else _read(descriptor), other)} is at work on {folder}",
                hint="let it do the work, or stop it first",
            )
        os.ftruncate(descriptor, 0)
        said = {"pid": os.getpid(), "command": command, "version": __version__, "since": now, "url": url}
        os.pwrite(descriptor, json.dumps(said).encode(), 0)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named(holder: Holder | None, other: beyond.Other | None) -> str:
    if holder is not None:
        return f"`pi-opensync {holder.command}` (process {holder.pid})"
    return f"another pi-opensync (process {other.pid})" if other and other.pid else "another pi-opensync"


def holder(folder: Path) -> Holder | None:
    """Who holds the folder now; None where nobody does."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor) or Holder(0, "?", "?", 0.0)
    except OSError:
        return None  # a folder that can not be locked is held by nobody
    else:
        return None
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Holder | None:
    try:
        value = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(
            int(value["pid"]),
            str(value["command"]),
            str(value["version"]),
            float(value["since"]),
            str(value.get("url") or ""),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
