"""How requests reach one server: straight, or through the proxy that the environment names.

httpx's pool gives several requests of one moment the same connection, asks each whether it is open before
every one of them, and has a layer for other event loops: three times the CPU of this (bench/README.md).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from urllib.request import getproxies

from pi_opensync.errors import ConfigurationError
from pi_opensync.lean import without
from pi_opensync.opensync.connection import Connection

with without("click", "pygments", "rich"):
    import httpx

Transport = httpx.AsyncBaseTransport
KEPT_FOR = 5.0  # seconds that a connection stays open for the next request
SECOND_ADDRESS_AFTER = 0.25  # seconds, as RFC 8305 advises


def transport_to(base_url: str) -> Transport:
    """Raises `ConfigurationError` where the proxy that the environment names can not be used."""
    # Over https a proxy sees nothing of the key; over http to this machine it would see all.
    is_secret = base_url.startswith("https:")
    tls = httpx.create_ssl_context() if is_secret else None
    if tls is None or getproxies().keys().isdisjoint({"https", "all"}):
        return Straight(httpx.URL(base_url), tls)
    try:
        return AsTheEnvironmentSays(tls)
    except ImportError:
        raise ConfigurationError(
            "the environment names a SOCKS proxy, and the package socksio is not installed",
            hint="`pipx inject pi-opensync socksio`, or unset ALL_PROXY",
        ) from None
    except (ValueError, httpx.InvalidURL):
        raise ConfigurationError(
            "the environment names a proxy that can not be used",
            hint="look at HTTPS_PROXY and ALL_PROXY; http://, https:// and socks5:// are understood",
        ) from None


class Straight(Transport):
    """As many connections as there are requests under way; one that is free is used again."""

    def __init__(self, server: httpx.URL, tls: ssl.SSLContext | None) -> None:
        self._host = server.raw_host.decode("ascii")
        self._port = server.port or (80 if tls is None else 443)
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])
        self.connecting = 0  # requests that wait for a connection
        self._free: list[Connection] = []  # the one that was used last behind the others
        self._closing_old: asyncio.TimerHandle | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, whose body is yet to be read. Raises `httpx.TransportError`."""
        patience = request.extensions["timeout"]
        self.connecting += 1
        try:
            connection = self._one_that_is_free() or await self._connect(patience["connect"])
        finally:
            self.connecting -= 1
        try:
            head = await connection.ask(request, patience["read"])
        except BaseException:
            connection.close()
            raise
        body = _Body(self, connection, patience["read"])
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=body)

    def give_back(self, connection: Connection) -> None:
        """Close it, or keep it for the next request."""
        if not connection.is_free:
            connection.close()
            return
        self._free.append(connection)
        if self._closing_old is None:
            self._closing_old = asyncio.get_running_loop().call_later(KEPT_FOR, self._close_old)

    async def aclose(self) -> None:
        if self._closing_old is not None:
            self._closing_old.cancel()
        while self._free:
            self._free.pop().close()

    def _one_that_is_free(self) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while self._free:
            connection = self._free.pop()
            if connection.is_free and now - connection.free_since < KEPT_FOR and connection.is_silent:
                return connection
            connection.close()
        return None

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        while self._free and loop.time() - self._free[0].free_since >= KEPT_FOR:
            self._free.pop(0).close()
        self._closing_old = loop.call_later(KEPT_FOR, self._close_old) if self._free else None

    async def _connect(self, within: float | None) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within):
                _transport, connection = await loop.create_connection(
                    Connection,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    happy_eyeballs_delay=SECOND_ADDRESS_AFTER,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no answer while connecting") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


class _Body(httpx.AsyncByteStream):
    def __init__(self, transport: Straight, connection: Connection, silence: float | None) -> None:
        self._transport = transport
        self._connection = connection
        self._silence = silence

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body(self._silence)

    async def aclose(self) -> None:
        self._transport.give_back(self._connection)


class AsTheEnvironmentSays(Transport):
    """Through a proxy or not: httpx knows what HTTPS_PROXY, ALL_PROXY and NO_PROXY mean, and the proxies."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        """Raises ImportError, ValueError, `httpx.InvalidURL`."""
        self._client = httpx.AsyncClient(verify=tls, follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()
