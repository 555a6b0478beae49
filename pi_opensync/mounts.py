"""Which disk a folder is on: one that this machine alone writes to, or one that others may.

Told by Linux (proc_pid_mountinfo(5), proc_pid_fdinfo(5)); elsewhere nobody knows.
"""

import os
import sys
from pathlib import Path

# File systems whose every change is made by this machine.
LOCAL = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
_PROC = Path("/proc/self")


def is_local(folder: Path, proc: Path = _PROC) -> bool:
    """Whether only this machine writes to the file system of the folder; False where that is not known."""
    return file_system(folder, proc) in LOCAL


def file_system(folder: Path, proc: Path = _PROC) -> str | None:
    """The file system that the folder is on, as the kernel names it; None where it can not be told."""
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            told = (proc / "fdinfo" / str(descriptor)).read_text(encoding="ascii")
        finally:
            os.close(descriptor)
        mounts = (proc / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except (OSError, UnicodeDecodeError):
        return None
    number = next((line.split()[1] for line in told.splitlines() if line.startswith("mnt_id:")), None)
    return None if number is None else _kind_of(number, mounts)


def _kind_of(number: str, mounts: str) -> str | None:
    for line in mounts.splitlines():
        before, _dash, after = line.partition(" - ")
        if after and before.split(" ", 1)[0] == number:
            return after.split(" ", 1)[0]
    return None
