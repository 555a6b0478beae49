"""`python -m bench.relay FILE URL`: sends each line appended to the file on at once, and keeps nothing of it.

With the daemon's watcher and client, so that what differs is what the daemon does between the two.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from pi_opensync.opensync.client import Client
from pi_opensync.read.watching import Watcher
from tests.harness import session_id


async def relay(path: Path, at: int, url: str) -> None:
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def hint(_path: bytes | None) -> None:
        loop.call_soon_threadsafe(changed.set)

    Watcher((path.parent,), hint).mend()
    client = Client(url, "osk_", now=time.time)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with client:
        while True:
            await changed.wait()
            changed.clear()
            descriptor = os.open(path, os.O_RDONLY)
            data = os.pread(descriptor, 1 << 20, at)
            os.close(descriptor)
            at += len(data)
            for appended in data.splitlines():
                await client.message(_body(appended))


def _body(appended: bytes) -> bytes:
    message = msgspec.json.decode(appended)["message"]
    session, date = session_id("latency"), message["timestamp"]
    text = message["content"][0]["text"]
    return msgspec.json.encode(
        {
            "sessionExternalId": session,
            "externalId": f"{session}-user-{date}",
            "role": "user",
            "textContent": text,
            "source": "pi",
            "parts": [{"type": "text", "content": text}],
            "createdAt": date,
        }
    )


if __name__ == "__main__":
    watched = Path(sys.argv[1])
    asyncio.run(relay(watched, watched.stat().st_size, sys.argv[2]))
