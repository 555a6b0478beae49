"""What runs in a process that is made to end."""

import asyncio
import os
import time
from pathlib import Path

import httpx

from pi_opensync import logbook
from pi_opensync.address import state_folder
from pi_opensync.cli import local, watch
from pi_opensync.daemon import build as engine
from pi_opensync.settings import Secret, Settings
from pi_opensync.store.database import open_database
from tests.storm.steps import SteppedTransport, Steps

VANISHED = 9


def key() -> str:
    return "osk_" + "storm" * 4


def sync(folder: Path, url: str, now: float, vanish_at: int | None) -> None:
    """Take up every session below `folder`, with a clock that stands still but for what it waits for."""
    asyncio.run(_sync(folder, url, now, vanish_at))


async def _sync(folder: Path, url: str, start: float, vanish_at: int | None) -> None:
    def at(step: int) -> None:
        if step == vanish_at:
            os._exit(VANISHED)

    now = start
    settings = Settings(
        convex_url=url, api_key=Secret(key()), sync_tool_calls=True, state_dir=folder / "state"
    )
    database = open_database(state_folder(settings.state_dir, url))
    steps = Steps(at)
    built = engine.build(
        settings,
        (folder / "sessions",),
        database,
        transport=SteppedTransport(steps, httpx.AsyncHTTPTransport()),
        now=lambda: now,
        jitter=lambda: 0.5,
    )
    with steps.counted(database):
        built.follow.begin(built.follow.list_files(), backfill=True)
        while True:
            built.follow.compare(built.follow.list_files())
            while built.follow.has_more:
                built.follow.read_next()
            async for came in built.delivery.rounds(endless=False):
                assert came.trouble is None
            due = built.delivery.next_due()
            if due is None:
                return
            now = max(now, due)


def follow(folder: Path, url: str) -> None:
    """`pi-opensync watch` itself."""
    os.environ |= {
        "PI_OPENSYNC_CONVEX_URL": url,
        "PI_OPENSYNC_API_KEY": key(),
        "PI_OPENSYNC_SESSIONS_DIR": str(folder / "sessions"),
        "PI_OPENSYNC_STATE_DIR": str(folder / "state"),
        "PI_OPENSYNC_TOOL_CALLS": "true",
        "HOME": str(folder),
    }
    with (folder / "log").open("a") as log:
        os.dup2(log.fileno(), 2)
    time.tzset()
    logbook.configure("json")
    watch.run(backfill=True, once=False, log_format="json", debug=None)


def index(folder: Path) -> None:
    """`pi-opensync watch --local --once`."""
    os.environ |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(folder / "sessions"),
        "PI_OPENSYNC_STATE_DIR": str(folder / "state"),
        "HOME": str(folder),
    }
    with (folder / "log").open("a") as log:
        os.dup2(log.fileno(), 2)
    logbook.configure("json")
    local.watch_local(port=0, open_page=False, demo=False, once=True, log_format="json", debug=None)
