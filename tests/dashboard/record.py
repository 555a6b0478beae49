"""Notes what a client posts to a local OpenSync, for `recorded/`: `python -m tests.dashboard.record FILE`.

It serves until Ctrl-C, with a store of its own in a temporary folder, and prints the URL and the key to give
to the client. FILE gets a list of {"path", "body"}; `read` gives it back.
"""

import asyncio
import json
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.listener import serve

RECORDED = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Recorder:
    """An application in front of another, which keeps the bodies of the requests that have one."""

    app: ASGIApp
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks: list[bytes] = []

        async def heard() -> Message:
            message = await receive()
            chunks.append(message.get("body", b""))
            return message

        await self.app(scope, heard, send)
        if body := b"".join(chunks):
            self.requests.append({"path": scope["path"], "body": json.loads(body)})


def read(name: str) -> list[dict[str, Any]]:
    """Give the requests of `recorded/NAME.json`, oldest first."""
    requests: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return requests


def _milliseconds() -> int:
    return round(time.time() * 1000)


async def _record(folder: Path) -> list[dict[str, Any]]:
    store = Connections.open(folder / "local.sqlite3")
    keys = Keys(store, now=_milliseconds)
    recorder = Recorder(create_app(store, keys, now=_milliseconds))
    running = await serve(recorder)
    print(running.url, keys.issue_for_this_run(), flush=True)  # noqa: T201 - what the client needs
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await stopping.wait()
    await running.stop()
    store.close()
    return recorder.requests


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        heard = asyncio.run(_record(Path(home)))
    Path(sys.argv[1]).write_text(json.dumps(heard, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
