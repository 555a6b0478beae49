"""What an answer of OpenSync means."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.opensync.outcomes import MAX_RETRY_AFTER, Outcome, Verdict, judge

NOW = 1_795_168_800.0
OK = b'{"ok":true}'
PRIVATE = "what the user wrote"


def answered(status: int, body: bytes | dict[str, Any], **headers: str) -> Outcome:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(status, headers, data, now=NOW)


def failed(text: str, status: int = 500) -> Outcome:
    return answered(status, {"error": text})


def batch(*errors: str) -> Outcome:
    return answered(200, {"ok": True, "sessions": 0, "messages": 0, "errors": list(errors)})


# success is "ok": true in JSON, nothing else


@pytest.mark.parametrize("body", [{"ok": True}, {"ok": True, "messageId": "m"}, {"ok": True, "errors": []}])
def test_ok_in_json_is_delivered(body: dict[str, Any]) -> None:
    outcome = answered(200, body)
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.body == body


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Please log in to the hotel's network</body></html>",
        b"",
        b"ok",
        b"null",
        b"[]",
        b'"ok"',
        b"true",
        b'{"ok":false}',
        b'{"ok":1}',
        b'{"ok":"true"}',
        b"{}",
        b"\xff\xfe",
        b'{"ok":true',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_anything_else_that_answers_200_is_not_opensync(body: bytes) -> None:
    assert answered(200, body).verdict is Verdict.AWAY


def test_an_answer_to_a_reading_request_needs_no_ok() -> None:
    body = b'{"sessionIds":[]}'
    assert judge(200, {}, body, now=NOW, reads=True).verdict is Verdict.DELIVERED
    assert judge(200, {}, body, now=NOW).verdict is Verdict.AWAY
    assert judge(200, {}, b"<html>", now=NOW, reads=True).verdict is Verdict.AWAY


# a batch answers 200 with ok even when everything failed


@pytest.mark.parametrize(
    "text",
    [
        "Object contains extra field `createdAt` that is not in the validator.",
        "Unexpected field `createdAt` in object",
        "Error: ArgumentValidationError: Unexpected field `createdAt` in object\nObject: {createdAt: 1.0}",
    ],
)
def test_a_batch_that_may_not_carry_dates_is_told_from_one_that_failed(text: str) -> None:
    assert batch(text).verdict is Verdict.DATES_REFUSED
    assert failed(text).verdict is Verdict.DATES_REFUSED


def test_a_batch_with_errors_is_not_delivered() -> None:
    assert batch("something odd").verdict is Verdict.UNCLEAR
    assert batch("OptimisticConcurrencyControlFailure").verdict is Verdict.PASSING
    assert batch("Error: Value is too large (1.2 MiB > maximum size 1 MiB)").verdict is Verdict.REFUSED


def test_another_extra_field_is_no_matter_of_dates() -> None:
    text = "Object contains extra field `totalTokens` that is not in the validator."
    assert batch(text).verdict is Verdict.REFUSED


@pytest.mark.parametrize("mark", ["Object", "Value", "Validator"])
def test_what_a_user_wrote_about_dates_does_not_decide(mark: str) -> None:
    quoted = "extra field `createdAt`"
    text = f"ArgumentValidationError: Value does not match validator.\n{mark}: {quoted}\nValidator: {quoted}"
    assert batch(text).verdict is Verdict.REFUSED
    assert failed(text).verdict is Verdict.REFUSED


# errors


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b'{"error":"Invalid API key"}', b"<html>"])
def test_a_refused_key_is_told_by_its_status(status: int, body: bytes) -> None:
    assert answered(status, body).verdict is Verdict.KEY_REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "ArgumentValidationError: Value does not match validator.",
        "Validator error: Expected `string`",
        "Field name $ref starts with a '$', which is reserved.",
        "Field name größe has invalid character 'ö'",
        "Value is too large (1.5 MiB > maximum size 1 MiB)",
        "Arguments are too large (actual: 17 MiB, limit: 16 MiB)",
        "Object has too many fields (1025 > maximum number 1024)",
        "Array length is too long (8193 > maximum length 8192)",
        "Value is too nested (nested 65 levels deep > maximum nesting 64)",
        "Received invalid json: lone leading surrogate in hex escape",
    ],
)
@pytest.mark.parametrize("prefix", ["", "Error: ", "Uncaught Error: "])
def test_a_validation_failure_comes_as_500_and_will_never_succeed(text: str, prefix: str) -> None:
    assert failed(prefix + text).verdict is Verdict.REFUSED
    assert batch(prefix + text).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "OptimisticConcurrencyControlFailure",
        'OptimisticConcurrencyControlFailure: Documents of the "sessions" table changed on every retry.',
        "Function execution timed out (maximum duration: 1s)",
        "The server is overloaded",
        "Too many concurrent requests, please try again later",
        "InternalServerError: Your request couldn't be completed. Try again later.",
    ],
)
def test_a_plain_500_can_be_passing(text: str) -> None:
    assert failed(text).verdict is Verdict.PASSING
    assert batch(text).verdict is Verdict.PASSING


@pytest.mark.parametrize("text", ["", "Server Error", "TypeError: undefined is not a function"])
def test_a_500_that_says_nothing_is_unclear(text: str) -> None:
    assert failed(text).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    "body", [{}, {"code": 7}, {"error": None}, {"error": {"deep": ["x"]}}, {"message": []}]
)
def test_a_500_of_another_shape_is_unclear(body: dict[str, Any]) -> None:
    assert answered(500, body).verdict is Verdict.UNCLEAR


def test_a_missing_external_id_is_a_400() -> None:
    outcome = failed("Missing externalId", 400)
    assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, "an id is missing")


@pytest.mark.parametrize("status", [408, 421, 425, 429, 502, 503, 504, 507, 520, 529])
@pytest.mark.parametrize("body", [b'{"error":"wait"}', b"<html>"])
def test_a_server_that_is_busy_or_behind_a_gateway_refuses_nothing_for_good(status: int, body: bytes) -> None:
    assert answered(status, body).verdict is Verdict.AWAY


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_matter_of_the_url(status: int) -> None:
    outcome = answered(status, OK)
    assert outcome.verdict is Verdict.AWAY
    assert "URL" in outcome.reason


def test_an_unknown_path_refuses_no_message() -> None:
    assert answered(404, {"error": "No matching routes found"}).verdict is Verdict.UNCLEAR
    assert answered(404, b"<html>").verdict is Verdict.AWAY


def test_a_body_too_large_for_a_gateway_is_refused() -> None:
    assert answered(413, b"<html>Request Entity Too Large</html>").verdict is Verdict.REFUSED


@pytest.mark.parametrize("status", [100, 201, 204, 501, 599])
def test_no_other_status_is_a_delivery(status: int) -> None:
    assert answered(status, OK).verdict is Verdict.AWAY


# the reason is in our words


@given(st.sampled_from([200, 400, 404, 418, 429, 500, 503]), st.text(max_size=40))
def test_no_word_of_the_server_is_passed_on(status: int, text: str) -> None:
    told = f"{text} {PRIVATE} {text}"
    for body in ({"error": told}, {"ok": True, "errors": [told]}, {"message": told, "code": told}):
        outcome = answered(status, body)
        assert PRIVATE not in outcome.reason
        assert PRIVATE not in repr(outcome)


@pytest.mark.parametrize(
    "words", ["Value is too large", "timed out", "OptimisticConcurrencyControlFailure", "Missing externalId"]
)
def test_what_a_validator_quotes_does_not_decide(words: str) -> None:
    text = f"ArgumentValidationError: Value does not match validator.\nValue: {words}\nValidator: v.string()"
    assert failed(text).reason == "a value that OpenSync's validator does not accept"


# Date and Retry-After


def http_date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


def test_the_clock_of_the_server_is_the_middle_of_the_second_that_it_names() -> None:
    assert answered(200, OK, date=http_date(NOW)).server_time == NOW + 0.5


@pytest.mark.parametrize("value", ["", "yesterday", "Mon, 01 Jan 99999 00:00:00 GMT"])
def test_a_date_that_is_none_is_not_known(value: str) -> None:
    assert answered(200, OK, date=value).server_time is None
    assert answered(200, OK).server_time is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("1e9", MAX_RETRY_AFTER),
        ("inf", MAX_RETRY_AFTER),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds_is_bounded(value: str, seconds: float | None) -> None:
    assert answered(429, b"", **{"retry-after": value}).retry_after == seconds


def test_retry_after_as_a_date_is_measured_by_the_clock_of_the_server() -> None:
    headers = {"retry-after": http_date(NOW + 90), "date": http_date(NOW + 60)}
    assert answered(503, b"", **headers).retry_after == 30.0


def test_without_retry_after_there_is_none() -> None:
    assert answered(503, b"").retry_after is None


@pytest.mark.parametrize(
    "value",
    ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "1 Jan 2024 1:1:99999999999999999999999999"],
)
@pytest.mark.parametrize("name", ["date", "retry-after"])
def test_a_date_out_of_all_bounds_is_not_known(name: str, value: str) -> None:
    outcome = answered(200, OK, **{name: value})
    assert (outcome.server_time, outcome.retry_after) == (None, None)


@given(st.integers(100, 599), st.binary(max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_any_answer_is_judged(status: int, body: bytes, date: str, retry_after: str) -> None:
    outcome = answered(status, body, date=date, **{"retry-after": retry_after})
    assert outcome.retry_after is None or 0 <= outcome.retry_after <= MAX_RETRY_AFTER
    assert (outcome.reason == "") == (outcome.verdict is Verdict.DELIVERED)
