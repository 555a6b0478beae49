"""Shapes and values whose edges the corpus does not reach."""

import json

import pytest

from pi_opensync.privacy.redact import Redactor
from tests.privacy.redact.samples import BASE64, Maker

MAKER = Maker(11)
PASSWORD = MAKER.alnum(9)
KEY = MAKER.alnum(32)
PEM = MAKER.pem()
LINES = PEM.splitlines()
PEM_GONE = "[REDACTED:pem-private-key]"
GONE = "[REDACTED:assignment]"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("\n".join(LINES[2:]) + "\nbye", f"{PEM_GONE}\nbye"),
        ("\\n".join(LINES[2:]) + "\\nbye", f"{PEM_GONE}\\nbye"),
        ("\n".join(LINES[:3]) + "\n\nThen it stopped.", f"{PEM_GONE}\n\nThen it stopped."),
        ("\n".join(LINES[:2]) + LINES[2][:20], PEM_GONE),
        (f"key: |\n{PEM}\nnext: 1", f"key: |\n{PEM_GONE}\nnext: 1"),
        ("    " + "\n    ".join(LINES), f"    {PEM_GONE}"),
        ("\n".join(f"+{line}" for line in LINES), f"+{PEM_GONE}"),
        ("\n".join(f"  {n:4}→{line}" for n, line in enumerate(LINES)), f"     0→{PEM_GONE}"),
        (" ".join(LINES), PEM_GONE),
        ("\n".join(f'"{line}\\\\n" +' for line in LINES), f'"{PEM_GONE}\\\\n" +'),
        (PEM.replace("\n", "\r\n"), PEM_GONE),
        ("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", None),
        ('if "-----BEGIN PRIVATE KEY-----" in text:', None),
    ],
)
def test_a_private_key_goes_whole_and_nothing_else(text: str, redacted: str | None) -> None:
    assert Redactor().text(text) == (text if redacted is None else redacted)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"DB_PASSWORD={PASSWORD}$(x", f"DB_PASSWORD={GONE}"),
        ("DB_PASSWORD=" + "swordfish", f"DB_PASSWORD={GONE}"),
        ("DB_PASSWORD=" + "90817264", f"DB_PASSWORD={GONE}"),
        ("password: " + "hunter" + "22", f"password: {GONE}"),
        (json.dumps({"password": "s3" + "cr!t"}), json.dumps({"password": GONE})),
        (f'{{"secret": "{KEY[:16]}\\/{KEY[16:]}"}}', f'{{"secret": "{GONE}"}}'),
        (f"api_key={KEY}&x=1", f"api_key={GONE}&x=1"),
        (f"apiKey: '{KEY}',", f"apiKey: '{GONE}',"),
        (f"client-secret: {KEY}\n", f"client-secret: {GONE}\n"),
        (f"const token: string = `{KEY}`;", f"const token: string = `{GONE}`;"),
        (f"config['api_key'] = '{KEY}'", f"config['api_key'] = '{GONE}'"),
        (f'x.apiKey := "{KEY}"', f'x.apiKey := "{GONE}"'),
        (f"x-api-key: {KEY}", f"x-api-key: {GONE}"),
        (f"The password is {KEY}", f"The password is {GONE}"),
        ("The password is case-sensitive", None),
        (f"password: {MAKER.base64(30)}==", f"password: {GONE}"),
        ("password: str = value", None),
        (f"cache_key={KEY}", None),
        (f"id={KEY}", None),
        (f"integrity_key: sha512-{MAKER.of(BASE64, 86)}==", None),
        (f"api_key: {'0123abcd' + '-4567' * 3 + '-89abcdef0123'}", None),
    ],
)
def test_an_assignment_is_judged_by_its_name_and_its_value(text: str, redacted: str | None) -> None:
    assert Redactor().text(text) == (text if redacted is None else redacted)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            f"https://bob:{PASSWORD}@h.example/x?a=b@c",
            "https://bob:[REDACTED:url-password]@h.example/x?a=b@c",
        ),
        (f"postgres://u:{PASSWORD}@x@db/a", "postgres://u:[REDACTED:url-password]@db/a"),
        (f"https://{KEY}:@api.example.net", "https://[REDACTED:url-password]:@api.example.net"),
        ("https://example.net/a:b@c", None),
        ("ssh://git@example.net:22/a.git", None),
    ],
)
def test_only_the_password_of_a_url_goes(text: str, redacted: str | None) -> None:
    assert Redactor().text(text) == (text if redacted is None else redacted)


def test_the_secret_beside_an_aws_key_id_goes_with_it() -> None:
    text = f"{'AK' + 'IA' + MAKER.upper(16)},{MAKER.base64(40)}\n"
    assert Redactor().text(text) == "[REDACTED:aws-access-key],[REDACTED:aws-access-key]\n"


def test_a_rule_by_prefix_names_what_an_assignment_holds() -> None:
    assert Redactor().text(f"TOKEN={'npm' + '_' + MAKER.alnum(36)}") == "TOKEN=[REDACTED:npm-token]"
