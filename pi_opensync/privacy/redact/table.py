"""The rules as a table: kind, an example of the shape, and where that comes from."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from pi_opensync.privacy.redact.engine import Rule
from pi_opensync.privacy.redact.rules import RULES

parser: Any = import_module("re._parser")  # the standard library's own
op: Any = import_module("re._constants")

KINDS = {
    "A": "an issuer's form",
    "B": "a form of its own",
    "C": "behind a name",
    "D": "your settings",
}
EXAMPLES = {
    "own-key": "osk_xxx…",
    "pem-private-key": "-----BEGIN RSA PRIVATE KEY-----…",
    "url-password": "scheme://user:xxx…@host",
    "dsn-password": "user:xxx…@tcp(host)",
    "authorization": "Authorization: Bearer xxx…",
    "bearer": "Bearer xxx…",
    "cookie": "Cookie: sid=xxx…",
    "jwt": "eyJxxx….eyJxxx….xxx…",
    "jwe": "eyJhbGcixxx….xxx….xxx….xxx….xxx…",
    "url-signature": "?X-Amz-Signature=000…",
    "telegram-token": "0000000000:Axxx…",
    "twilio-key": "SK000…",
    "twilio-secret": "twilio … 000…",
    "netrc-password": "machine host login name password xxx…",
    "pgpass-password": "host:5432:database:user:xxx…",
    "password-hash": "$2b$12$xxx…, $6$xxx…$xxx…, $argon2id$…",
    "framework-password-hash": "pbkdf2_sha256$000…$xxx…$xxx…",
    "kubernetes-secret": "kind: Secret … data: … name: xxx…",
    "putty-key": "Private-Lines: 0 …",
    "cookie-file": "host TRUE / TRUE 000… name xxx…",
    "vault-key": "Unseal Key 1: xxx…",
    "docker-auth": '"auth": "xxx…"',
    "command-flag": "--password xxx…, --token xxx…",
    "command-password": "curl -u user:xxx…, mysql -pxxx…, sshpass -p xxx…",
    "command-password-source": "-passin pass:xxx…",
    "net-use": "net use \\\\host\\share xxx… /user:name",
    "masked-value": "::add-mask::xxx…",
    "slash-password": "/pass:xxx…",
    "piped-password": "echo xxx… | docker login --password-stdin",
    "sql-password": "IDENTIFIED BY 'xxx…'",
    "aws-configure": "aws configure set aws_secret_access_key xxx…",
    "here-string": 'sudo -S command <<< "xxx…"',
    "kubernetes-literal": "--from-literal=name=xxx…",
    "stored-secret": "put-parameter --type SecureString --value xxx…",
    "registry-value": "reg add key /v Password /d xxx…",
    "secure-string": "ConvertTo-SecureString 'xxx…'",
    "password-argument": 'auth=("user", "xxx…")',
    "oracle-url": "jdbc:oracle:thin:user/xxx…@host",
    "configured-password": "requirepass xxx…, enable secret 0 xxx…",
    "mail-password": "smtp.example.net name:xxx…",
    "login-line": "name * xxx… *",
    "chat-password": "/msg NickServ IDENTIFY xxx…",
    "first-password": "chpasswd: list: name:xxx…",
    "sent-password": 'expect "password:"; send "xxx…"',
    "config-command": "poetry config http-basic.name user xxx…",
    "sql-insert": "INSERT INTO t (name, password) VALUES ('name', 'xxx…')",
    "value-before-name": '{"value": "xxx…", "name": "API_KEY"}',
    "session-cookie": "PHPSESSID=xxx…",
    "assignment": "API_KEY=xxx…, password: xxx…, <password>xxx…</password>",
    "user-pattern": "what your patterns match",
    "email": "name@example.net",
    "home": "/home/name",
}
_LONGEST = 60
_MANY = 4  # repeats that are written as three signs and an ellipsis


class RuleRow(NamedTuple):
    name: str
    kind: str
    example: str
    source: str


def rows(rules: Iterable[Rule] = RULES) -> Iterator[RuleRow]:
    """Every rule, in the order in which they are tried; what is drawn by its issuer stands as `xxx…`."""
    for rule in rules:
        yield RuleRow(rule.name, KINDS[rule.tier], example(rule), rule.source)


def example(rule: Rule) -> str:
    """The rule's shape with its fixed parts as they are; written by hand where it is one of surroundings."""
    if rule.name in EXAMPLES:
        return EXAMPLES[rule.name]
    text = "".join(_parts(parser.parse(rule.shape)))
    text = re.sub("…{2,}", "…", re.sub(r"\s+", " ", text))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip("…") + "…"


def _parts(parsed: Any) -> Iterator[str]:
    for kind, value in parsed:
        if kind is op.LITERAL:
            yield chr(value)
        elif kind in (op.IN, op.ANY, op.NOT_LITERAL, op.CATEGORY):
            yield _sign(value) if kind is op.IN else "x"
        elif kind is op.BRANCH:
            yield from _parts(value[1][0])
        elif kind is op.SUBPATTERN:
            yield from _parts(value[3])
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, _high, inner = value
            once = "".join(_parts(inner))
            yield once * low if low < _MANY else once * 3 + "…"


def _sign(members: Any) -> str:
    """A digit or a letter of the class, as an example has it; itself where there is one alone."""
    if len(members) == 1 and members[0][0] is op.LITERAL:
        return chr(members[0][1])
    ranges = [value for kind, value in members if kind is op.RANGE]
    if ranges == [(ord("0"), ord("9"))]:
        return "0"
    if ranges and all(low < ord("a") and high < ord("a") for low, high in ranges):
        return "X"
    first = members[0]
    return "x" if ranges or first[0] is not op.LITERAL else chr(first[1])
