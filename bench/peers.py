"""Programs of others that do a part of the same, and a slow disk, where the machine has them."""

import shutil
import sys
from pathlib import Path

# Every wait for the disk takes that much longer; `-D` leaves the daemon its process id.
SLOW_DISK = (
    *("-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"),
    *("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_exit={us}"),
)


def program(name: str) -> str | None:
    """Where it is: beside this Python, or on the path. Says so where it is not."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        sys.stderr.write(f"{name} is not on this machine: left out\n")
    return found


def slow_disk(wait_ms: float) -> tuple[str, ...] | None:
    """The start of a command line under which a program waits longer for its disk; needs strace."""
    strace = program("strace")
    if strace is None:
        return None
    return (strace, *(part.format(us=round(1000 * wait_ms)) for part in SLOW_DISK))
