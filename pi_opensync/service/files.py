"""The file of a service: written at once, and taken away with the folders that were made for it."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pi_opensync.errors import ConfigurationError


def write(path: Path, data: bytes) -> None:
    """Write a file that only the user reads, at once or not at all. Raises `ConfigurationError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".pi-opensync-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise ConfigurationError(f"can not write {path}: {error.strerror}") from None


def remove(path: Path, below: Path) -> bool:
    """Take a file away, and the folders above it up to `below` that are empty then; whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        found = False
    except OSError as error:
        raise ConfigurationError(f"can not remove {path}: {error.strerror}") from None
    else:
        found = True
    remove_empty(path.parent, below)
    return found


def remove_empty(folder: Path, below: Path) -> None:
    """Take away an empty folder, and those above it that are empty then, but not `below` itself."""
    with suppress(OSError):
        while folder != below and below in folder.parents:
            folder.rmdir()
            folder = folder.parent
