"""Files of ours: written at once or not at all, readable by the user alone, and in nobody else's hand."""

import errno
import os
import shlex
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pi_opensync.errors import ConfigurationError

Identity = tuple[int, int]  # device and inode
_OTHERS_WRITE = 0o022
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISREG, "a file"),
)


def at_home(path: Path | str) -> Path:
    """The path, with home folders in the place of `~` and `~user`; that of no user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - `Path.expanduser` raises where there is no such user


def write_private(path: Path, data: str | bytes, *, durable: bool = False) -> None:
    """Put `data` (text as UTF-8) in the place of whatever `path` holds, mode 0600, in a folder of mode 0700.

    `durable`: on disk when this returns, also if the power fails then. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    import tempfile  # noqa: PLC0415 - commands that only read need not load it

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def append_private(path: Path, text: str) -> None:
    """Add the text at the end of the file, mode 0600, in one piece. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def read_regular(path: Path) -> bytes:
    """What the file holds. Raises OSError, also for what is no file and might have no end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


def require_private_folder(path: Path) -> None:
    """Raise `ConfigurationError`, with the command that mends it, where others have a hand in the folder.

    That is: it is no folder, it is another user's, a link to it is, or others may write in it. One that is
    not there is private: it will be made so. Raises OSError.
    """
    _require(path, stat.S_ISDIR, "a folder", "700")


def require_private_file(path: Path) -> None:
    """The same for a file. Reading or locking what is no file may never end."""
    _require(path, stat.S_ISREG, "a file", "600")


def identity(path: Path) -> Identity | None:
    """What stands at the path now, to tell later whether it is still the same; None for nothing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _require(path: Path, is_kind: Callable[[int], bool], kind: str, mode: str) -> None:
    user = os.geteuid()
    quoted = shlex.quote(str(path))
    away = f"mv {quoted} {quoted}.away"
    try:
        link = path.lstat()
        status = path.stat() if stat.S_ISLNK(link.st_mode) else link
    except FileNotFoundError:
        return
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in {user, 0}:
        raise ConfigurationError(f"{path} is a link that another user put there", hint=away)
    if not is_kind(status.st_mode):
        found = next((name for is_it, name in _KINDS if is_it(status.st_mode)), "something else")
        is_device = stat.S_ISCHR(link.st_mode) or stat.S_ISBLK(link.st_mode)
        raise ConfigurationError(f"{path} is {found}, not {kind}", hint="name another" if is_device else away)
    if status.st_uid not in {user, 0} and user != 0:
        raise ConfigurationError(f"{path} belongs to another user", hint=away)
    if status.st_mode & _OTHERS_WRITE:
        raise ConfigurationError(
            f"others may write to {path} (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"chmod {mode} {quoted}",
        )
