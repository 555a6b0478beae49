"""A command ends when its work ends, whatever a thread of it waits for."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from pi_opensync import loop

STUCK = """
import asyncio, threading
from pi_opensync import loop

begun = threading.Event()

def look_up():
    begun.set()
    threading.Event().wait()

async def main():
    stuck = asyncio.ensure_future(asyncio.to_thread(look_up))
    while not begun.is_set():
        await asyncio.sleep(0)
    stuck.cancel()

loop.run(main())
"""


def test_what_a_thread_waits_for_holds_up_no_end() -> None:
    subprocess.run([sys.executable, "-c", STUCK], check=True, timeout=30)


def test_what_a_thread_returns_or_raises_comes_back() -> None:
    def fail() -> None:
        raise KeyError("x")

    async def main() -> tuple[int, int]:
        with pytest.raises(KeyError):
            await asyncio.to_thread(fail)
        return await asyncio.to_thread(lambda: 7), await asyncio.to_thread(threading.get_ident)

    seven, thread = loop.run(main())
    assert seven == 7
    assert thread != threading.get_ident()


def test_threads_go_side_by_side() -> None:
    async def main() -> None:
        together = threading.Barrier(40)
        await asyncio.gather(*(asyncio.to_thread(together.wait, 30) for _ in range(40)))

    begun = time.monotonic()
    loop.run(main())
    assert time.monotonic() - begun < 30
