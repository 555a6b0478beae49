"""An engine in this process, with a server that takes everything at once and forgets it."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import structlog

from bench.server import OpenSync
from pi_opensync.address import state_folder
from pi_opensync.daemon import build as engine
from pi_opensync.daemon.build import Engine
from pi_opensync.daemon.events import LogEvents
from pi_opensync.settings import Secret, Settings
from pi_opensync.store.database import open_database


class Transport(httpx.AsyncBaseTransport):
    """The server without a socket; `requests` counts them by path."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self._opensync = OpenSync(keeps_dates=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.requests[request.url.path] += 1
        return httpx.Response(200, content=self._opensync.answer(request.url.raw_path, body, 0))


def settings(state: Path, url: str = "https://opensync.test", **choice: Any) -> Settings:
    key = Secret("osk_" + secrets.token_hex(16))
    return Settings(convex_url=url, api_key=key, state_dir=state, **choice)


class Bare:
    """An engine whose steps are taken one by one."""

    def __init__(
        self, chosen: Settings, sessions: Path, transport: Transport, *, backfill: bool = True
    ) -> None:
        self.transport = transport
        base_url, _key = chosen.require_server()
        quiet = structlog.wrap_logger(structlog.testing.CapturingLogger(), wrapper_class=_silent)
        self.database = open_database(state_folder(chosen.state_dir, base_url))
        self.engine: Engine = engine.build(
            chosen, (sessions,), self.database, events=LogEvents(quiet, now=lambda: 0.0), transport=transport
        )
        self._runner = asyncio.Runner()
        self.engine.follow.begin(self.engine.follow.list_files(), backfill=backfill)

    def hasty(self, hasty: bool) -> None:
        """Whether the store waits for the disk; to fill it, nothing need."""
        self.database.run(f"PRAGMA synchronous = {'OFF' if hasty else 'FULL'}")

    def sweep(self) -> None:
        follow = self.engine.follow
        follow.compare(follow.list_files())

    def read(self) -> None:
        follow = self.engine.follow
        follow.drained()
        while follow.has_more:
            follow.read_next()

    def deliver(self) -> None:
        self._runner.run(self._deliver())

    async def _deliver(self) -> None:
        async for came in self.engine.delivery.rounds(endless=False):
            self.engine.events.tell(came)

    def catch_up(self) -> None:
        """Read and deliver until nothing is left to read."""
        self.sweep()
        self.read()
        self.deliver()
        while self.engine.follow.waits_for_room:
            self.read()
            self.deliver()

    def close(self) -> None:
        self._runner.run(self.engine.client.__aexit__(None, None, None))
        self._runner.close()
        self.database.close()


_silent = structlog.make_filtering_bound_logger(logging.CRITICAL)


@contextmanager
def bare(chosen: Settings, sessions: Path, *, backfill: bool = True) -> Iterator[Bare]:
    """Without `backfill` what is there already is known, and not read."""
    made = Bare(chosen, sessions, Transport(), backfill=backfill)
    try:
        yield made
    finally:
        made.close()
