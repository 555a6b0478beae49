import pytest

from pi_opensync.privacy.redact import Redactor
from tests.privacy.redact.ordinary import ORDINARY_CODE, clean_texts

CLEAN = clean_texts()


@pytest.mark.parametrize("kind", CLEAN)
def test_ordinary_text_is_not_touched(kind: str) -> None:
    text = CLEAN[kind]
    output, findings = Redactor().scan(text)
    assert findings == ()
    assert output is text


def test_an_ordinary_line_is_not_touched_by_itself() -> None:
    redactor = Redactor()
    assert [line for line in ORDINARY_CODE.strip().splitlines() if redactor.scan(line)[0] is not line] == []


def test_the_ordinary_text_is_at_least_200_kb() -> None:
    assert sum(map(len, CLEAN.values())) > 200_000


def test_a_clean_json_value_is_the_same_object() -> None:
    value = {"cmd": "ls", "list": [1, 2.5, None, True, {"key": "value", "password": "Passwort"}], "token": 12}
    assert Redactor().json(value) is value
