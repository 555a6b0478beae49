"""What the daemon takes while nothing happens, beside a process that only imported what it imports."""

import subprocess
import time
from pathlib import Path

from bench.crowd import FILES, crowd
from bench.processes import cpu, daemon, end, resident, server, start, variables
from bench.rows import Row, Target, row
from bench.start import IMPORTS

NAME = "idle"
SECONDS = 60.0
SHARE, MEMORY = Target(0.05), Target(45.0)


def run(scale: float, folder: Path) -> list[Row]:
    count, patience = max(20, round(FILES * scale)), max(1.0, SECONDS * min(1.0, scale))
    with server() as opensync:
        sessions, home = crowd(folder, count, opensync.url)
        with daemon(variables(home, sessions, opensync.url)) as running:
            time.sleep(min(2.0, patience))  # what comes after the first look is no idleness yet
            share = _share(running.pid, patience)
            memory = resident(running.pid)
        sent = opensync.notes().requests
    imports, bare = _bare(patience)
    counts = {"files": count, "requests": sum(sent.values()), "seconds": patience}
    beside = "the bare imports"
    return [
        row(
            NAME,
            f"CPU, {count} files",
            share,
            "% of a core",
            beside=beside,
            other=bare,
            target=SHARE,
            counts=counts,
        ),
        row(NAME, f"memory, {count} files", memory, "MB", beside=beside, other=imports, target=MEMORY),
    ]


def _share(pid: int, patience: float) -> float:
    before, begun = cpu(pid), time.monotonic()
    time.sleep(patience)
    return 100 * (cpu(pid) - before) / (time.monotonic() - begun)


def _bare(patience: float) -> tuple[float, float]:
    """MB, and % of a core, of a process that imported and waits for nothing."""
    waiting = f"{IMPORTS}; print(flush=True); import sys; sys.stdin.read()"
    process = start("-c", waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the imports failed")
        return resident(process.pid), _share(process.pid, min(5.0, patience))
    finally:
        end(process)
