"""The stand-in's transport: what a client sees of each fault, and what is stored of it."""

import asyncio
import secrets
from collections.abc import Coroutine
from random import Random
from typing import Any

import httpx
import pytest

from tests.standin.backend import OpenSync
from tests.standin.faults import (
    Busy,
    CutAfter,
    CutBefore,
    ErrorAfter,
    ErrorBefore,
    Fault,
    Hang,
    Html,
    HtmlAfter,
    random_faults,
)
from tests.standin.transport import Request, StandInTransport


def made(fault: Fault | None = None) -> StandInTransport:
    transport = StandInTransport(OpenSync(now=lambda: 1_700_000_000, key="osk_" + secrets.token_hex(8)))
    transport.faults = lambda _method, _path: fault
    return transport


def client_of(transport: StandInTransport) -> httpx.AsyncClient:
    bearer = {"Authorization": f"Bearer {transport.opensync.key}"}
    return httpx.AsyncClient(transport=transport, base_url="http://opensync.test", headers=bearer)


def posted(transport: StandInTransport, *sessions: str) -> list[httpx.Response]:
    async def post_all() -> list[httpx.Response]:
        async with client_of(transport) as client:
            posts = [client.post("/sync/session", json={"externalId": name}) for name in sessions]
            return await asyncio.gather(*posts)

    return asyncio.run(post_all())


def test_a_request_without_a_fault_is_handled_and_logged() -> None:
    transport = made()
    (response,) = posted(transport, "s")
    assert response.json()["ok"] is True
    assert response.headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert transport.log == [Request("POST", "/sync/session", {"externalId": "s"}, 200)]


@pytest.mark.parametrize(
    ("fault", "status", "stored"),
    [
        (ErrorBefore(), 500, False),
        (ErrorAfter(502), 502, True),
        (Busy(429, "7"), 429, False),
        (Busy(503), 503, False),
        (Html(), 200, False),
        (HtmlAfter(), 200, True),
    ],
)
def test_a_fault_with_an_answer(fault: Fault, status: int, stored: bool) -> None:
    transport = made(fault)
    (response,) = posted(transport, "s")
    assert response.status_code == status
    assert "ok" not in response.text
    assert ("s" in transport.opensync.sessions) is stored
    assert response.headers.get("Retry-After") == ("7" if fault == Busy(429, "7") else None)
    assert transport.log[0].status == status


@pytest.mark.parametrize(
    ("fault", "error", "stored"),
    [
        (CutBefore(), httpx.ReadError, False),
        (CutAfter(), httpx.RemoteProtocolError, True),
        (Hang(), httpx.ReadTimeout, False),
    ],
)
def test_a_fault_without_an_answer(fault: Fault, error: type[Exception], stored: bool) -> None:
    transport = made(fault)
    with pytest.raises(error):
        posted(transport, "s")
    assert ("s" in transport.opensync.sessions) is stored
    assert transport.log[0].status is None


def test_writes_to_one_session_at_once_are_counted() -> None:
    transport = made()

    async def gate(_request: Request) -> None:
        await asyncio.sleep(0)

    transport.gate = gate
    posted(transport, "a", "b", "c")
    assert transport.opensync.counters.concurrent_session_writes == 0
    posted(transport, "a", "a", "b")
    assert transport.opensync.counters.concurrent_session_writes == 1
    posted(transport, "a")
    assert transport.opensync.counters.concurrent_session_writes == 1


def test_a_batch_writes_the_sessions_of_its_messages() -> None:
    transport = made()
    batch = {"messages": [{"sessionExternalId": "a", "externalId": "m", "role": "user"}]}

    async def post_both() -> None:
        arrived = asyncio.Event()

        async def gate(request: Request) -> None:
            if request.path == "/sync/batch":
                await arrived.wait()
            arrived.set()

        transport.gate = gate
        async with client_of(transport) as client:
            posts: list[Coroutine[Any, Any, httpx.Response]] = [
                client.post("/sync/batch", json=batch),
                client.post("/sync/session", json={"externalId": "a"}),
            ]
            await asyncio.gather(*posts)

    asyncio.run(post_both())
    assert transport.opensync.counters.concurrent_session_writes == 1


def test_random_faults_are_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        random = Random(seed)  # noqa: S311 - repeatable, and nothing is secret here
        choose = random_faults(random, 0.5)
        return [choose("POST", "/sync/session") for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 60 < sum(fault is None for fault in drawn(1)) < 140
