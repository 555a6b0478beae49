"""Cost is counted, never timed: in bytes that the engine looks at."""

import pytest

from pi_opensync.privacy.redact import OverBudget, Redactor
from pi_opensync.privacy.redact.engine import Meter, RuleEngine
from tests.privacy.redact.samples import Maker

pytestmark = pytest.mark.slow

MIB = 1 << 20
HALF = 16 << 10
FAR = {"cookies": 32 << 10}  # the rule looks at up to 8,000 bytes in one place
NO_LIMIT = 1 << 60

HURTING = {
    "one letter": "a",
    "equals": "=",
    "assignments": "key=",
    "assignments with values": "token=abcdef1 ",
    "assignments in one value": "key=secret=token=password=",
    "armour": "-----BEGIN",
    "private key armour": "-----BEGIN RSA PRIVATE KEY-----",
    "armour's ends": "-----END RSA PRIVATE KEY-----",
    "armour and a body": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\n",
    "double quotes": '"',
    "single quotes": "'",
    "backslashes": "\\",
    "escaped quotes": '\\"key\\": ',
    "jwt openings": "eyJ",
    "jwt openings and dots": "eyJ.",
    "jwt openings in one run": "eyJ-",
    "jwt payloads": ".eyJhbGciOiJI",
    "jwe headers": "eyJhbGciOi-",
    "urls": "://",
    "userinfo": "a://b:",
    "at signs": "a@tcp(",
    "bearers": "bearer ",
    "authorizations": "authorization: ",
    "cookies": "cookie: a=bcdefg;",
    "css": "sk-a-sk-a-",
    "prefixes": "ghp_",
    "twilio": "twilio ",
    "digits": "123456789:A",
    "spaces": " ",
    "lines": "\n",
    "flags": "--token ",
    "signatures": "&sig=",
    "placeholders": "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ",
}


def cost(text: str) -> int:
    meter = Meter(NO_LIMIT)
    Redactor().scan(text, meter)
    return meter.spent


@pytest.mark.parametrize("kind", HURTING)
def test_twice_the_text_costs_at_most_twice_the_work(kind: str) -> None:
    piece = HURTING[kind]
    half = piece * (FAR.get(kind, HALF) // len(piece))
    assert cost(half * 2) <= 2.2 * cost(half)


@pytest.mark.parametrize("kind", HURTING)
def test_text_made_to_hurt_is_redacted_or_refused_within_its_budget(kind: str) -> None:
    piece = HURTING[kind]
    text = piece * (4 * HALF // len(piece))
    meter = Meter.for_size(len(text))
    try:
        Redactor().scan(text, meter)
    except OverBudget:
        assert meter.spent < 1.1 * meter.limit


def test_clean_text_costs_one_pass() -> None:
    text = "An ordinary line of text, and another.\n" * 10_000
    assert cost(text) == len(text)


def test_text_full_of_secrets_stays_within_its_budget() -> None:
    maker = Maker(3)
    text = "\n".join(f"API_KEY_{n}={'gh' + 'p_' + maker.alnum(36)}" for n in range(2000))
    output, findings = Redactor().scan(text)
    assert len(findings) == 2000
    assert "ghp_" not in output


def test_a_spent_budget_is_an_exception_and_no_text() -> None:
    with pytest.raises(OverBudget):
        Redactor().scan("password=abc123def456 " * 100, Meter(9000))


def test_user_patterns_that_look_far_ahead_are_refused() -> None:
    with pytest.raises(OverBudget):
        Redactor(patterns=["a.*b|a"]).text("a" * (MIB // 8))


def test_a_failure_inside_is_never_unredacted_text(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(RuleEngine, "hits", broken)
    with pytest.raises(RuntimeError, match="broken"):
        redactor.text("anything")
