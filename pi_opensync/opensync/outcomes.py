"""What an answer of OpenSync means, as a pure function of status, headers and body.

The server's own words can hold parts of what was sent (its validators print the value), so none of them
is passed on: a reason is one of ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import Any

MAX_RETRY_AFTER = 3600.0  # seconds
SMALL = 64 << 10  # bytes that every server takes


class Verdict(Enum):
    DELIVERED = "delivered"
    AWAY = "the server can not be reached or asks to wait"  # concerns every request
    PASSING = "failed, and may succeed later"  # concerns this request
    UNCLEAR = "failed without saying why"
    DATES_REFUSED = "a batch may not carry createdAt"  # nothing was written
    REFUSED = "will never be accepted"
    KEY_REFUSED = "the key is not accepted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with its reason in our words. Times in seconds; `server_time` since the epoch."""

    verdict: Verdict
    reason: str = ""
    retry_after: float | None = None
    server_time: float | None = None
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    status: int | None = None  # of HTTP; None: there was no answer
    arrived: bool = True  # False: no byte of the request can have reached the server


_DATES = re.compile(r"(extra field|unexpected field) `?createdAt`?", re.IGNORECASE)
_PASSING = re.compile(
    r"OptimisticConcurrencyControl|timed? ?out|overloaded|try again|too many|rate.?limit|temporar|"
    r"unavailable|internal server error|InternalServerError|ExpiredInQueue|TooManyConcurrent|Retry",
    re.IGNORECASE,
)
_REFUSALS = (
    (re.compile(r"Field name", re.IGNORECASE), "a field name that OpenSync does not accept"),
    (re.compile(r"nest(ed|ing)", re.IGNORECASE), "a value nested too deeply for OpenSync"),
    (
        re.compile(r"too (large|big|long|many (bytes|fields))|maximum size|exceeds", re.IGNORECASE),
        "too large",
    ),
    (re.compile(r"array length|too many elements|8192", re.IGNORECASE), "a list too long for OpenSync"),
    (
        re.compile(
            r"ArgumentValidationError|Validator error|does not match validator|not in the validator",
            re.IGNORECASE,
        ),
        "a value that OpenSync's validator does not accept",
    ),
    (
        re.compile(r"not a supported Convex|Convex (type|value)|Unicode|surrogate", re.IGNORECASE),
        "a value that OpenSync can not store",
    ),
)
_QUOTED = re.compile(r"\b(?:Object|Value|Validator): ")
_MISSING = re.compile(r"missing", re.IGNORECASE)


def judge(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    reads: bool = False,
    sent: int = SMALL,
) -> Outcome:
    """The outcome of an answer. `reads`: a reading request, whose answers carry no `ok`; `sent`: bytes."""
    server_time = _http_date(headers.get("date"))
    answer = _object(body)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        verdict, reason = _too_large(sent)
    else:
        verdict, reason = _verdict(status, answer, reads=reads)
    retry_after = _retry_after(headers.get("retry-after"), server_time or now)
    return Outcome(verdict, reason, retry_after, server_time, answer or {}, status)


_BY_STATUS = {
    401: (Verdict.KEY_REFUSED, "the server does not accept the key"),
    403: (Verdict.KEY_REFUSED, "the server does not accept the key"),
    408: (Verdict.AWAY, "the server asks to wait (HTTP 408)"),
    421: (Verdict.AWAY, "the server asks to wait (HTTP 421)"),
    425: (Verdict.AWAY, "the server asks to wait (HTTP 425)"),
    429: (Verdict.AWAY, "the server asks to wait (HTTP 429)"),
    503: (Verdict.AWAY, "the server asks to wait (HTTP 503)"),
}


def _verdict(status: int, answer: dict[str, Any] | None, *, reads: bool) -> tuple[Verdict, str]:  # noqa: PLR0911 - a line a case
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Verdict.AWAY, f"redirected elsewhere (HTTP {status}); check the URL"
    if answer is None:
        return Verdict.AWAY, f"something that is not OpenSync answered (HTTP {status})"
    if status == HTTPStatus.OK:
        return _accepted(answer, reads=reads)
    text = " ".join(_without_values(str(answer.get(name, ""))) for name in ("error", "message", "code"))
    if status == HTTPStatus.NOT_FOUND:
        return Verdict.UNCLEAR, "the server does not know this request (HTTP 404); check the URL"
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = _refusal(text)
        return (Verdict.REFUSED, reason) if reason else (Verdict.UNCLEAR, f"refused (HTTP {status})")
    if status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.AWAY, f"the server is in trouble (HTTP {status})"
    return _failed(text)


def _too_large(sent: int) -> tuple[Verdict, str]:
    """Of a small request it says that something in between lets nothing through."""
    if sent < SMALL:
        return Verdict.UNCLEAR, "turned away as too large, and it is not (HTTP 413)"
    return Verdict.REFUSED, "too large"


def _accepted(answer: dict[str, Any], *, reads: bool) -> tuple[Verdict, str]:
    errors = answer.get("errors")
    if isinstance(errors, list) and errors:
        return _failed("\n".join(_without_values(str(error)) for error in errors))
    if answer.get("ok") is True or reads:
        return Verdict.DELIVERED, ""
    return Verdict.AWAY, "something that is not OpenSync answered (HTTP 200)"


def _failed(text: str) -> tuple[Verdict, str]:
    if _DATES.search(text):
        return Verdict.DATES_REFUSED, "a batch may not carry dates on this server"
    reason = _refusal(text)
    if reason is not None:
        return Verdict.REFUSED, reason
    if _PASSING.search(text):
        return Verdict.PASSING, "the server was busy with the same session"
    return Verdict.UNCLEAR, "the server failed without a reason that we know (HTTP 500)"


def _without_values(text: str) -> str:
    """The server's words up to where its validators quote what was sent."""
    return _QUOTED.split(text, maxsplit=1)[0]


def _refusal(text: str) -> str | None:
    if _MISSING.search(text) and "externalId" in text:
        return "an id is missing"
    return next((reason for pattern, reason in _REFUSALS if pattern.search(text)), None)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@lru_cache(maxsize=16)  # many answers come within a second
def _http_date(value: str | None) -> float | None:
    """The middle of the second that a Date header names."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (TypeError, ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + 0.5


def _retry_after(value: str | None, now: float) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _http_date(value)
        if moment is None:
            return None
        seconds = moment - datetime.fromtimestamp(now, UTC).timestamp()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if seconds == seconds else None  # noqa: PLR0124 - NaN
