"""What can go wrong, as a user meets it.

PiOpensyncError          1  something failed
├── UsageError           2  the command line makes no sense
├── NotRunning           3  a daemon was asked for and none runs
├── NetworkError         4  the server can not be reached
├── KeyRefused           5  the server does not accept the key
├── ConfigurationError   6  a setting is missing or wrong
├── AlreadyRunning       7  another instance holds the state folder
└── PartlyDone           8  some of the work is left over, and says where

Each carries one line for the user, a hint what to do, and its exit code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar


class PiOpensyncError(Exception):
    """Base of everything that a command reports without a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PiOpensyncError):
    exit_code = 2


class NotRunning(PiOpensyncError):  # noqa: N818 - named for what the user is told
    exit_code = 3


class NetworkError(PiOpensyncError):
    exit_code = 4


class KeyRefused(PiOpensyncError):  # noqa: N818 - named for what the user is told
    exit_code = 5


class ConfigurationError(PiOpensyncError):
    exit_code = 6


class AlreadyRunning(PiOpensyncError):  # noqa: N818 - named for what the user is told
    exit_code = 7


class PartlyDone(PiOpensyncError):  # noqa: N818 - named for what the user is told
    exit_code = 8


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Let an OSError of the block be a `ConfigurationError` that names the file."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"can not write {path}: {error.strerror}") from None


def cannot_keep_state(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"can not keep state in {folder}: {error.strerror}",
        hint="set PI_OPENSYNC_STATE_DIR to a folder of yours on a local disk",
    )
