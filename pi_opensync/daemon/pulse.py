"""What a running daemon says of itself, in a small file beside the lock: that it moves, how it watches."""

import json
import resource
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pi_opensync.files import read_regular, write_private

FILE = "pulse.json"
STILL_AFTER = 120.0  # seconds without a beat: the daemon is stuck, or the machine sleeps


@dataclass(frozen=True, slots=True)
class Pulse:
    """`at` in seconds since the epoch, `memory` in bytes; `watching` is events or sweep.

    `trouble` is why the state can not be written.
    """

    pid: int
    at: float
    version: str
    watching: str
    memory: int
    trouble: str | None = None


def beat(folder: Path, pulse: Pulse) -> None:
    """Write it down, in a folder that is there. Losing one does no harm, so nothing is raised."""
    with suppress(OSError):
        if folder.is_dir():
            write_private(folder / FILE, json.dumps(asdict(pulse)))


def last(folder: Path) -> Pulse | None:
    with suppress(OSError, ValueError, TypeError):
        return Pulse(**json.loads(read_regular(folder / FILE)))
    return None


def memory() -> int:
    """Resident bytes of this process now; its peak where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
