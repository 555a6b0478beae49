"""Tier B: secrets known by their shape, whoever issued them. Assignments have a module of their own."""

import re

from pi_opensync.privacy.redact.credential_files import is_user_and_password
from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text, prefixed
from pi_opensync.privacy.redact.pem import find_pem
from pi_opensync.privacy.redact.words import (
    UUID,
    has_digit,
    is_letters,
    is_named,
    is_placeholder,
    is_random,
    is_real,
    is_sequence,
)

_USERINFO = re.compile(rb"://([^\x00-\x20/?#\"'`<>@:\\]{0,100})(?::([^\x00-\x20/?#\"'`<>\\]{0,400}))?@")
# A password with signs that end a URL's host elsewhere: what follows must be a host, and it no port.
_ODD_USERINFO = re.compile(
    rb"://([^\x00-\x20/?#\"'`<>@:\\]{0,100}):((?![0-9]{1,5}[/?#])[^\x00-\x20\"'`<>@\\]{6,200})@"
    rb"(?=[A-Za-z0-9][A-Za-z0-9.-]{0,200}(?::[0-9]{2,5})?(?:[/?\s\"'`),;]|\Z))"
)
_SHORTEST = 4
_DEFAULT_PASSWORDS = frozenset(
    (b"password", b"pass", b"passwd", b"pwd", b"pw", b"secret", b"token", b"x-oauth-basic")
)


def _url(text: Text, at: int) -> Spans:
    """`scheme://user:password@`, `scheme://token@` and `scheme://token:@`; a password may hold an `@`."""
    match = _USERINFO.match(text.data, at)
    if at == 0 or not text.data[at - 1 : at].isalnum():
        return NOTHING
    if match is None:
        match = _ODD_USERINFO.match(text.data, at)
        if match is None or not has_digit(match.group(2)) or is_named(match.group(2)):
            return NOTHING
    user, password = text.weigh(match.group(1)), text.weigh(match.group(2) or b"")
    spans = []
    if is_random(user) and len(user) >= 16:  # noqa: PLR2004  # shorter ones are names
        spans.append(match.span(1))
    if (
        len(password) >= _SHORTEST
        and password != user
        and password.lower() not in _DEFAULT_PASSWORDS
        and is_real(password)
    ):
        spans.append(match.span(2))
    return spans


_GO_DSN = re.compile(rb"[A-Za-z0-9_.-]{1,40}:([^\s:/\"'`<>]{1,100})\Z")


def _go_dsn(text: Text, at: int) -> Spans:
    """`user:password@tcp(host)`, the form of Go's MySQL driver."""
    start = max(text.floor, at - 150)
    text.meter.charge(2 * (at - start))
    match = _GO_DSN.search(text.data, text.data.rfind(b"\n", start, at) + 1 or start, at)
    if match is None or match.group(1).lower() in _DEFAULT_PASSWORDS or is_placeholder(match.group(1)):
        return NOTHING
    return (match.span(1),)


_QUOTE = rb"(?:\\{0,7}[\"'`])?"
_PREFIX = rb"(?:[fFbBrR](?=[\"']))?"
_HEADER = re.compile(
    rb"(?:authorization"
    + _QUOTE
    + rb"\]?[ \t]{0,8}(?:=>|[:=,]|[ \t](?=[\"']))[ \t]{0,8}"
    + _PREFIX
    + _QUOTE
    + rb")?"
    rb"(?:([A-Za-z][A-Za-z0-9-]{0,20})[ \t]{1,4})?([A-Za-z0-9._~+/=%:-]{8,4000})",
    re.IGNORECASE,
)
_SCHEMES = frozenset(b"basic bearer token digest negotiate apikey api-key key bot splunk ntlm".split())


def _is_credential(value: bytes) -> bool:
    return is_random(value) or (UUID.fullmatch(value) is not None and not is_sequence(value))


def _authorization(text: Text, at: int) -> Spans:
    """The credentials of an `Authorization` header, or of a `Bearer` by itself; the scheme stays."""
    match = _HEADER.match(text.data, at) if text.starts_token(at) or text.data[at - 1] in b"_-" else None
    if match is None:
        return NOTHING
    scheme = (match.group(1) or b"").lower()
    follows = match.group(2).rstrip(b".") if scheme else b""
    is_scheme = scheme in _SCHEMES or (scheme.isalpha() and _is_credential(text.weigh(follows)))
    group = 2 if not scheme or is_scheme else 1
    start, value = match.start(group), match.group(group).rstrip(b".")
    head = text.weigh(value)
    secret = is_user_and_password(head) if scheme == b"basic" else _is_credential(head)
    return ((start, start + len(value)),) if secret else NOTHING


_COOKIES = re.compile(
    rb"cookie"
    + _QUOTE
    + rb"\]?[ \t]{0,8}(?:[:=,]|[ \t])[ \t]{0,8}"
    + _QUOTE
    + rb"([!#$%&*+.^_|~0-9A-Za-z-]{1,64}=[^\x00-\x1f\"'`\\\x7f]{1,8000})",
    re.IGNORECASE,
)
_COOKIE = re.compile(rb"[ ]?([!#$%&*+.^_|~0-9A-Za-z-]{1,64})=([^\s;,]{6,4000})")
_COOKIE_ATTRIBUTES = frozenset(b"path domain expires max-age samesite version priority".split())


def _cookies(text: Text, at: int) -> Spans:
    """The values of a `Cookie` or `Set-Cookie` header; names and attributes stay."""
    match = _COOKIES.match(text.data, at)
    if match is None:
        return NOTHING
    text.meter.charge(match.end() - at)
    spans = []
    start = match.start(1)
    for part in match.group(1).split(b";"):
        cookie = _COOKIE.match(part)
        if cookie is not None and cookie.group(1).lower() not in _COOKIE_ATTRIBUTES:
            value = text.weigh(cookie.group(2))
            if is_real(value) and not is_letters(value):
                spans.append((start + cookie.start(2), start + cookie.end(2)))
        start += len(part) + 1
    return spans


_JWT_REST = re.compile(rb"\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?")
_JWE = re.compile(rb"eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{0,2000}(?:\.[A-Za-z0-9_-]{8,}){3}")
_LONGEST_JWT_HEADER = 2000
_JWT_RUN = re.compile(rb"[A-Za-z0-9_-]*")


def _jwt(text: Text, at: int) -> Spans:
    """A signed JWT, found by the payload's `.eyJ`: its header is the run before, and no run is read twice."""
    rest = _JWT_REST.match(text.data, at)
    if rest is None:
        return NOTHING
    stop = max(text.floor, at - _LONGEST_JWT_HEADER)
    before = _JWT_RUN.match(text.data[stop:at][::-1])
    size = 0 if before is None else before.end()
    text.meter.charge(rest.end() - at + size)
    header = text.data.find(b"eyJ", at - size, at)
    if header < 0 and size == at > 0:
        header = 0  # the text was cut inside the header
    return ((header, rest.end()),) if header >= 0 else NOTHING


_SIGNATURE = re.compile(
    rb"(?:x-(?:amz|goog|ms)-)?sig(?:nature)?=([A-Za-z0-9%+/_.~-]{16,4000}={0,2})", re.IGNORECASE
)
_PARAMETER_STARTS = re.compile(rb"(?:[?&;, ]|\\u0026|%26|%3[fF]|x-(?:amz|goog|ms)-)\Z", re.IGNORECASE)


def _signature(text: Text, at: int) -> Spans:
    """The signature of a signed URL or a signed request: with it anyone may do what the signer could."""
    if at and _PARAMETER_STARTS.search(text.data, max(0, at - 8), at) is None:
        return NOTHING
    match = _SIGNATURE.match(text.data, at)
    if match is None:
        return NOTHING
    return (match.span(1),) if is_random(text.weigh(match.group(1))) else NOTHING


_TELEGRAM_ID = re.compile(rb"[0-9]{7,12}")
_TELEGRAM_HASH = re.compile(rb":A[A-Za-z0-9_-]{34}(?![A-Za-z0-9_-])")


def _telegram(text: Text, at: int) -> Spans:
    """`<bot's id>:A<34 characters>`, also behind the `bot` of the API's paths."""
    rest = _TELEGRAM_HASH.match(text.data, at)
    bot = _TELEGRAM_ID.match(text.data[max(text.floor, at - 12) : at][::-1])
    if rest is None or bot is None or is_placeholder(rest.group()):
        return NOTHING
    start = at - bot.end()
    return (
        ((start, rest.end()),)
        if text.starts_token(start) or text.data.endswith(b"bot", 0, start)
        else NOTHING
    )


_TWILIO_PAIR = prefixed(
    rb"(?:AC|SK)[0-9a-f]{32}[^A-Za-z0-9]{1,8}([0-9A-Za-z]{32})(?![0-9A-Za-z])", keep=is_random
)
_TWILIO_KEY = prefixed(rb"SK[0-9a-fA-F]{32}(?![0-9A-Za-z])", keep=is_real)
_TWILIO_NAMED = prefixed(
    rb"(?i:twilio)[^\r\n]{0,80}?(?<![0-9A-Za-z])((?:SK)?[0-9a-f]{32})(?![0-9A-Za-z])",
    guard=False,
    keep=is_real,
)


def _twilio_key(text: Text, at: int) -> Spans:
    """An API key's SID, and the auth token or secret beside an account's or a key's SID."""
    return (*_TWILIO_KEY(text, at), *_TWILIO_PAIR(text, at))


_B64 = rb"[A-Za-z0-9._~+/=%-]"
_TWILIO = "https://www.twilio.com/docs/iam/api-keys"
_ARMOUR = (b"-----BEGIN ", b"---- BEGIN ", b"-----END ", b"---- END ")

SHAPES = (
    Rule("pem-private-key", "B", "RFC 7468", _ARMOUR, rb"[A-Z0-9 ]{0,40}PRIVATE KEY", find_pem),
    Rule(
        "url-password",
        "B",
        "RFC 3986 section 3.2.1",
        (b"://",),
        rb"[^\s/?#\"'`<>@:\\]{0,100}(?:(?::[^\s/?#\"'`<>@\\]{0,200})?@"
        rb"|:[0-9]{0,5}[^\s0-9/?#\"'`<>@\\][^\s/?#\"'`<>@\\]{0,30}[/?#])",
        _url,
    ),
    Rule(
        "dsn-password",
        "B",
        "https://github.com/go-sql-driver/mysql#dsn-data-source-name",
        (b"@tcp(", b"@unix("),
        b"",
        _go_dsn,
    ),
    Rule(
        "authorization",
        "B",
        "RFC 9110 section 11.6.2",
        (b"authorization",),
        _QUOTE
        + rb"\]?[ \t]{0,8}(?:=>|[:=,]|[ \t])[ \t]{0,8}[fFbBrR]?"
        + _QUOTE
        + rb"(?:[A-Za-z][A-Za-z0-9-]{0,20}[ \t]{1,4})?"
        + _B64
        + rb"{8}",
        _authorization,
        fold=True,
    ),
    Rule(
        "bearer",
        "B",
        "RFC 6750 section 2.1",
        (b"bearer",),
        rb"[ \t]{1,4}" + _B64 + rb"{12}",
        _authorization,
        fold=True,
        token=True,
    ),
    Rule(
        "cookie",
        "B",
        "RFC 6265 section 4",
        (b"cookie",),
        _QUOTE
        + rb"\]?[ \t]{0,8}(?:[:=,]|[ \t])[ \t]{0,8}"
        + _QUOTE
        + rb"[!#$%&*+.^_|~0-9A-Za-z-]{1,64}=[^\s;,\"'`\\]",
        _cookies,
        fold=True,
    ),
    Rule("jwt", "B", "RFC 7519", (b".eyJ",), rb"[A-Za-z0-9_-]{8}", _jwt),
    Rule(
        "jwe",
        "B",
        "RFC 7516",
        (b"eyJhbGci", b"eyJlbmMi", b"eyJ0eXAi", b"eyJraWQi"),
        rb"[A-Za-z0-9_-]{8}",
        prefixed(_JWE.pattern, keep=is_real),
        token=True,
    ),
    Rule(
        "url-signature",
        "B",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
        (b"x-amz-signature=", b"x-goog-signature=", b"signature=", b"sig="),
        _B64 + rb"{16}",
        _signature,
        fold=True,
    ),
    Rule(
        "telegram-token",
        "A",
        "https://core.telegram.org/bots/api#authorizing-your-bot",
        (b":A",),
        rb"[A-Za-z0-9_-]{34}",
        _telegram,
    ),
    Rule("twilio-key", "A", _TWILIO, (b"AC", b"SK"), rb"[0-9a-fA-F]{32}", _twilio_key, token=True),
    Rule(
        "twilio-secret", "A", _TWILIO, (b"twilio",), rb"[^\r\n]{0,80}[0-9a-f]{32}", _TWILIO_NAMED, fold=True
    ),
)
