import json
from urllib.parse import quote

import pytest

from pi_opensync.privacy.redact import Redactor

OWN = 'my/odd key+with="quotes" ключ'


@pytest.mark.parametrize(
    "form",
    [
        OWN,
        json.dumps(OWN)[1:-1],
        json.dumps(OWN, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(OWN))[3:-3],
        quote(OWN, safe=""),
        quote(OWN, safe="").lower(),
    ],
)
def test_the_configured_key_is_found_however_it_is_escaped(form: str) -> None:
    assert Redactor(own_key=OWN).text(f"a {form} b") == "a [REDACTED:own-key] b"


def test_an_own_key_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 8"):
        Redactor(own_key="abc")


def test_user_patterns_are_found() -> None:
    redactor = Redactor(patterns=[r"ACME-\d{4}", "clé-[à-ü]+"])
    assert redactor.text("see ACME-1234, clé-éèü.") == "see [REDACTED:user-pattern], [REDACTED:user-pattern]."


@pytest.mark.parametrize("pattern", ["(", r"(?=x)", "a**", "x*", ""])
def test_a_bad_user_pattern_is_named(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="redactPatterns") as caught:
        Redactor(patterns=["fine", pattern])
    assert repr(pattern) in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_user_pattern_that_fits_the_marker_ends() -> None:
    once = Redactor(patterns=["[A-Za-z]+"]).text("some words")
    assert once == "[REDACTED:user-pattern] [REDACTED:user-pattern]"
    assert Redactor(patterns=["[A-Za-z]+"]).text(once) is once


def test_a_user_pattern_is_found_far_inside_a_long_line() -> None:
    for lead in (4000, 8190, 16_384, 100_001):
        assert (
            Redactor(patterns=[r"ACME-\d{4}"])
            .text("x" * lead + "ACME-1234")
            .endswith("x[REDACTED:user-pattern]")
        )


def test_emails_go_only_on_request() -> None:
    text = "Ann <ann.b+c@example.net>, git@github.com:a/b.git, left-pad@1.3.0, @types/node, a@b"
    assert Redactor().text(text) is text
    assert Redactor(emails=True).text(text) == text.replace("ann.b+c@example.net", "[REDACTED:email]")


@pytest.mark.parametrize(
    ("home", "text", "redacted"),
    [
        ("/home/ann", "/home/ann/x /home/anna /home/ann", "[REDACTED:home]/x /home/anna [REDACTED:home]"),
        ("/home/ann/", "cd /home/ann && ls", "cd [REDACTED:home] && ls"),
        (
            "C:\\Users\\ann",
            "C:\\Users\\ann\\x C:\\\\Users\\\\ann\\\\y",
            "[REDACTED:home]\\x [REDACTED:home]\\\\y",
        ),
        ("/home/ann", "sessions/--home-ann-proj--/1.jsonl", "sessions/[REDACTED:home]-proj--/1.jsonl"),
        ("/", "/usr/bin", "/usr/bin"),
    ],
)
def test_the_home_folder_goes_on_request(home: str, text: str, redacted: str) -> None:
    assert Redactor(home=home).text(text) == redacted
    assert Redactor().text(text) is text
