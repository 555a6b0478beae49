"""Requests reach the server over connections that stay open, and never over one that is not."""

import asyncio
import socket
import threading

import pytest

from pi_opensync import loop
from pi_opensync.opensync import transport
from pi_opensync.opensync.client import PATIENCE, Client
from pi_opensync.opensync.outcomes import Outcome, Verdict
from tests.opensync.raw_server import OK, Server, answer, asked, message, run, serving


def test_requests_one_after_another_take_one_connection() -> None:
    server = Server()
    outcomes = asked(server, message, message, Client.session_ids, message)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 4
    assert server.connections == [0, 0, 0, 0]


def test_what_is_sent_is_what_the_client_was_given() -> None:
    server = Server()
    asked(server, message, lambda client: client.search("ä b", 3))
    (_, head, body), (_, question, nothing) = server.requests
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /sync/message http/1.1"
    assert b"authorization: bearer osk_" + b"k" * 8 in lines
    assert b"content-length: 18" in lines
    assert body == b'{"externalId":"m"}'
    assert question.startswith(b"GET /api/search?q=%C3%A4+b&limit=3 HTTP/1.1\r\n")
    assert nothing == b""


def test_requests_side_by_side_take_a_connection_each_and_give_it_back() -> None:
    server = Server()
    server.wait_for = 5

    async def ask() -> None:
        async with serving(server) as client:
            await asyncio.gather(*(message(client) for _ in range(5)))
            await asyncio.gather(*(message(client) for _ in range(5)))

    run(ask)
    assert sorted(server.connections[:5]) == [0, 1, 2, 3, 4]
    assert sorted(server.connections[5:]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "first",
    [
        answer(OK, "Connection: close"),
        b"HTTP/1.1 200 OK\r\n\r\n" + OK,  # ends with the connection
        b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK) + OK,
        answer() + answer(b'{"ok":true,"messageId":"of another"}'),
    ],
    ids=["said so", "without a length", "old", "too much"],
)
def test_a_connection_that_can_not_be_trusted_any_more_is_not_used_again(first: bytes) -> None:
    server = Server(first, answer(b'{"ok":true,"messageId":"second"}'))
    outcomes = asked(server, message, message)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 2
    assert outcomes[1].body["messageId"] == "second"
    assert server.connections == [0, 1]


@pytest.mark.parametrize("farewell", [b"", answer(b"{}", status="408 Request Timeout")], ids=["none", "said"])
def test_a_connection_that_the_server_closed_meanwhile_is_not_used(
    farewell: bytes,
) -> None:
    server = Server()

    async def ask() -> list[Outcome]:
        async with serving(server) as client:
            first = await message(client)
            end: socket.socket = server.open[0].get_extra_info("socket")
            server.open[0].write(farewell)
            end.shutdown(socket.SHUT_WR)  # before the client's loop has had a look
            return [first, await message(client)]

    assert [outcome.verdict for outcome in run(ask)] == [Verdict.DELIVERED] * 2
    assert server.connections == [0, 1]


def test_a_server_may_close_each_connection_behind_its_answer() -> None:
    server = Server()
    server.closes = True
    outcomes = asked(server, *[message] * 20)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 20
    assert server.connections == list(range(20))


def test_a_connection_that_rested_for_long_is_closed_by_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEPT_FOR", 0.0)
    server = Server()

    async def ask() -> None:
        async with serving(server) as client:
            await message(client)
            await server.open[0].wait_closed()
            await message(client)

    run(ask)
    assert server.connections == [0, 1]


def test_a_connection_that_breaks_before_the_answer_may_have_brought_the_request() -> None:
    server = Server(None, answer())
    outcomes = asked(server, message, message)
    assert [(outcome.verdict, outcome.arrived) for outcome in outcomes] == [
        (Verdict.AWAY, True),
        (Verdict.DELIVERED, True),
    ]
    assert len(server.requests) == 2, "nothing is sent again by itself"


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nx" + b"y" * (1 << 17)])
def test_what_is_no_http_is_no_answer(nonsense: bytes) -> None:
    (outcome,) = asked(Server(nonsense), message)
    assert (outcome.verdict, outcome.reason) == (Verdict.AWAY, "the connection broke")


def test_a_redirect_is_not_followed() -> None:
    server = Server(answer(b"", "Location: /elsewhere", status="307 Temporary Redirect"))
    (outcome,) = asked(server, message)
    assert outcome.verdict is Verdict.AWAY
    assert len(server.requests) == 1


def test_no_cookie_is_kept() -> None:
    server = Server(answer(OK, "Set-Cookie: a=b"))
    asked(server, message, message)
    assert all(b"cookie" not in head.lower() for _number, head, _body in server.requests)


def test_a_large_request_arrives_whole() -> None:
    server = Server()
    parts = [b'{"externalId":"' + b"x" * 900_000 + b'"}'] * 4
    (outcome,) = asked(server, lambda client: client.batch(parts))
    assert outcome.verdict is Verdict.DELIVERED
    assert server.requests[0][2] == b'{"messages":[' + b",".join(parts) + b"]}"


def test_an_answer_before_all_is_sent_is_heard_and_the_rest_is_not_sent() -> None:
    asked_for: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_for.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(b"{}", status="413 Content Too Large"))
        await writer.drain()
        if len(asked_for) == 1:
            await reader.read(1)  # and no more: what is left of it must not look like another request
            await second.wait()
        writer.transport.abort()
        gone.release()

    async def ask() -> list[Outcome]:
        listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with listener, Client(f"http://127.0.0.1:{port}", "osk_" + "k" * 8, now=lambda: 0.0) as client:
            first = await client.batch([b'{"externalId":"' + b"x" * 15_000_000 + b'"}'])
            outcomes = [first, await message(client)]
            second.set()
            for _ in outcomes:
                await gone.acquire()
            return outcomes

    second, gone = asyncio.Event(), asyncio.Semaphore(0)
    assert [outcome.status for outcome in run(ask)] == [413, 413]
    assert len(asked_for) == 2


def test_a_request_may_take_long_while_it_goes_on() -> None:
    size, piece, passed = 16_000_000, 250_000, 1.25  # bytes, bytes, seconds a piece

    async def ask() -> Outcome:
        loop = asyncio.get_running_loop()
        begun, later, clock = loop.time(), 0.0, loop.time

        async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal later
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(size // piece):
                await reader.readexactly(piece)
                later += passed
                await asyncio.sleep(0)  # the client is let go on too
            writer.write(answer())
            await writer.drain()
            writer.transport.abort()
            gone.set()

        gone = asyncio.Event()
        loop.time = lambda: clock() + later  # type: ignore[method-assign]
        listener = await asyncio.start_server(slowly, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        async with listener, Client(url, "osk_" + "k" * 8, now=lambda: 0.0, deadline=1e6) as client:
            outcome = await client.batch([b'{"externalId":"' + b"x" * (size - 32) + b'"}'])
            await gone.wait()
        assert loop.time() - begun > (PATIENCE["timeout"]["read"] or 0.0)
        return outcome

    assert asyncio.run(ask()).verdict is Verdict.DELIVERED


def test_a_request_that_is_given_up_leaves_no_connection_behind() -> None:
    server = Server()
    server.wait_for = 2

    async def ask() -> Outcome:
        async with serving(server) as client:
            given_up = asyncio.ensure_future(message(client))
            await server.came.wait()
            given_up.cancel()
            await asyncio.wait([given_up])
            return await message(client)

    assert run(ask).verdict is Verdict.DELIVERED
    assert server.connections == [0, 1]


def test_where_nobody_listens_nothing_arrived() -> None:
    async def ask() -> Outcome:
        async with serving(Server()) as gone:
            url = f"http://{gone.host}"
        async with Client(url, "osk_" + "k" * 8, now=lambda: 0.0) as client:
            return await message(client)

    outcome = run(ask)
    assert (outcome.verdict, outcome.arrived) == (Verdict.AWAY, False)
    assert outcome.reason == "the server can not be reached"


def test_a_request_talks_to_the_server_from_when_it_has_a_connection_until_it_is_answered() -> None:
    server = Server()
    server.wait_for = 2

    async def ask() -> None:
        async with serving(server) as client:
            begun = asyncio.ensure_future(message(client))
            await asyncio.sleep(0)
            assert not client.is_talking, "it connects"
            await server.came.wait()
            assert client.is_talking
            await asyncio.gather(begun, message(client))
            assert not client.is_talking

    run(ask)


def test_a_name_that_is_looked_up_for_ever_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, never = threading.Event(), threading.Event()

    def look_up(*_what: object, **_how: object) -> None:
        begun.set()
        never.wait()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def ask() -> None:
        async with Client("http://opensync.invalid", "osk_" + "k" * 8, now=lambda: 0.0) as client:
            given_up = asyncio.ensure_future(message(client))
            await asyncio.to_thread(begun.wait)
            assert not client.is_talking
            given_up.cancel()

    loop.run(ask())
    never.set()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
def test_a_name_that_nobody_knows_is_said(host: str) -> None:
    async def ask() -> Outcome:
        async with Client(f"http://{host}", "osk_" + "k" * 8, now=lambda: 0.0) as client:
            return await message(client)

    outcome = run(ask)
    assert (outcome.verdict, outcome.arrived) == (Verdict.AWAY, False)
