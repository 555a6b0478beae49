"""What a hostile or broken server sends back: it costs neither memory nor time without end."""

import asyncio
import gzip
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pi_opensync.errors import ConfigurationError
from pi_opensync.opensync.client import MAX_ANSWER, Client
from pi_opensync.opensync.outcomes import Outcome, Verdict

DEADLINE = 0.5  # seconds
OK = b'{"ok":true,"sessionIds":[],"messageId":"m"}'
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Ask = Callable[[Client], Awaitable[Outcome]]


async def read(client: Client) -> Outcome:
    return await client.session_ids()


async def write(client: Client) -> Outcome:
    return await client.message(b"{}")


@asynccontextmanager
async def answering(answer: Answer, *, deadline: float = DEADLINE) -> AsyncIterator[Client]:
    """A client of a server that answers every request so."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    key = "osk_" + "k" * 8
    async with server, Client(f"http://127.0.0.1:{port}", key, now=lambda: 0.0, deadline=deadline) as client:
        yield client


def ask(request: Ask, answer: Answer, *, deadline: float = DEADLINE) -> Outcome:
    async def asking() -> Outcome:
        async with answering(answer, deadline=deadline) as client:
            return await request(client)

    return asyncio.run(asking())


def whole(body: bytes, **headers: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def endless_continue(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A byte within every time-out of a single read."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.Event().wait()


@pytest.mark.parametrize("request_", [read, write])
def test_an_answer_in_gzip_is_understood(request_: Ask) -> None:
    packed = whole(gzip.compress(OK), **{"Content-Encoding": "gzip"})
    assert ask(request_, packed).verdict is Verdict.DELIVERED
    assert ask(request_, whole(OK)).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("request_", [read, write])
def test_a_small_answer_that_unpacks_without_end_costs_no_memory(request_: Ask) -> None:
    bomb = gzip.compress(b" " * (200 << 20), compresslevel=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = ask(request_, whole(bomb, **{"Content-Encoding": "gzip"}), deadline=60)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert outcome.verdict is not Verdict.DELIVERED
    assert grown < 180 << 10, "KiB"
    assert "large" in outcome.reason or "end" in outcome.reason


@pytest.mark.parametrize(("request_", "verdict"), [(read, Verdict.UNCLEAR), (write, Verdict.AWAY)])
@pytest.mark.parametrize("answer", [endless_body, endless_continue, trickle, silence])
def test_an_answer_without_end_ends(request_: Ask, verdict: Verdict, answer: Answer) -> None:
    outcome = ask(request_, answer, deadline=30 if answer is endless_body else DEADLINE)
    assert outcome.verdict is verdict
    assert outcome.arrived


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_an_encoding_that_was_not_asked_for_is_not_unpacked(encoding: str) -> None:
    assert ask(write, whole(OK, **{"Content-Encoding": encoding})).verdict is Verdict.AWAY


def test_what_is_not_what_it_says_is_no_delivery() -> None:
    assert ask(write, whole(os.urandom(100), **{"Content-Encoding": "gzip"})).verdict is Verdict.AWAY


def test_an_answer_to_a_write_is_small() -> None:
    large = b'{"ok":true,"x":"' + b"x" * MAX_ANSWER + b'"}'
    assert ask(write, whole(large), deadline=30).verdict is Verdict.AWAY


@pytest.mark.parametrize(
    ("proxy", "words"),
    [("socks5://127.0.0.1:1080", "socksio"), ("ftp://127.0.0.1", "proxy")],
)
def test_a_proxy_that_can_not_be_used_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, proxy: str, words: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigurationError) as refused:
        Client("https://opensync.test", "osk_" + "k" * 8, now=lambda: 0.0)
    assert words in str(refused.value)
    assert proxy not in str(refused.value)
    assert refused.value.hint


def test_to_this_machine_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    client: Any = Client("http://127.0.0.1:1", "osk_" + "k" * 8, now=lambda: 0.0)
    assert client.host == "127.0.0.1:1"
