"""Tiers B and C: what stands behind a name that says it is secret.

`API_KEY=value`, `"client-secret": "value"`, `password: value`, `--token value`. The name's last word decides
whether it is looked at; what the value looks like decides whether it is a secret, for the same form carries
ordinary code (`key=lambda x: x`, `password = getpass()`, `token: string`). A password need not look random
(tier B); behind the other names only randomness tells a secret from a name (tier C).
"""

import re
from typing import Literal

from pi_opensync.privacy.redact.engine import JUDGED, NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.words import (
    HEX,
    UUID,
    has_digit,
    is_letters,
    is_named,
    is_placeholder,
    is_random,
    is_reference,
    word_set,
    words,
)

Kind = Literal["password", "secret", "key"]

_PASSWORDS = word_set("password passwd passphrase pwd passcode")
_SECRETS = word_set(
    "secret token credential credentials apikey authkey secretkey accesskey privatekey apitoken authtoken"
    " accesstoken clientsecret apisecret appsecret bearertoken secretaccesskey"
)
_RUN_TOGETHER = ("password", "passwd")

# The word before `key` or `token` that makes the pair a name for something public.
_PUBLIC = word_set(
    "primary foreign public cache sort partition range unique composite candidate surrogate dict map object"
    " row group registry translation i18n locale react query state lookup index arrow hot shortcut sorting"
    " idempotency hash page next prev previous continuation pagination cancel cancellation start end stop"
    " eos bos pad unk mask sep cls special marker resume cursor column field item label metric span pubkey"
    " host known fingerprint prop anon publishable expected unexpected last first current"
)

_NAME = re.compile(rb"[A-Za-z0-9_.\-]*")
_LONGEST_NAME = 64
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z_.]*")
_ENV_NAME = re.compile(rb"[A-Z][A-Z0-9_]*")

_SHORTEST_PASSWORD = 6
_SHORTEST_SECRET = 10
_SHORTEST_HEX = 16
_SHORTEST_BARE_KEY = 24

_KEYWORDS = (
    b"key",
    b"secret",
    b"token",
    b"password",
    b"passwd",
    b"passphrase",
    b"credential",
    b"pwd",
    b"passcode",
)
_KEYWORD = re.compile(rb"key|secret|token|passw(?:or)?d|passphrase|passcode|credentials?|pwd", re.IGNORECASE)

_ESCAPES = rb"\\{0,7}"
_SEPARATOR = (
    rb"(?:" + _ESCAPES + rb"[\"'`])?\]?[ \t]{0,16}"
    rb"(?:(?::[ \t]{0,4}[A-Za-z][A-Za-z0-9_.\[\]| ?&]{0,30}[ \t]{0,4})?={1,3}>?|:=|:)[ \t]{0,16}"
)
_ASSIGN = re.compile(_SEPARATOR)
_FLAG_GAP = re.compile(rb"[ =][ ]{0,3}")
_OPEN_QUOTE = re.compile(rb"(?:[bBruRUf]{0,2})(" + _ESCAPES + rb"[\"'`])")
_BARE_VALUE = re.compile(rb"[^\x00-\x20\"'`,;(){}\[\]<>|\\&$\x7f]+")
_ENV_VALUE = re.compile(rb"[^\x00-\x20\"'`;<>|\\&\[\]\x7f]+")
_QUOTED_VALUE = re.compile(rb"(?:[^\x00-\x20\"'`\\\x7f]|\\{1,7}[!#$%*+./=@^-])+")
_PUNCTUATION = frozenset(b",.:!?)}")
_CODE_AFTER = frozenset(b"%c" % byte for byte in b"([{<$")


def kind_of(name: bytes) -> Kind | None:
    """What a thing of this name holds, if anything secret: its last word decides, and the one before it."""
    parts = words(name)
    if not parts:
        return None
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in _PASSWORDS or last.endswith(_RUN_TOGETHER):
        return "password"
    if last in ("key", "token") and before in _PUBLIC:
        return None
    if last in _SECRETS:
        return "secret"
    if last == "key":
        return "key" if not before else "secret"
    return None


def is_secret(name: bytes, value: bytes, *, quoted: bool) -> bool:
    """Whether the value behind this name is a secret. quoted: a string literal, not a variable or type."""
    kind = kind_of(name)
    if kind is None or len(value) < _SHORTEST_PASSWORD or is_placeholder(value):
        return False
    if kind == "password":
        return _is_password(name, value, quoted=quoted)
    if UUID.fullmatch(value) is not None or len(value) < _SHORTEST_SECRET:
        return False
    if kind == "key":
        return (
            len(value) >= _SHORTEST_BARE_KEY
            and HEX.fullmatch(value) is None
            and _mixes(value)
            and is_random(value)
        )
    if HEX.fullmatch(value) is not None and len(value) < _SHORTEST_HEX:
        return False
    return is_random(value)


def _is_password(name: bytes, value: bytes, *, quoted: bool) -> bool:
    if is_reference(value):
        return False
    if _ENV_NAME.fullmatch(name) is not None:
        return kind_of(value) is None
    if is_letters(value) or (not quoted and _IDENTIFIER.fullmatch(value) is not None):
        return False
    return quoted or not is_named(value) or kind_of(value.rstrip(b"0123456789")) is None


def _mixes(value: bytes) -> bool:
    return not value.islower() and not value.isupper() and has_digit(value) and value.isascii()


def name_before(data: bytes, end: int, floor: int = 0) -> bytes:
    """The name that ends at `end`."""
    start = max(floor, end - _LONGEST_NAME)
    run = _NAME.match(data[start:end][::-1])
    name = b"" if run is None else run.group()[::-1]
    begin = end - len(name)
    if data.startswith(b"\\", begin - 1) and begin > 0 and name[:1] in b"abfnrtv":  # an escape's letter
        name = name[1:]
    return name


def _assignment(text: Text, at: int) -> Spans:
    keyword = _KEYWORD.match(text.data, at)
    if keyword is None:
        return NOTHING
    gap = _ASSIGN.match(text.data, keyword.end())
    if gap is None:
        return NOTHING
    name = name_before(text.data, keyword.end())
    return _value(text, name, gap.end()) if kind_of(name) is not None else NOTHING


def _flag(text: Text, at: int) -> Spans:
    """`--password value`; with `=` it is an assignment."""
    name = _FLAG.match(text.data, at)
    if name is None:
        return NOTHING
    return _value(text, name.group(1), name.end()) if kind_of(name.group(1)) is not None else NOTHING


def _value(text: Text, name: bytes, at: int) -> Spans:
    data = text.data
    opening = _OPEN_QUOTE.match(data, at)
    if opening is not None:
        value = _QUOTED_VALUE.match(data, opening.end())
        if value is None:
            return NOTHING
        head = text.weigh(value.group())
        closed = data.startswith(opening.group(1), value.end()) or value.end() == len(data)
        return (value.span(),) if closed and is_secret(name, head, quoted=True) else NOTHING
    env = _ENV_NAME.fullmatch(name) is not None and data[at - 1] == ord("=")
    end = text.run_end(_ENV_VALUE if env else _BARE_VALUE, at)
    if end == at or (not env and data[end : end + 1] in _CODE_AFTER):
        return NOTHING
    while end > at and data[end - 1] in _PUNCTUATION:
        end -= 1
    return (
        ((at, end),)
        if is_secret(name, text.weigh(data[at : min(end, at + JUDGED)]), quoted=False)
        else NOTHING
    )


_FLAG = re.compile(rb"--?([A-Za-z0-9-]{2,40})[ ]{1,4}")
_FIRST = rb"[^\x00-\x20\"'`,;(){}\[\]<>|\\&$\x7f][^\x00-\x20\"'`;<>|\\&\[\]\x7f]{5}"

ASSIGNMENTS = (
    Rule(
        "assignment",
        "C",
        "the name's last word; entropy of the value",
        _KEYWORDS,
        rb"s?(?:\\{0,7}[\"'`])?\]?[ \t]{0,16}"
        rb"(?:(?::[ \t]{0,4}[A-Za-z][A-Za-z0-9_.\[\]| ?&]{0,30}[ \t]{0,4})?={1,3}>?|:=|:)[ \t]{0,16}"
        rb"(?:(?:[bBruRUf]{0,2})\\{0,7}[\"'`][^\s\"'`\\]{6}|" + _FIRST + rb")",
        _assignment,
        fold=True,
    ),
    Rule(
        "command-flag",
        "C",
        "a command's --password, --token and the like",
        (b"--",),
        rb"(?:[A-Za-z0-9]{1,20}-){0,4}(?i:key|secret|token|password|passwd|passphrase)[ ]{1,4}[\"']?"
        + _FIRST,
        _flag,
    ),
)
