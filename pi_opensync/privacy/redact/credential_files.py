"""Files that hold secrets by their own form: `.netrc`, `.pgpass`, password hashes, Kubernetes, PuTTY."""

import binascii
import re
from base64 import b64decode

from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text, prefixed
from pi_opensync.privacy.redact.values import is_common_word
from pi_opensync.privacy.redact.words import is_letters, is_placeholder, is_random, is_real

_LINE_END = rb"(?:\r?\n|(?:\\{1,255}r)?\\{1,255}n)"  # real, or escaped however often
_BETWEEN = rb"(?:\s|\\{1,255}[nrt]){1,16}"
_VALUE_ENDS = rb"(?=\s|\Z|\\{1,255}[nrt\"'`]|[\"'`\x1b]|\\{1,255}(?:u001b|x1b|033))"
_TAB = rb"(?:\t|\\{1,255}t)"
_NETRC = re.compile(
    rb"login"
    + _BETWEEN
    + rb"[^\s\\]{1,100}"
    + _BETWEEN
    + rb"(?:account"
    + _BETWEEN
    + rb"[^\s\\]{1,100}"
    + _BETWEEN
    + rb")?"
    rb"password" + _BETWEEN + rb"([^\s\\]{3,200})"
)


def _netrc(text: Text, at: int) -> Spans:
    """`machine host login name password value`, on one line or several."""
    match = _NETRC.match(text.data, at)
    return _value(text, match, 1)


_PGPASS = re.compile(
    rb":(?:[0-9]{2,5}|\*):([A-Za-z0-9_*.-]{1,63}):([A-Za-z0-9_*.@-]{1,63}):((?:\\[:\\]|[^\s:\\\"'`\x1b]){4,100})"
    + _VALUE_ENDS
)
_HOST = re.compile(rb"(?:localhost|\*|[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,6}|/[\w/.-]{1,80})\Z")
_FILE_NAME = re.compile(
    rb"\.(?:py|js|ts|go|rs|c|h|cc|cpp|java|rb|php|md|txt|json|ya?ml|toml|sh|html?|css|log|sql)\Z"
)
_LONGEST_HOST = 128
_BEFORE_A_HOST = b"\n\r\t \"'`+-:\\["  # a backslash opens an escape, a bracket ends a colour's code


def _pgpass(text: Text, at: int) -> Spans:
    """`host:port:database:user:password`."""
    match = _PGPASS.match(text.data, at)
    if match is None:
        return NOTHING
    floor = max(text.floor, at - _LONGEST_HOST)
    text.meter.charge(match.end() - floor)
    host = _HOST.search(text.data, floor, at)
    if host is None or _FILE_NAME.search(host.group()) is not None:
        return NOTHING
    before = text.data[max(0, host.start() - 1) : host.start()]
    value = match.group(3)
    if (before and before not in _BEFORE_A_HOST) or is_letters(value):
        return NOTHING
    return _value(text, match, 3)


def _value(text: Text, match: re.Match[bytes] | None, group: int) -> Spans:
    if match is None:
        return NOTHING
    value = text.weigh(match.group(group))
    plain = value.strip(b"`'\",.;)")
    if not plain or is_placeholder(plain) or is_common_word(plain) or value[:1] in (b"$", b"<", b"%", b"{"):
        return NOTHING
    return (match.span(group),)


_B64 = rb"[A-Za-z0-9+/]"
_HASH = (
    rb"(?:\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53}"
    rb"|\$(?:1|apr1)\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"
    rb"|\$[56]\$(?:rounds=[0-9]{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}"
    rb"|\$[789]\$[./A-Za-z0-9]{8,40}\$[./A-Za-z0-9]{43}"
    rb"|\$(?:y|gy|7)\$[./A-Za-z0-9]{1,20}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}"
    rb"|\$argon2(?:id|i|d)\$v=[0-9]{1,3}\$[a-z0-9=,]{5,60}\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,200}"
    rb"|\$scrypt\$[a-z0-9=,]{5,60}\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,200}"
    rb"|\$pbkdf2(?:-sha[0-9]{1,3})?\$[a-z0-9=,]{1,20}\$[./A-Za-z0-9+]{8,100}\$[./A-Za-z0-9+]{16,200}"
    rb"|\$krb5(?:tgs|asrep)\$[0-9]{2}\$[^\s\"']{32,8000}"
    rb"|\$P\$[./A-Za-z0-9]{31}|\$H\$[./A-Za-z0-9]{31})"
)
_NAMED_HASH = (
    rb"(?:pbkdf2_sha(?:1|256|512)\$[0-9]{3,9}\$[A-Za-z0-9]{6,40}\$[A-Za-z0-9+/=]{20,100}"
    rb"|pbkdf2:sha[0-9]{1,3}:[0-9]{3,9}\$[A-Za-z0-9]{6,40}\$[0-9a-f]{32,128}"
    rb"|scrypt:[0-9]{2,9}:[0-9]{1,3}:[0-9]{1,3}\$[A-Za-z0-9]{6,40}\$[0-9a-f]{64,128}"
    rb"|\{S?SHA(?:256|512)?\}" + _B64 + rb"{27,140}={0,2}"
    rb"|SCRAM-SHA-256\$[0-9]{3,9}:[A-Za-z0-9+/=]{8,60}\$[A-Za-z0-9+/=]{20,80}:[A-Za-z0-9+/=]{20,80})"
)

_DATA = re.compile(rb"(?:string)?data\\{0,255}\"?:", re.IGNORECASE)
_KIND = re.compile(rb"kind\\{0,255}[\"']?:[ \t]{0,8}\\{0,255}[\"']?Secret\b(?!\w)")
_DOCUMENT_ENDS = re.compile(rb"(?:^|" + _LINE_END + rb")---(?:\\{1,255}n|\s|\Z)")
_YAML_VALUE = re.compile(
    _LINE_END + rb"([ \t]+)[A-Za-z0-9_.\"'-]{1,253}:[ \t]{1,8}"
    rb"(?:[|>][+-]?" + _LINE_END + rb"[ \t]+)?\\{0,255}[\"']?([^\s\"'\\]{4,8000})"
)
_JSON_VALUE = re.compile(
    rb"[\s\\n,{]{0,60}\\{0,255}\"[A-Za-z0-9_.-]{1,253}\\{0,255}\":"
    rb"[ \t]{0,8}\\{0,255}\"([^\s\"\\]{4,8000})\\{0,255}\""
)
_BRACE = re.compile(rb"[ \t]{0,4}\{")
_WINDOW = 8000


def _kubernetes(text: Text, at: int) -> Spans:
    """The values below `data:` and `stringData:` of a `kind: Secret`, as YAML or JSON."""
    data = text.data
    opening = _DATA.match(data, at)
    if opening is None or _is_word(data, at):
        return NOTHING
    low, high = max(0, at - _WINDOW), min(len(data), at + _WINDOW)
    text.meter.charge(high - low)
    if data.find(b"Secret", low, high) < 0 or _KIND.search(data, low, high) is None:
        return NOTHING
    for parted in _DOCUMENT_ENDS.finditer(data, low, high):
        low, high = (parted.end(), high) if parted.end() <= at else (low, min(high, parted.start()))
    if _KIND.search(data, low, high) is None:
        return NOTHING
    spans = []
    end = opening.end()
    brace = _BRACE.match(data, end)
    values = _JSON_VALUE if brace is not None else _YAML_VALUE
    here = end if brace is None else brace.end()
    while (match := values.match(data, here)) is not None:
        group = match.re.groups
        if is_real(match.group(group)):
            spans.append(match.span(group))
        here = match.end()
        text.meter.charge(match.end() - match.start())
    return spans


def _is_word(data: bytes, at: int) -> bool:
    before = data[max(0, at - 1) : at]
    return (before.isalnum() and not data.endswith(b"\\n", 0, at)) or before in (b"_", b"-", b".")


_PUTTY = re.compile(
    rb"Private-Lines:[ \t]{0,4}([0-9]{1,4})((?:" + _LINE_END + rb"[ \t>+|]{0,20}[A-Za-z0-9+/=]{8,80}){1,400})"
)
_LINE_BEGINS = re.compile(_LINE_END + rb"[ \t>+|]{0,20}")


def _putty(text: Text, at: int) -> Spans:
    """The lines of a private key in a PuTTY file."""
    match = _PUTTY.match(text.data, at)
    if match is None:
        return NOTHING
    text.meter.charge(match.end() - at)
    start, end = match.span(2)
    opening = _LINE_BEGINS.match(text.data, start)
    start = start if opening is None else opening.end()
    return ((start, end),)


_UNSEAL = (
    rb"(?:Unseal Key [0-9]{1,2}|Recovery Key [0-9]{1,2}|Initial Root Token):[ \t]{1,4}"
    rb"([A-Za-z0-9+/=._-]{20,200})"
)
_DOCKER_AUTH = re.compile(
    rb"auth\\{0,255}\"[ \t]{0,4}:[ \t]{0,4}\\{0,255}\"([A-Za-z0-9+/]{8,4000}={0,2})\\{0,255}\""
)


def _docker_auth(text: Text, at: int) -> Spans:
    """`"auth": "<base64 of user:password>"` of Docker's `config.json`, however short."""
    match = _DOCKER_AUTH.match(text.data, at)
    return NOTHING if match is None or not is_user_and_password(match.group(1)) else (match.span(1),)


def is_user_and_password(value: bytes) -> bool:
    try:
        decoded = b64decode(value.rstrip(b"=") + b"==")
    except binascii.Error:
        return False
    return b":" in decoded and decoded.isascii() and is_real(value)


FILES = (
    Rule(
        "netrc-password",
        "B",
        "netrc(5)",
        (b"login",),
        rb"(?:\s|\\+[nrt])+[^\s]+(?:\s|\\+[nrt])+(?:password|account)",
        _netrc,
        token=True,
    ),
    Rule(
        "pgpass-password",
        "B",
        "https://www.postgresql.org/docs/current/libpq-pgpass.html",
        (b":5432:", b":5433:", b":5434:", b":6432:", b":6543:", b":25060:", b":*:"),
        rb"[A-Za-z0-9_*.-]+:[A-Za-z0-9_*.@-]+:[^\s:]{4}",
        _pgpass,
    ),
    Rule(
        "password-hash",
        "B",
        "crypt(5), RFC 9106, RFC 2307",
        (
            *(b"$%s$" % kind for kind in b"1 2 2a 2b 2x 2y 5 6 7 8 9 y gy apr1 scrypt P H".split()),
            *(b"$argon2", b"$pbkdf2", b"$krb5"),
        ),
        rb"[^\s\"']{12}",
        prefixed(_HASH + rb"(?![./A-Za-z0-9])", guard=False, keep=lambda value: is_real(value[1:])),
    ),
    Rule(
        "framework-password-hash",
        "B",
        "https://docs.djangoproject.com/en/5.2/topics/auth/passwords/",
        (b"pbkdf2_sha", b"pbkdf2:sha", b"scrypt:", b"{SHA", b"{SSHA", b"SCRAM-SHA-256$"),
        rb"[^\s\"']{12}",
        prefixed(_NAMED_HASH, guard=False, keep=is_real),
    ),
    Rule(
        "kubernetes-secret",
        "B",
        "https://kubernetes.io/docs/concepts/configuration/secret/",
        (b"data", b"stringdata"),
        rb"\\*\"?:[ \t]*(?:\{|\r?\n[ \t]|(?:\\+r)?\\+n[ \t])",
        _kubernetes,
        fold=True,
    ),
    Rule(
        "putty-key",
        "B",
        "https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html",
        (b"Private-Lines:",),
        rb"",
        _putty,
        token=True,
    ),
    Rule(
        "cookie-file",
        "B",
        "https://curl.se/docs/http-cookies.html",
        (b"TRUE", b"FALSE"),
        rb"(?:\t|\\+t)[0-9]{1,12}(?:\t|\\+t)[^\s\\]{1,64}(?:\t|\\+t)[^\s]{8}",
        prefixed(
            rb"(?:TRUE|FALSE)"
            + _TAB
            + rb"[0-9]{1,12}"
            + _TAB
            + rb"[^\s\\]{1,64}"
            + _TAB
            + rb"([^\s\\\"']{8,4000})",
            guard=False,
            keep=is_random,
        ),
        token=True,
    ),
    Rule(
        "vault-key",
        "B",
        "https://developer.hashicorp.com/vault/docs/concepts/seal",
        (b"Unseal Key ", b"Recovery Key ", b"Initial Root Token: "),
        rb"",
        prefixed(_UNSEAL, guard=False, keep=is_random),
        token=True,
    ),
    Rule(
        "docker-auth",
        "B",
        "https://docs.docker.com/reference/cli/docker/login/",
        (b"auth",),
        rb"\\*\"[ \t]*:[ \t]*\\*\"[A-Za-z0-9+/]{8}",
        _docker_auth,
    ),
)
