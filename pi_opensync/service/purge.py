"""Takes away what pi-opensync wrote on this machine, and nothing else that stands beside it."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

from pi_opensync.daemon import lock, pulse
from pi_opensync.daemon import places as dashboard
from pi_opensync.errors import AlreadyRunning, cannot_keep_state
from pi_opensync.privacy import pauses as pausing
from pi_opensync.service.removal import remove, remove_empty

_OF_A_SERVER = re.compile(r"[0-9a-f]{12}")
_FILES = (pausing.FILE, pulse.FILE)
_UNFINISHED = tuple(f".{name}-" for name in _FILES)  # what a killed process was writing


def purge_state(folder: Path) -> Path | None:
    """Remove the state; returns the local dashboard's folder if there is one: that is not state, and stays.

    Raises `AlreadyRunning` where it is in use, `ConfigurationError` where it can not be removed.
    """
    holder = lock.holder(folder)
    if holder is not None:
        raise AlreadyRunning(
            f"`pi-opensync {holder.command}` (process {holder.pid}) is at work on {folder}",
            hint="stop it first",
        )
    try:
        for inner in folder.iterdir() if folder.is_dir() else ():
            if inner.is_dir() and not inner.is_symlink() and _is_ours(inner.name):
                shutil.rmtree(inner)
            elif inner.name in (lock.FILE, *_FILES) or inner.name.startswith(_UNFINISHED):
                inner.unlink()
    except OSError as error:
        raise cannot_keep_state(folder, error) from None
    with suppress(OSError):
        folder.rmdir()
    kept = folder / dashboard.FOLDER
    return kept if kept.exists() else None


def purge_configuration(path: Path, below: Path) -> None:
    """Remove the configuration file and its folder if that is empty then; `below` is not looked above."""
    remove(path, below)
    remove_empty(path.parent, below)


def _is_ours(name: str) -> bool:
    return name == dashboard.DEMO or _OF_A_SERVER.fullmatch(name) is not None
