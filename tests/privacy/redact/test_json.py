import pytest

from pi_opensync.privacy.redact import Redactor
from tests.privacy.redact.samples import Maker

MAKER = Maker(5)
KEY = MAKER.alnum(32)
TOKEN = "gh" + "p_" + MAKER.alnum(36)
PASSWORD = MAKER.alnum(8)
GONE = "[REDACTED:assignment]"


@pytest.mark.parametrize(
    ("value", "redacted"),
    [
        ({"api_key": KEY}, {"api_key": GONE}),
        ({"env": {"DB_PASSWORD": PASSWORD, "DEBUG": "1"}}, {"env": {"DB_PASSWORD": GONE, "DEBUG": "1"}}),
        ([{"name": "API_KEY", "value": KEY}], [{"name": "API_KEY", "value": GONE}]),
        ({"args": ["curl", "--token", KEY, KEY]}, {"args": ["curl", "--token", GONE, GONE]}),
        ({"clientSecret": [KEY]}, {"clientSecret": [GONE]}),
        (
            {"headers": {"Authorization": f"Bearer {KEY}"}},
            {"headers": {"Authorization": "Bearer [REDACTED:authorization]"}},
        ),
        ({"headers": {"Cookie": f"sid={KEY}; a=b"}}, {"headers": {"Cookie": "sid=[REDACTED:cookie]; a=b"}}),
        ({"x": [1, TOKEN, None]}, {"x": [1, "[REDACTED:github-token]", None]}),
        ({TOKEN: 1}, {"[REDACTED:github-token]": 1}),
        (
            {"key": "value", "id": KEY, "token": "identifier"},
            {"key": "value", "id": KEY, "token": "identifier"},
        ),
    ],
)
def test_a_json_value_loses_its_secrets_and_nothing_else(value: object, redacted: object) -> None:
    redactor = Redactor()
    assert redactor.json(value) == redacted
    again = redactor.json(redacted)
    assert again is redacted


def test_two_secret_keys_of_one_object_both_keep_their_values() -> None:
    other = "gh" + "p_" + Maker(6).alnum(36)
    redacted = Redactor().json({TOKEN: 1, other: 2})
    assert redacted == {"[REDACTED:github-token]": 1, "[REDACTED:github-token]-2": 2}


def test_redacting_does_not_change_what_it_was_given() -> None:
    value = {"api_key": KEY, "list": [TOKEN]}
    Redactor().json(value)
    assert value == {"api_key": KEY, "list": [TOKEN]}


def test_a_value_too_deep_to_walk_raises() -> None:
    value: list[object] = [TOKEN]
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RecursionError):
        Redactor().json(value)
