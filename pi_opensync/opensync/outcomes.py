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
from typing import Any

MAX_RETRY_AFTER = 3600.0  # seconds


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
_MISSING = re.compile(r"missing", re.IGNORECASE)


def judge(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, reads: bool = False
) -> Outcome:
    """The outcome of an answer. `reads`: a reading request, whose answers carry no `ok`."""
    server_time = _http_date(headers.get("date"))
    retry_after = _retry_after(headers.get("retry-after"), server_time or now)
    answer = _object(body)

    def outcome(verdict: Verdict, reason: str = "") -> Outcome:
        return Outcome(verdict, reason, retry_after, server_time, answer or {})

    if status in (401, 403):
        return outcome(Verdict.KEY_REFUSED, "the server does not accept the key")
    if status in (429, 503):
        return outcome(Verdict.AWAY, f"the server asks to wait (HTTP {status})")
    if 300 <= status < 400:  # noqa: PLR2004 - redirections
        return outcome(Verdict.AWAY, f"redirected elsewhere (HTTP {status}); check the URL")
    if answer is None and status != 413:  # noqa: PLR2004 - too large, from any proxy
        return outcome(Verdict.AWAY, f"something that is not OpenSync answered (HTTP {status})")
    if status == 200:  # noqa: PLR2004 - OK
        return _accepted(answer or {}, outcome, reads=reads)
    text = _error_text(answer or {})
    if status == 413:  # noqa: PLR2004 - too large
        return outcome(Verdict.REFUSED, "too large")
    if status == 404:  # noqa: PLR2004 - not found
        return outcome(Verdict.UNCLEAR, "the server does not know this request (HTTP 404); check the URL")
    if 400 <= status < 500:  # noqa: PLR2004 - the client's fault
        return outcome(Verdict.REFUSED, _refusal(text) or f"refused (HTTP {status})")
    if status != 500:  # noqa: PLR2004 - a function's own failure
        return outcome(Verdict.AWAY, f"the server is in trouble (HTTP {status})")
    return _failed(text, outcome)


def _accepted(answer: dict[str, Any], outcome: Any, *, reads: bool) -> Outcome:
    errors = answer.get("errors")
    if isinstance(errors, list) and errors:
        return _failed("\n".join(str(error) for error in errors), outcome)
    if answer.get("ok") is True or reads:
        return outcome(Verdict.DELIVERED)  # type: ignore[no-any-return] # the closure above
    return outcome(Verdict.AWAY, "something that is not OpenSync answered (HTTP 200)")  # type: ignore[no-any-return] # the closure above


def _failed(text: str, outcome: Any) -> Outcome:
    if _DATES.search(text):
        return outcome(Verdict.DATES_REFUSED, "a batch may not carry dates on this server")  # type: ignore[no-any-return] # the closure above
    reason = _refusal(text)
    if reason is not None:
        return outcome(Verdict.REFUSED, reason)  # type: ignore[no-any-return] # the closure above
    if _PASSING.search(text):
        return outcome(Verdict.PASSING, "the server was busy with the same session")  # type: ignore[no-any-return] # the closure above
    return outcome(Verdict.UNCLEAR, "the server failed without a reason that we know (HTTP 500)")  # type: ignore[no-any-return] # the closure above


def _refusal(text: str) -> str | None:
    if _MISSING.search(text) and "externalId" in text:
        return "an id is missing"
    return next((reason for pattern, reason in _REFUSALS if pattern.search(text)), None)


def _error_text(answer: dict[str, Any]) -> str:
    return " ".join(str(answer.get(name, "")) for name in ("error", "message", "code"))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _http_date(value: str | None) -> float | None:
    """The middle of the second that a Date header names."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (TypeError, ValueError):
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
