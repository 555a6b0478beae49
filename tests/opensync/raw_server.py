"""A server of bytes: what it answers, how connections end, and which request came over which."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pi_opensync.opensync.client import Client
from pi_opensync.opensync.outcomes import Outcome

OK = b'{"ok":true,"messageId":"m"}'
Result = TypeVar("Result")


def answer(body: bytes = OK, *headers: str, status: str = "200 OK") -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Server:
    """Answers each request by the next of `answers`, the last one again and again; None: not at all."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers) or [answer()]
        self.requests: list[tuple[int, bytes, bytes]] = []  # the connection's number, head and body
        self.open: list[asyncio.StreamWriter] = []
        self.came = asyncio.Event()
        self.all_there = asyncio.Event()
        self.closes = False  # at once behind an answer, without a word
        self.wait_for = 0  # requests that must have come before any of them is answered

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.open)
        self.open.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0].strip()
                body = await reader.readexactly(int(length or 0))
                self.requests.append((number, head, body))
                self.came.set()
                if len(self.requests) >= self.wait_for:
                    self.all_there.set()
                await self.all_there.wait()
                told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(told or b"")
                await writer.drain()
                if self.closes:
                    writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
                if b"Content-Length" not in (told or b""):
                    return  # the end of the connection is the end of the answer
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has closed it
        finally:
            writer.close()

    @property
    def connections(self) -> list[int]:
        return [number for number, _head, _body in self.requests]


@asynccontextmanager
async def serving(
    server: Server, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Client]:
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls, limit=1 << 22)
    port = listener.sockets[0].getsockname()[1]
    url = f"{'http' if tls is None else 'https'}://{host}:{port}"
    async with listener, Client(url, "osk_" + "k" * 8, now=lambda: 0.0) as client:
        yield client


def run(test: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    async def within_a_minute() -> Result:
        async with asyncio.timeout(60):
            return await test()

    return asyncio.run(within_a_minute())


def asked(server: Server, *requests: Callable[[Client], Awaitable[Outcome]]) -> list[Outcome]:
    """The outcomes of requests that are made one after another."""

    async def ask() -> list[Outcome]:
        async with serving(server) as client:
            return [await request(client) for request in requests]

    return run(ask)


def message(client: Client) -> Awaitable[Outcome]:
    return client.message(b'{"externalId":"m"}')
