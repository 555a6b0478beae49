"""One daemon a state folder: a lock that the system releases with the process, however it ends."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pi_opensync import __version__
from pi_opensync.errors import AlreadyRunning, cannot_keep_state

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
    """Hold the folder while the block runs.

    Raises `AlreadyRunning` that names who holds it, `ConfigurationError` where it can not be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_keep_state(folder, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(descriptor)
            who = f"`pi-opensync {other.command}` (process {other.pid})" if other else "another pi-opensync"
            raise AlreadyRunning(
                f"{who} is at work on {folder}", hint="let it do the work, or stop it first"
            ) from None
        except OSError as error:
            raise cannot_keep_state(folder, error) from None
        os.ftruncate(descriptor, 0)
        holder = {"pid": os.getpid(), "command": command, "version": __version__, "since": now, "url": url}
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(folder: Path) -> Holder | None:
    """Who holds the folder now; None where nobody does."""
    try:
        descriptor = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC)
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
