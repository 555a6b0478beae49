"""The file of a service, taken away with the folders that were made for it."""

from contextlib import suppress
from pathlib import Path

from pi_opensync.errors import ConfigurationError


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
