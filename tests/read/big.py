"""`python -m tests.read.big FOLDER`: follows FOLDER/world/sessions, and prints what it took as JSON.

A process of its own, so that its peak of memory is that of the engine alone: the server that it talks to
forgets what it is told.
"""

import json
import resource
import sys
from pathlib import Path

import httpx

from tests.harness import World


class Forgetful(httpx.AsyncBaseTransport):
    """Takes everything that today's server takes, and keeps the number of it."""

    def __init__(self) -> None:
        self.sessions = 0
        self.messages = 0
        self.largest = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.largest = max(self.largest, len(body))
        path = request.url.path
        if path == "/sync/batch":
            refused = (
                "Messages batch error: Object contains extra field `createdAt` that is not in the validator"
            )
            return httpx.Response(200, json={"ok": True, "sessions": 0, "messages": 0, "errors": [refused]})
        if path == "/sync/sessions/list":
            return httpx.Response(200, json={"sessionIds": []})
        self.sessions += path == "/sync/session"
        self.messages += path == "/sync/message"
        return httpx.Response(200, json={"ok": True, "sessionId": "s1", "messageId": "m1"})


def peak() -> int:
    """Bytes that this process had in memory at most; on Linux `ru_maxrss` counts its parent's before exec."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main(folder: Path) -> None:
    server = Forgetful()
    world = World(folder / "world")
    world.wire.inner = server
    with world:
        world.sync()
        tally = world.tally()
    print(  # noqa: T201 - read by the test
        json.dumps(
            {
                "peak": peak(),
                "messages": server.messages,
                "largest": server.largest,
                "waiting": tally.messages_waiting,
                "broken": tally.broken_lines,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
