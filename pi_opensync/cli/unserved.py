"""The dashboard of one's own without its pages: its file, opened, and what it answers within this process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pi_opensync.daemon.places import Place
from pi_opensync.dashboard.db.connections import FILE, Connections
from pi_opensync.dashboard.handed import Handed
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.deliver.inside import Inside
from pi_opensync.errors import cannot_keep_state
from pi_opensync.opensync.transport import Transport
from pi_opensync.settings import Secret, Settings

if TYPE_CHECKING:
    import httpx


@contextmanager
def opened(home: Path) -> Iterator[Connections]:
    """The file of one's own dashboard, made where there is none. Raises `ConfigurationError`."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_keep_state(home, error) from None
    connections = Connections.open(home / FILE)
    try:
        yield connections
    finally:
        connections.close()


@contextmanager
def inside(place: Place) -> Iterator[tuple[Settings, Transport, Inside]]:
    """Settings that lead to one's own dashboard, the way to ask it, and the way to hand it sessions."""
    with opened(place.home) as connections:
        keys = Keys(connections, now=milliseconds)
        handed = Handed(connections, now=milliseconds)
        yield reaching(place, "http://127.0.0.1", keys), _Unserved(connections, keys), handed


def reaching(place: Place, url: str, keys: Keys) -> Settings:
    """The settings of one's own dashboard with the server that it has now."""
    return place.settings.but(
        convex_url=url, api_key=Secret(keys.issue_for_this_run()), timestamps="transcript"
    )


def milliseconds() -> int:
    return round(time.time() * 1000)


class _Unserved(Transport):
    """Its answers; it is put together when the first question comes, which is seldom."""

    def __init__(self, connections: Connections, keys: Keys) -> None:
        self._connections = connections
        self._keys = keys
        self._inner: Transport | None = None

    async def handle_async_request(self, request: "httpx.Request") -> "httpx.Response":
        if self._inner is None:
            import httpx

            from pi_opensync.dashboard.web.application import create_app

            self._inner = httpx.ASGITransport(create_app(self._connections, self._keys, now=milliseconds))
        return await self._inner.handle_async_request(request)
