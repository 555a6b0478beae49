"""Serving the application with uvicorn, within the loop that is running."""

import asyncio
import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from pi_opensync.dashboard.web.hosts import is_loopback
from pi_opensync.dashboard.web.protocol import USUAL, Deadlines, protocol
from pi_opensync.dashboard.web.streams import Streams

_GRACE_S = 3
_BACKLOG = 128


class NotLoopbackError(ValueError):
    """The host would let other machines in, and nobody said that it may."""


class _Server(uvicorn.Server):
    """Leaves the signals to the program that it runs in, and tells when it listens."""

    def __init__(self, config: uvicorn.Config, streams: Streams | None) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._streams = streams

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # What never ends by itself must not be waited for.
        if self._streams is not None:
            self._streams.close()
        await super().shutdown(sockets)


class Running:
    """A server that listens at `url`, as `http://127.0.0.1:41233`."""

    def __init__(self, url: str, server: _Server, task: "asyncio.Task[None]") -> None:
        self.url = url
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """Let the requests under way end, for a few seconds, and close the port. May be called twice."""
        self._server.should_exit = True
        await self._task


async def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    remote: bool = False,
    deadlines: Deadlines = USUAL,
) -> Running:
    """Serve in the running loop and return once it listens; port 0 takes a free one.

    Raises NotLoopbackError for a host that other machines reach, unless `remote` says that they may, and
    OSError if the port is taken or the host is unknown.
    """
    if not remote and not is_loopback(host):
        raise NotLoopbackError(f"{host} can be reached from other machines.")
    listener = _listener(host, port)
    config = uvicorn.Config(
        app,
        http=protocol(deadlines),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, app.state.streams if isinstance(app, Starlette) else None)
    url = _url(listener)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="local OpenSync")
    listening = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    except BaseException:
        server.should_exit = True
        listener.close()
        raise
    finally:
        listening.cancel()
    return Running(url, server, task)


def _listener(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows this option would let two servers share a port; elsewhere it only skips a wait.
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - IPv4
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
