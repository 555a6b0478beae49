"""What goes wrong between a client and the backend, as values that a test can choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Literal, assert_never

from tests.standin.backend import OpenSync, Reply

PORTAL = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please sign in.</body></html>"
CONFLICT = (
    b'{"error":"Error: OptimisticConcurrencyControlFailure: Documents read from or written to changed"}'
)


@dataclass(frozen=True)
class ErrorBefore:
    """An error, nothing stored."""

    status: int = 500
    body: bytes = CONFLICT


@dataclass(frozen=True)
class ErrorAfter:
    """Stored, then an error."""

    status: int = 500
    body: bytes = CONFLICT


@dataclass(frozen=True)
class CutBefore:
    """The connection drops, nothing stored."""


@dataclass(frozen=True)
class CutAfter:
    """Stored, then the connection drops without an answer."""


@dataclass(frozen=True)
class Busy:
    """Turned away, nothing stored; `retry_after` is the header's text, if there is one."""

    status: Literal[429, 503] = 429
    retry_after: str | None = None


@dataclass(frozen=True)
class Hang:
    """No answer ever, nothing stored."""


@dataclass(frozen=True)
class Html:
    """A captive portal: 200 with a page, nothing stored."""


@dataclass(frozen=True)
class HtmlAfter:
    """Stored, and the answer replaced by a page."""


Fault = ErrorBefore | ErrorAfter | CutBefore | CutAfter | Busy | Hang | Html | HtmlAfter
Faults = Callable[[str, str], Fault | None]

EVERY_FAULT: tuple[Fault, ...] = (
    ErrorBefore(),
    ErrorBefore(503, b"upstream connect error"),
    ErrorAfter(),
    ErrorAfter(502, b"bad gateway"),
    CutBefore(),
    CutAfter(),
    Busy(429, "1"),
    Busy(503, None),
    Hang(),
    Html(),
    HtmlAfter(),
)
FAULTS_THAT_ANSWER = tuple(fault for fault in EVERY_FAULT if not isinstance(fault, Hang))


class Broken(Enum):
    """No reply: what the client sees instead."""

    CUT = "cut"
    HANG = "hang"


def no_faults(_method: str, _path: str) -> Fault | None:
    return None


def random_faults(random: Random, rate: float, kinds: Sequence[Fault] = EVERY_FAULT) -> Faults:
    """A share of `rate` (0 to 1) of all requests fails, in one of `kinds`."""

    def choose(_method: str, _path: str) -> Fault | None:
        return random.choice(kinds) if random.random() < rate else None

    return choose


def answer(opensync: OpenSync, fault: Fault | None, commit: Callable[[], Reply]) -> Reply | Broken:
    """The reply to a request that meets `fault`; `commit` lets the backend handle it."""
    if isinstance(fault, ErrorAfter | CutAfter | HtmlAfter):
        commit()
    match fault:
        case None:
            return commit()
        case ErrorBefore(status, body) | ErrorAfter(status, body):
            return opensync.reply_with(status, "application/json", body)
        case Busy(status, retry_after):
            more = {} if retry_after is None else {"Retry-After": retry_after}
            return opensync.reply_with(status, "application/json", b'{"error":"Too many requests"}', more)
        case Html() | HtmlAfter():
            return opensync.reply_with(200, "text/html; charset=utf-8", PORTAL)
        case CutBefore() | CutAfter():
            return Broken.CUT
        case Hang():
            return Broken.HANG
        case _:
            assert_never(fault)
