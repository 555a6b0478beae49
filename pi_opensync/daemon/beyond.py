"""A second lock on a state folder, kept outside it: it holds whatever happens to the folder.

On Linux it is the name of an abstract socket, which no file stands for (unix(7)) and which the system frees
with the process; elsewhere a locked file in the user's folder for temporary files.
"""

import errno
import fcntl
import os
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_DARWIN_USER_TEMP_DIR = 65537  # confstr(3) of macOS: the same for a launchd agent and a terminal


@dataclass(frozen=True, slots=True)
class Other:
    """Another process of this user that holds the folder; `pid` is 0 where that is not known."""

    pid: int


@contextmanager
def held(folder: Path, *, platform: str = sys.platform) -> Iterator[Other | None]:
    """Hold the folder for the block; gives who holds it where that is another.

    Where the system grants no such lock the block runs without.
    """
    if platform == "linux":
        with _named(folder) as other:
            yield other
    else:
        with _in_file(folder, _temporary(platform)) as other:
            yield other


@contextmanager
def _named(folder: Path) -> Iterator[Other | None]:
    import socket  # noqa: PLC0415 - who only asks for the holder need not load it

    root = Path("/").stat()  # containers can share the names, not the root
    key = _key(folder, root.st_dev, root.st_ino)
    address = f"\0pi-opensync/{os.geteuid()}/{key}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
        other = None
        try:
            own.bind(address)
            own.listen(128)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                other = _owner(address)
        yield other


def _owner(address: str) -> Other | None:
    """Who holds the name; None where that is another user, who could not hold the folder."""
    import socket  # noqa: PLC0415 - as above

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(address)
            raw = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return None
    pid, user, _group = CREDENTIALS.unpack(raw)
    return Other(pid) if user == os.geteuid() else None


@contextmanager
def _in_file(folder: Path, temporary: Path) -> Iterator[Other | None]:
    path = temporary / f"pi-opensync-{os.geteuid()}-{_key(folder)}.lock"
    try:
        descriptor = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600
        )
    except OSError:
        yield None
        return
    try:
        other = None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = Other(0)
            except OSError:
                other = None
        yield other
    finally:
        os.close(descriptor)


def _temporary(platform: str) -> Path:
    import tempfile  # noqa: PLC0415 - as above

    named = os.confstr(_DARWIN_USER_TEMP_DIR) if platform == "darwin" else None
    return Path(named or tempfile.gettempdir())


def _key(folder: Path, *more: int) -> str:
    from hashlib import sha256  # noqa: PLC0415 - loads a library that most commands do without

    return sha256(repr((os.fsencode(folder.absolute()), *more)).encode()).hexdigest()[:32]
