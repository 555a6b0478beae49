"""One connection to a server, over which requests go one after another, as HTTP/1.1 has it."""

import asyncio
import select
from collections.abc import AsyncIterator

import h11

from pi_opensync.lean import without

with without("click", "pygments", "rich"):
    import httpx

MOST_UNREAD = 256 << 10  # bytes of an answer that are held while nobody reads them
WRITTEN_AT_ONCE = 64 << 10  # bytes of a request; each such piece may take as long as an answer


class Connection(asyncio.Protocol):
    """The sockets are asyncio's, the protocol is h11's. One request at a time.

    What is raised leaves a connection that must be closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._woken: asyncio.Future[None] | None = None
        self._unread = 0
        self._is_lost = False
        self._is_full = False  # what was written has not left yet
        self._is_cut = False  # a request that was not written to its end
        self.free_since = 0.0  # by the loop's clock

    @property
    def is_free(self) -> bool:
        """Whether it can take a request: it is open, and what was asked before is answered."""
        return (
            not (self._is_lost or self._is_cut) and self._http.our_state is self._http.their_state is h11.IDLE
        )

    @property
    def is_silent(self) -> bool:
        """Whether nothing came that the loop has yet to read, as the end of the connection."""
        if self._transport is None:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    async def ask(self, request: httpx.Request, silence: float | None) -> h11.Response:
        """Status and headers of the answer; `silence`: seconds in which something must come or go.

        Raises `httpx.TransportError`.
        """
        self._unread = 0
        body = await request.aread()
        target, headers = request.url.raw_path, request.headers.raw
        try:
            head = self._http.send(h11.Request(method=request.method, target=target, headers=headers))
            self._http.send(h11.Data(data=body))
            self._http.send(h11.EndOfMessage())
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        if self._transport is None or head is None:
            raise httpx.WriteError("the connection is closed")
        await self._write(self._transport, head + body, silence)
        while True:
            event = await self._next(silence)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("no answer to the request")

    async def body(self, silence: float | None) -> AsyncIterator[bytes]:
        """The body of the answer, as it comes; `silence` as above. Raises `httpx.TransportError`."""
        while isinstance(event := await self._next(silence), h11.Data):
            yield bytes(event.data)
        is_over = self._http.our_state is self._http.their_state is h11.DONE
        if is_over and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            self.free_since = self._loop.time()

    async def _write(self, transport: asyncio.Transport, data: bytes, silence: float | None) -> None:
        """Piece by piece, up to an answer that comes before all is written: the rest is not wanted."""
        for start in range(0, len(data), WRITTEN_AT_ONCE):
            transport.write(data[start : start + WRITTEN_AT_ONCE])
            while self._is_full and not self._is_lost and not self._unread:
                await self._something(silence)
            if self._is_lost or self._unread:
                self._is_cut = start + WRITTEN_AT_ONCE < len(data)
                return

    def close(self) -> None:
        """At once, without a farewell that a server could delay."""
        self._is_lost = True
        if self._transport is not None:
            self._transport.abort()

    async def _next(self, silence: float | None) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            if self._is_lost:
                raise httpx.ReadError("the connection broke")
            await self._something(silence)

    async def _something(self, silence: float | None) -> None:
        self._unread = 0
        if self._transport is not None:
            self._transport.resume_reading()
        self._woken = self._loop.create_future()
        try:
            async with asyncio.timeout(silence):
                await self._woken
        except TimeoutError:
            raise httpx.ReadTimeout("nothing came from the server") from None
        finally:
            self._woken = None

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self.is_free:  # nothing was asked: it would be taken for the next one's answer
            self.close()
            return
        self._http.receive_data(data)
        self._unread += len(data)
        if self._unread > MOST_UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        if not self._is_lost:
            self._http.receive_data(b"")
        self._is_lost = True
        self._wake()

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_lost = True
        self._wake()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
