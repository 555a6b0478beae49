"""The way to OpenSync, step by step: each step is looked at only when the one before it holds."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.opensync import answers
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.outcomes import Outcome, Verdict

WITHIN = 10.0  # seconds for a name or a handshake
SKEW = 60.0  # seconds; more is a wrong clock, and dates would look wrong
SKEW_THAT_BREAKS = 300.0  # certificates and the server's windows no longer fit
STEPS = ("dns", "tls", "health", "key", "clock")

Handshake = Callable[[str, int], Awaitable[None]]
Resolve = Callable[[str, int], Awaitable[None]]


async def resolve(host: str, port: int) -> None:
    """Raises OSError where the name is not known."""
    await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def handshake(host: str, port: int) -> None:
    """Raises OSError, ssl.SSLError among them, where no trusted connection comes about."""
    _reader, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    writer.close()


async def checks(
    url: str,
    client: Client,
    *,
    now: Callable[[], float],
    proxied: bool,
    resolve: Resolve = resolve,
    handshake: Handshake = handshake,
) -> list[Check]:
    """`proxied`: a proxy makes the connections, so that names and handshakes are its business."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    name = await _dns(host, port, resolve, proxied=proxied)
    if name.verdict == "fail":
        return [name, *_not_looked_at(name)]
    trust = await _tls(parts.scheme, host, port, handshake, proxied=proxied)
    if trust.verdict == "fail":
        return [name, trust, *_not_looked_at(trust)]
    health = await client.health()
    answers = _health(health, host)
    if answers.verdict == "fail":
        return [name, trust, answers, *_not_looked_at(answers)]
    return [name, trust, answers, _key(await client.session_ids()), clock(health.server_time, now())]


async def _dns(host: str, port: int, resolve: Resolve, *, proxied: bool) -> Check:
    if proxied:
        return ok("dns", "a proxy looks names up")
    try:
        async with asyncio.timeout(WITHIN):
            await resolve(host, port)
    except (OSError, TimeoutError, UnicodeError):
        return fail("dns", f"{host} is not known, or this machine is offline", f"getent hosts {host}")
    return ok("dns", host)


async def _tls(scheme: str, host: str, port: int, handshake: Handshake, *, proxied: bool) -> Check:
    if scheme != "https":
        return ok("tls", "not used: the server is this machine")
    if proxied:
        return ok("tls", "through a proxy")
    try:
        async with asyncio.timeout(WITHIN):
            await handshake(host, port)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or "no common TLS"
        return fail(
            "tls",
            f"{host}: {reason}",
            "check the clock and the network; for a company's certificate set SSL_CERT_FILE",
        )
    except (OSError, TimeoutError):
        return fail("tls", f"{host}:{port} does not answer", f"curl -v https://{host}/health")
    return ok("tls", f"{host} is trusted")


def _health(outcome: Outcome, host: str) -> Check:
    if outcome.verdict is Verdict.DELIVERED:
        return ok("health", f"{host} answers as OpenSync")
    return fail("health", f"{host}: {outcome.reason}", "check the URL with `pi-opensync login`")


def _key(outcome: Outcome) -> Check:
    if outcome.verdict is Verdict.DELIVERED:
        count = len(answers.listed(outcome) or ())
        return ok("key", f"accepted; {count} sessions on the dashboard")
    if outcome.verdict is Verdict.KEY_REFUSED:
        return fail("key", "the server does not accept it", "pi-opensync login")
    return fail("key", outcome.reason, "pi-opensync doctor")


def clock(server_time: float | None, now: float) -> Check:
    """The Date of an answer against ours, both in seconds since the epoch."""
    if server_time is None:
        return warn("clock", "the server does not tell its time")
    ahead = now - server_time
    words = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server"
    if abs(ahead) > SKEW_THAT_BREAKS:
        return fail("clock", words, "timedatectl set-ntp true")
    if abs(ahead) > SKEW:
        return warn("clock", words, "timedatectl set-ntp true")
    return ok("clock", "agrees with the server's")


def dates(kept: object, chosen: str) -> Check:
    """What was learned of the batch: 1, 0, or None where it was not asked yet."""
    if chosen == "server":
        return warn("dates", 'timestamps is "server": everything is dated by its arrival')
    if kept is None:
        return ok("dates", "kept; whether a batch keeps them too was not asked yet")
    return ok("dates", "kept, by the batch too" if kept else "kept, message by message: a batch would not")


def _not_looked_at(failed: Check) -> list[Check]:
    return [
        warn(name, f"not looked at: {failed.name} fails") for name in STEPS[STEPS.index(failed.name) + 1 :]
    ]
