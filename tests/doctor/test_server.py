"""The checks of the way to OpenSync, against the stand-in and against what can stand in the way."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator

import pytest

from pi_opensync.doctor import way_to_opensync
from pi_opensync.doctor.check import Check
from pi_opensync.opensync.client import Client
from tests.conftest import new_key
from tests.standin.backend import OpenSync
from tests.standin.faults import Busy, ErrorBefore, Fault, Html
from tests.standin.server import Server, running
from tests.standin.transport import StandInTransport

HTTPS = "https://opensync.test"


async def known(_host: str, _port: int) -> None:
    return


async def unknown(_host: str, _port: int) -> None:
    raise OSError("Name or service not known")


async def untrusted(_host: str, _port: int) -> None:
    raise ssl.SSLCertVerificationError("self-signed certificate")


async def silent(_host: str, _port: int) -> None:
    raise ConnectionRefusedError


def look(
    opensync: OpenSync,
    *,
    key: str | None = None,
    url: str = HTTPS,
    now: Callable[[], float] = time.time,
    resolve: way_to_opensync.Resolve = known,
    handshake: way_to_opensync.Handshake = known,
    fault: Fault | None = None,
    proxied: bool = False,
) -> dict[str, Check]:
    transport = StandInTransport(opensync)
    transport.faults = lambda _method, _path: fault

    async def ask() -> list[Check]:
        async with Client(url, key or opensync.key, now=now, transport=transport) as client:
            return await way_to_opensync.checks(
                url, client, now=now, proxied=proxied, resolve=resolve, handshake=handshake
            )

    return {check.name: check for check in asyncio.run(ask())}


@pytest.fixture
def server_url(opensync: OpenSync) -> Iterator[str]:
    with running(opensync) as started:
        yield started.url


def verdicts(checks: dict[str, Check]) -> dict[str, str]:
    return {name: check.verdict for name, check in checks.items()}


def test_a_server_that_is_well(opensync: OpenSync) -> None:
    checks = look(opensync)
    assert verdicts(checks) == dict.fromkeys(way_to_opensync.STEPS, "ok")
    assert checks["key"].detail == "accepted; 0 sessions on the dashboard"


def test_a_real_connection_to_this_machine(opensync: OpenSync) -> None:
    async def ask(started: Server) -> list[Check]:
        async with Client(started.url, opensync.key, now=time.time) as client:
            return await way_to_opensync.checks(started.url, client, now=time.time, proxied=False)

    with running(opensync) as started:
        checks = asyncio.run(ask(started))
    assert [check.verdict for check in checks] == ["ok"] * 5


def test_a_name_that_is_not_known_fails_and_the_rest_is_not_looked_at(opensync: OpenSync) -> None:
    checks = look(opensync, resolve=unknown)
    assert verdicts(checks) == {"dns": "fail"} | dict.fromkeys(way_to_opensync.STEPS[1:], "warn")
    assert checks["key"].detail == "not looked at: dns fails"


@pytest.mark.parametrize("handshake", [untrusted, silent])
def test_a_certificate_or_a_port_that_fails(opensync: OpenSync, handshake: way_to_opensync.Handshake) -> None:
    assert look(opensync, handshake=handshake)["tls"].verdict == "fail"


def test_behind_a_proxy_names_and_handshakes_are_its_business(opensync: OpenSync) -> None:
    checks = look(opensync, resolve=unknown, handshake=untrusted, proxied=True)
    assert verdicts(checks) == dict.fromkeys(way_to_opensync.STEPS, "ok")


@pytest.mark.parametrize("fault", [Html(), Busy(503), ErrorBefore(502, b"bad gateway")])
def test_something_else_than_opensync_fails(opensync: OpenSync, fault: Fault) -> None:
    checks = look(opensync, fault=fault)
    assert (checks["health"].verdict, checks["key"].verdict) == ("fail", "warn")


def test_a_key_that_is_refused_fails_and_is_not_shown(opensync: OpenSync) -> None:
    wrong = new_key()
    checks = look(opensync, key=wrong)
    assert (checks["key"].verdict, checks["key"].mend) == ("fail", "pi-opensync login")
    assert wrong not in repr(checks)


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0.0, "ok"), (90.0, "warn"), (-90.0, "warn"), (3600.0, "fail"), (-3600.0, "fail")]
)
def test_a_clock_that_is_wrong_is_told(opensync: OpenSync, ahead: float, verdict: str) -> None:
    check = look(opensync, now=lambda: time.time() + ahead)["clock"]
    assert check.verdict == verdict
    assert ("behind" in check.detail) == (ahead < 0)


def test_a_server_that_does_not_tell_its_time_only_warns() -> None:
    assert way_to_opensync.clock(None, 0.0).verdict == "warn"


@pytest.mark.parametrize(
    ("kept", "chosen", "verdict", "words"),
    [
        (None, "transcript", "ok", "not asked yet"),
        (0, "transcript", "ok", "message by message"),
        (1, "transcript", "ok", "by the batch too"),
        (0, "server", "warn", "by its arrival"),
    ],
)
def test_what_becomes_of_dates(kept: object, chosen: str, verdict: str, words: str) -> None:
    check = way_to_opensync.dates(kept, chosen)
    assert check.verdict == verdict
    assert words in check.detail


@pytest.mark.slow
def test_a_port_that_speaks_no_tls_fails(server_url: str, opensync: OpenSync) -> None:
    check = look(opensync, url=server_url.replace("http:", "https:"), handshake=way_to_opensync.handshake)[
        "tls"
    ]
    assert check.verdict == "fail"
