"""`python -m tests.machine.starved FOLDER`: the daemon while no file descriptors are left.

Transcripts grow meanwhile. In a process of its own, for the limit is the process's; prints the server's
snapshot and what must never happen to it as JSON.
"""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

import pytest

from tests.harness import TRANSCRIPTS
from tests.machine.daemon import DaemonWorld

FILES = {str(path.relative_to(TRANSCRIPTS)): path.read_bytes() for path in TRANSCRIPTS.rglob("*.jsonl")}
SPARE = (0, 1, 2, 3, 4)  # descriptors that may be opened, for a minute each


def highest_descriptor() -> int:
    return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


async def starve() -> None:
    await asyncio.sleep(30)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = highest_descriptor()
    for spare in SPARE:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
        await asyncio.sleep(60)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await asyncio.sleep(120)


async def write(descriptors: dict[str, int]) -> None:
    """pi writes to the files that it has open."""
    for name, descriptor in descriptors.items():
        await asyncio.sleep(300 / len(descriptors))
        os.write(descriptor, FILES[name])


def main(folder: Path) -> None:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        DaemonWorld(folder, monkeypatch, tool_calls=True) as world,
    ):
        early, late = sorted(FILES)[::2], sorted(FILES)[1::2]
        for name in early:
            world.append(name, FILES[name])
        descriptors = {name: os.open(world.append(name), os.O_WRONLY | os.O_APPEND) for name in late}

        async def both() -> None:
            await asyncio.gather(starve(), write(descriptors))

        world.watch(both)
        world.sync()
        print(json.dumps({"snapshot": world.snapshot(), "side_effects": world.side_effects()}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(Path(sys.argv[1]))
