"""The servers that must keep the contract: one fixture parameter each."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import httpx
import pytest

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.listener import serve
from tests.empty import place_dashboard
from tests.standin.backend import OpenSync
from tests.standin.server import running


@dataclass(frozen=True)
class Backend:
    """A running server, empty; `client` sends `key` and has `base_url` as its base."""

    base_url: str
    key: str
    client: httpx.Client


@contextmanager
def stand_in(key: str) -> Iterator[str]:
    with running(OpenSync(now=time.time, key=key)) as server:
        yield server.url


@contextmanager
def later_stand_in(key: str) -> Iterator[str]:
    with running(OpenSync(now=time.time, key=key, batch_keeps_dates=True)) as server:
        yield server.url


@contextmanager
def local(key: str) -> Iterator[str]:
    """pi-opensync's own server: the same contract, without the traps."""
    with TemporaryDirectory() as folder, closing(asyncio.new_event_loop()) as loop:
        path = Path(folder) / "opensync.sqlite3"
        place_dashboard(path)
        store = Connections.open(path)
        keys = Keys(store, now=_milliseconds, random=lambda: key.removeprefix("osk_"))
        keys.issue("contract")
        server = loop.run_until_complete(serve(create_app(store, keys, now=_milliseconds)))
        thread = Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            store.close()


def _milliseconds() -> int:
    return round(time.time() * 1000)


Serving = Callable[[str], AbstractContextManager[str]]
HOSTED: dict[str, Serving] = {"stand-in": stand_in, "later stand-in": later_stand_in}


@contextmanager
def backend(serving: Serving) -> Iterator[Backend]:
    key = "osk_" + secrets.token_hex(16)
    bearer = {"Authorization": f"Bearer {key}"}
    with serving(key) as url, httpx.Client(base_url=url, headers=bearer, trust_env=False) as client:
        yield Backend(url, key, client)


@pytest.fixture(params=HOSTED)
def hosted(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """What OpenSync's own backend does and ours does not: errors of a client told as the server's."""
    with backend(HOSTED[request.param]) as made:
        yield made


@pytest.fixture(params=[*HOSTED, "local"])
def opensync(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with backend(HOSTED.get(request.param, local)) as made:
        yield made
