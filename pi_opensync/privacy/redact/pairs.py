"""Secrets in pairs of a name and a value that no assignment parts: the value first, or a session's cookie."""

import re

from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.literals import QUOTE
from pi_opensync.privacy.redact.names import kind_of
from pi_opensync.privacy.redact.values import is_secret
from pi_opensync.privacy.redact.words import UUID, is_random

_Q = rb"(?:" + QUOTE + rb")"
_GAP = rb"(?:\s|\\{1,255}[nrt]){0,40}"
_SIGN = rb"[ \t]{0,4}[:=][ \t]{0,4}"
_OTHER = (
    rb"(?:"
    + _Q
    + rb"?[A-Za-z_]{1,20}"
    + _Q
    + rb"?"
    + _SIGN
    + _Q
    + rb"[^\"'<>\\\r\n]{0,60}"
    + _Q
    + rb",?"
    + _GAP
    + rb")"
)
_FIRST = re.compile(
    rb"value(?:"
    + _Q
    + rb"?"
    + _SIGN
    + rb"(?:"
    + _Q
    + rb")?([^\s\"'<>\\,{}]{6,400})(?:"
    + _Q
    + rb")?,?"
    + _GAP
    + _OTHER
    + rb"{0,3}(?:"
    + _Q
    + rb")?(?:name|key)(?:"
    + _Q
    + rb")?"
    + _SIGN
    + rb"(?:"
    + _Q
    + rb")?([A-Za-z0-9_.-]{2,64})"
    rb"|>([^<>\s]{6,400})(?:</|&lt;/)value>" + _GAP + rb"<(?:name|key)>([A-Za-z0-9_.-]{2,64})<)",
    re.IGNORECASE,
)


def _value_first(text: Text, at: int) -> Spans:
    """`{"value": "...", "name": "API_KEY"}`, `<value>...</value><name>password</name>`."""
    match = _FIRST.match(text.data, at)
    if match is None:
        return NOTHING
    text.meter.charge(match.end() - at)
    group = 1 if match.group(1) is not None else 3
    name, value = match.group(group + 1), text.weigh(match.group(group))
    secret = is_secret(name, value, quoted=True, literal=True) if kind_of(name) else _is_session(name, value)
    return (match.span(group),) if secret else NOTHING


_COOKIES = (
    rb"connect\.sid|phpsessid|jsessionid|laravel_session|\.?aspxauth|asp\.net_sessionid|ci_session"
    rb"|next-auth\.session-token|rack\.session|_session_id|session_?id|sessid"
)
_SURE = re.compile(
    rb"connect\.sid|phpsessid|jsessionid|laravel_session|\.?aspxauth|asp\.net_sessionid|ci_session|rack\.session",
    re.IGNORECASE,
)
_NAMED = re.compile(_COOKIES, re.IGNORECASE)
_COOKIE = re.compile(
    rb"(" + _COOKIES + rb")(?:" + _Q + rb")?(?:" + _SIGN + rb"|[ \t]{0,4},[ \t]{0,4}"
    rb"|,?"
    + _GAP
    + _OTHER
    + rb"{0,5}(?:"
    + _Q
    + rb")?(value)(?:"
    + _Q
    + rb")?"
    + _SIGN
    + rb")(?:"
    + _Q
    + rb")?"
    rb"((?:s%3A|s:)?[A-Za-z0-9+/_.%=-]{16,4000})"
    rb"(;[ ]?(?:path|domain|secure|httponly|samesite|expires|max-age))?",
    re.IGNORECASE,
)
_SPEAKS_OF_COOKIES = re.compile(rb"cookie", re.IGNORECASE)
_LOOK_BACK = 80


def _session(text: Text, at: int) -> Spans:
    """A session's cookie; one whose name may be another id's only among cookies, or written as one."""
    match = _COOKIE.match(text.data, at)
    if match is None or not text.starts_token(at):
        return NOTHING
    text.meter.charge(match.end() - at)
    among = _SPEAKS_OF_COOKIES.search(text.data, max(0, at - _LOOK_BACK), at) is not None
    sure = _SURE.fullmatch(match.group(1)) is not None or match.group(2) or match.group(4) or among
    value = text.weigh(match.group(3))
    return (match.span(3),) if sure and is_random(value) else NOTHING


def _is_session(name: bytes, value: bytes) -> bool:
    return _NAMED.fullmatch(name) is not None and is_random(value) and UUID.fullmatch(value) is None


_SEEN = rb"\\*[\"']?"

PAIRS = (
    Rule(
        "value-before-name",
        "C",
        "the name that stands behind it",
        (b"value",),
        rb"(?:"
        + _SEEN
        + rb"[ \t]*[:=][ \t]*\\*[\"'][^\s\"'<>\\]{6}[^\s\"'<>\\]*\\*[\"'](?:,|\s|\\+[nrt])*(?:"
        + _SEEN
        + rb"[A-Za-z_]+"
        + _SEEN
        + rb"[ \t]*[:=][ \t]*\\*[\"'][^\"'<>\\\r\n]*\\*[\"'](?:,|\s|\\+[nrt])*){0,3}"
        + _SEEN
        + rb"(?i:name|key)"
        + _SEEN
        + rb"[ \t]*[:=]|:[ \t]+[^\s\"'<>\\,;(){}\[\]$&|=]{6}[^\s\"'<>\\]*(?:\r?\n|\\+n)[ \t]+(?i:name|key):"
        rb"|>[^<>\s]{6}[^<>\s]*(?:</|&lt;/)(?i:value)(?:>|&gt;)(?:\s|\\+[nrt])*(?:<|&lt;)(?i:name|key))",
        _value_first,
        fold=True,
    ),
    Rule(
        "session-cookie",
        "B",
        "the documentation of each framework",
        tuple(
            b"connect.sid phpsessid jsessionid laravel_session aspxauth asp.net_sessionid"
            b" ci_session rack.session _session_id sessionid session_id sessid".split()
        ),
        rb"\\*[\"'`]?(?:[ \t]*[:=,]|\\+[nrt])",
        _session,
        fold=True,
        token=True,
    ),
)
