"""The servers that must keep the contract: one fixture parameter each."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.standin.backend import OpenSync
from tests.standin.server import running


@dataclass(frozen=True)
class Backend:
    """A running server, empty; `client` sends `key` and has `base_url` as its base."""

    base_url: str
    key: str
    client: httpx.Client


@contextmanager
def stand_in(key: str) -> Iterator[str]:
    with running(OpenSync(now=time.time, key=key)) as server:
        yield server.url


@contextmanager
def later_stand_in(key: str) -> Iterator[str]:
    with running(OpenSync(now=time.time, key=key, batch_keeps_dates=True)) as server:
        yield server.url


SERVERS: dict[str, Callable[[str], AbstractContextManager[str]]] = {
    "stand-in": stand_in,
    "later stand-in": later_stand_in,
}


@pytest.fixture(params=SERVERS)
def opensync(request: pytest.FixtureRequest) -> Iterator[Backend]:
    key = "osk_" + secrets.token_hex(16)
    bearer = {"Authorization": f"Bearer {key}"}
    with (
        SERVERS[request.param](key) as url,
        httpx.Client(base_url=url, headers=bearer, trust_env=False) as client,
    ):
        yield Backend(url, key, client)
