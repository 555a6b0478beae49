"""A local OpenSync in a temporary folder, with a clock that tests set, asked without a socket."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from pi_opensync.dashboard.db.budget import Budget
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.listener import serve
from tests.empty import place_dashboard

START = 1_780_000_000_000


class Clock:
    """Unix milliseconds, which move when a test says so."""

    def __init__(self) -> None:
        self.ms = START

    def __call__(self) -> int:
        return self.ms


class Local:
    """The application, its store, and requests to it: with the key to the API, with a cookie to the pages."""

    def __init__(self, store: Connections, clock: Clock, budget: Budget | None = None) -> None:
        self.store = store
        self.clock = clock
        self.keys = Keys(store, now=clock)
        self.app: Starlette = create_app(store, self.keys, now=clock, zone=UTC, budget=budget or Budget())
        self.key = self.keys.issue_for_this_run()
        cookie = self.keys.admit(self.key)
        self.cookie = f"opensync_8000={cookie}"

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send as it is, to `http://127.0.0.1:8000`, with neither key nor cookie."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(method, url, **options)

        # In a thread of its own, for a test with a browser has a loop in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(send())).result()

    def page(self, url: str, *, status: int = 200) -> str:
        answer = self.ask("GET", url, headers={"cookie": self.cookie})
        assert answer.status_code == status, answer.text
        return answer.text

    def get(self, url: str, *, status: int = 200) -> Any:
        answer = self.ask("GET", url, headers=self.bearer)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, url: str, data: Any, *, status: int = 200) -> Any:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        answer = self.ask("POST", url, content=body, headers=self.bearer)
        assert answer.status_code == status, answer.text
        return answer.json()

    def session(self, external_id: str, **fields: Any) -> str:
        answer: str = self.post("/sync/session", {"externalId": external_id, **fields})["sessionId"]
        return answer

    def message(self, session: str, external_id: str, **fields: Any) -> str:
        data = {"sessionExternalId": session, "externalId": external_id, "role": "assistant", **fields}
        answer: str = self.post("/sync/message", data)["messageId"]
        return answer

    def stored(self, session_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        answer = self.get(f"/api/sessions/get?id={session_id}")
        return answer["session"], answer["messages"]

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Connections]:
    path = tmp_path / "data" / "local.sqlite3"
    place_dashboard(path)
    store = Connections.open(path)
    yield store
    store.close()


@pytest.fixture
def local(store: Connections, clock: Clock) -> Local:
    return Local(store, clock)


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve in a thread, for what asks blocks this one; the value is the address."""
    listening = threading.Event()
    stop = asyncio.Event()
    known: dict[str, Any] = {}

    async def run() -> None:
        running = await serve(app)
        known.update(url=running.url, loop=asyncio.get_running_loop())
        listening.set()
        await stop.wait()
        await running.stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    listening.wait(10)
    yield known["url"]
    known["loop"].call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def url(local: Local) -> Iterator[str]:
    with serving(local.app) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for a module, no longer: while Playwright's driver runs, no other event loop can in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    from tests.dashboard import browsing  # noqa: PLC0415 - it is built on what stands here

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browsing.program(), args=browsing.FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Any, local: Local, url: str) -> Iterator[Any]:
    from tests.dashboard.browsing import opened  # noqa: PLC0415 - the same

    with opened(browser, local, url) as tab:
        yield tab


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A filled dashboard for all tests of a module, which only look at it."""
    from tests.dashboard.house import House  # noqa: PLC0415 - it is built on what stands here

    store = Connections.open(tmp_path_factory.mktemp("house") / "local.sqlite3")
    house = House(Local(store, Clock(), Budget(daily=1.0, monthly=100.0)))
    with serving(house.local.app) as house.url:
        yield house
    store.close()


@pytest.fixture(scope="module")
def door(browser: Any, house: Any) -> Iterator[Any]:
    """A browser that is logged in to the house, and has its styles and scripts already."""
    from tests.dashboard.browsing import admitted  # noqa: PLC0415 - the same

    with admitted(browser, house.local, house.url) as context:
        yield context


@pytest.fixture
def room(door: Any, house: Any) -> Iterator[Any]:
    """A page of the house."""
    from tests.dashboard.browsing import beside  # noqa: PLC0415 - the same

    with beside(door, house.url) as tab:
        yield tab
