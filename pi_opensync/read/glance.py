"""What must be looked at to know that nothing changed since all files were: little, where events are heard.

A folder's time tells of names that came, went or changed; what is appended to a file is told by an event.
Not everywhere: what other machines write on a network mount is heard by nobody here, nor what is written
through a link that leads elsewhere. There only a look at every file will do.
"""

import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.pi.discover import Found, Item, Odd, Trace
from pi_opensync.pi.tail import Signature
from pi_opensync.read.signatures import Signatures

ACTIVE = 3600.0  # seconds since a file was written, while it is looked at even so: an event can be lost
SETTLED = 2.0  # seconds after which a folder's time is sure to change with the next name
# File systems whose every change is made by this machine, and told by an event.
HEARD = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
_MOUNTS = Path("/proc/self/mountinfo")

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Glance:
    """`folders` with what `stat` said of them, `files` to look at all the same, `odd` as they were met."""

    folders: Sequence[tuple[bytes, Stamp]]
    files: frozenset[bytes]
    odd: Sequence[Odd]
    count: int

    def finds(self, known: Signatures, besides: Iterable[bytes]) -> list[Item] | None:
        """The files that changed; None where a folder did. `besides` are files to look at too."""
        for path, stamp in self.folders:
            try:
                if _stamp(os.stat(path)) != stamp:  # noqa: PTH116 - bytes path
                    return None
            except OSError:
                return None
        return [*self.odd, *_changed(self.files.union(besides), known)]


def glance(
    items: Sequence[Item], trace: Trace, roots: Sequence[Path], now: float, mounts: str | None = None
) -> Glance | None:
    """What suffices after a listing of everything below the roots; None where nothing does.

    `mounts` as `mountinfo` has them (proc_pid_mountinfo(5)).
    """
    odd = [item for item in items if isinstance(item, Odd)]
    if trace.is_linked or len(odd) + sum(isinstance(item, Found) for item in items) < len(items):
        return None
    if not are_heard(roots, _mounts() if mounts is None else mounts):
        return None
    tops = {os.fsencode(root) for root in roots}
    devices = {status.st_dev for path, status in trace.folders.items() if path in tops}
    if any(status.st_dev not in devices for status in trace.folders.values()):
        return None
    settled = (now - SETTLED) * 1e9
    if any(status.st_mtime_ns > settled for status in trace.folders.values()):
        return None
    return Glance(
        [(path, _stamp(status)) for path, status in trace.folders.items()],
        frozenset(trace.unheard),
        odd,
        trace.files,
    )


def are_heard(roots: Iterable[Path], mounts: str) -> bool:
    """Whether all that changes below these folders is told by an event."""
    kinds = _kinds(mounts)
    return all(_kind_of(Path(os.path.realpath(root)), kinds) in HEARD for root in roots)


def _mounts() -> str:
    if sys.platform != "linux":
        return ""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _kinds(mounts: str) -> dict[Path, str]:
    """The file system at each mount point; what was mounted there last counts."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        before, _dash, after = line.partition(" - ")
        if after:
            kinds[Path(_unescaped(before.split(" ")[4]))] = after.split(" ")[0]
    return kinds


def _unescaped(path: str) -> str:
    for sign in "\\ \t\n":
        path = path.replace(f"\\{ord(sign):03o}", sign)
    return path


def _kind_of(folder: Path, kinds: Mapping[Path, str]) -> str | None:
    return next((kinds[point] for point in (folder, *folder.parents) if point in kinds), None)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _changed(paths: Iterable[bytes], known: Signatures) -> Iterable[Found]:
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - bytes path
        except OSError:
            continue
        signature = Signature.of(status)
        if stat.S_ISREG(status.st_mode) and not known.has(path, signature):
            yield Found(path, signature)
