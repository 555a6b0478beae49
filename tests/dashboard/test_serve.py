"""A real server in the loop of a program, and what raw sockets can do to it."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.web.listener import NotLoopbackError, Running, _listener, serve
from pi_opensync.dashboard.web.protocol import Deadlines
from tests.dashboard.conftest import Local


def with_server(local: Local, use: Callable[[Running], Awaitable[None]]) -> None:
    async def run() -> None:
        running = await serve(local.app)
        try:
            await asyncio.wait_for(use(running), 30)
        finally:
            await running.stop()

    asyncio.run(run())


def test_it_listens_at_the_url_it_tells_and_stops(local: Local) -> None:
    url = ""

    async def use(running: Running) -> None:
        nonlocal url
        url = running.url
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/health")).json()["status"] == "ok"

    before = signal.getsignal(signal.SIGINT)
    with_server(local, use)
    assert url.startswith("http://127.0.0.1:")
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_it_can_be_stopped_twice_and_with_a_connection_open(local: Local) -> None:
    async def run() -> None:
        running = await serve(local.app)
        host, port = running.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        await running.stop()
        await running.stop()
        writer.close()

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 - must be refused
def test_a_host_that_others_can_reach_is_refused(local: Local, host: str) -> None:
    with pytest.raises(NotLoopbackError):
        asyncio.run(serve(local.app, host))


def test_others_are_let_in_where_it_is_told_so(local: Local) -> None:
    async def run() -> None:
        running = await serve(local.app, "0.0.0.0", remote=True)  # noqa: S104 - what is tested
        assert running.url.startswith("http://127.0.0.1:")
        await running.stop()

    asyncio.run(run())


def test_a_taken_port_is_an_os_error(local: Local) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            asyncio.run(serve(local.app, port=taken.getsockname()[1]))


GARBAGE = [
    b"\0" * 1000,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    b"POST /sync/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nkey=",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:40]))
def test_no_garbage_on_the_wire_stops_it_or_gets_a_page(local: Local, garbage: bytes) -> None:
    async def use(running: Running) -> None:
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(garbage)
        if writer.can_write_eof():
            writer.write_eof()
        try:
            answer = await reader.read(65536)
        except ConnectionError:
            answer = b""
        writer.close()
        assert not answer.startswith(b"HTTP/1.1 200")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{running.url}/health")).status_code == 200

    with_server(local, use)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nkey=",
    ],
)
def test_a_connection_that_sends_no_more_is_closed(local: Local, sent: bytes) -> None:
    async def run() -> None:
        running = await serve(local.app, deadlines=Deadlines(head=0.1, whole=0.2))
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            await reader.read()  # until it is closed
        writer.close()
        await running.stop()

    asyncio.run(asyncio.wait_for(run(), 4))  # seconds; uvicorn alone would wait for ever, or 5 s


def test_a_request_that_comes_in_pieces_and_one_that_takes_long_are_answered(local: Local) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        arrived.set()
        go_on.wait(10)
        return PlainTextResponse(request.url.path)

    local.app.router.routes.insert(0, Route("/static/slow", slow))

    async def run() -> None:
        running = await serve(local.app, deadlines=Deadlines(head=0.5, whole=0.5))
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for piece in (b"GET /static/slow HTTP/1.1\r\n", b"Host: 127.0.0.1\r\n", b"\r\n"):
            writer.write(piece)
            await writer.drain()
        await asyncio.to_thread(arrived.wait, 10)
        reading = asyncio.create_task(reader.readuntil(b"/static/slow"))
        done, _ = await asyncio.wait([reading], timeout=0.7)  # longer than any deadline
        assert not done
        go_on.set()
        assert b"200 OK" in await reading
        writer.close()
        await running.stop()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_many_clients_at_once_are_all_answered(local: Local) -> None:
    async def use(running: Running) -> None:
        async with httpx.AsyncClient(base_url=running.url, headers=local.bearer, timeout=30) as client:
            message = {"externalId": "m", "role": "user", "textContent": "x"}
            answers = await asyncio.gather(
                *(
                    client.post("/sync/message", json={**message, "sessionExternalId": f"s{n % 7}"})
                    for n in range(60)
                ),
                *(client.get("/api/stats") for _ in range(30)),
            )
        assert {answer.status_code for answer in answers} == {200}

    with_server(local, use)
    stats = local.get("/api/stats")
    assert (stats["sessionCount"], stats["messageCount"]) == (7, 7)


def test_an_answer_does_not_wait_for_the_last_one_to_be_acknowledged() -> None:
    """asyncio turns Nagle's algorithm off only for sockets that say their protocol: else 40 ms an answer."""
    with contextlib.closing(_listener("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
