"""What stands behind a name that says it is secret.

`API_KEY=value`, `"client-secret": "value"`, `<password>value</password>`, `getenv("TOKEN", "value")`, `the
password is value`. The name decides whether it is looked at (`names`), and what the value looks like decides
whether it is a secret (`values`), for the same forms carry ordinary code: `key=lambda x: x`, `password =
getpass()`, `token: string`.
"""

import re

from pi_opensync.privacy.redact import literals
from pi_opensync.privacy.redact.engine import JUDGED, NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.literals import COLOUR, QUOTE, SPACE
from pi_opensync.privacy.redact.names import KEYWORDS, LEADS, SUFFIX, is_env_name, kind_of, name_before
from pi_opensync.privacy.redact.openings import BLOCK, BOLD, CLOSE, MARKS, OPENING, SIGN, TYPE
from pi_opensync.privacy.redact.values import is_code, is_common_word, is_secret, is_sure
from pi_opensync.privacy.redact.words import has_digit, is_random

_KEYWORD = re.compile(rb"(" + KEYWORDS + rb")" + SUFFIX, re.IGNORECASE)

_ASSIGN = re.compile(BOLD + CLOSE + SPACE + SIGN + BOLD + SPACE + MARKS + rb"\*{0,2}")
_TYPED = re.compile(CLOSE + SPACE + TYPE + rb"(?=[^\s=,;)}\]\"'`]|[\"'`][^\s])")
_GO_TYPED = re.compile(
    rb"[ \t]{1,8}(?:\[\]byte|[*&]?[A-Za-z_][A-Za-z0-9_.]{1,30})[ \t]{1,8}=[ \t]{1,8}(?=[\"'`])"
)
_DUMPED = re.compile(CLOSE + rb"=>\s{1,20}string\([0-9]{1,6}\)[ ]{1,2}")
_IN_BRACES = re.compile(
    CLOSE + rb"[ \t]{0,8}(?:[:=][ \t]{0,8})?\{\s{0,40}(?:[a-z_]{1,20}[ \t]{0,8}=[^\n=]{1,80}\n\s{0,40}){0,3}"
    rb"(?:\\{0,255}[\"'])?(?:default|value)(?:\\{0,255}[\"'])?[ \t]{0,20}[:=][ \t]{0,8}"
)
_BLOCK_BEGINS = re.compile(BLOCK)
_WRAPPER = re.compile(
    rb"(?:[A-Za-z_$][A-Za-z0-9_.$\[\]\"'()]{0,60}[ \t]{1,4}(?:\|\||\?\?|\?:|or)[ \t]{1,4}"
    rb"|(?:\[\]|&|\*)?[A-Za-z_][A-Za-z0-9_.:<>]{0,40}\([ \t]{0,2}(?:default=)?)(?=[bBrRuULN@]{0,2}[\"'`])"
)
# A type's name as a key (`"A::ApiKey":`), and the kind of thing that a cloud's name of it has.
_NO_NAME = re.compile(rb"::[A-Za-z]{1,60}\"\Z|arn:aws[a-z-]{0,12}:secretsmanager:[a-z0-9:-]{1,60}:secret:\Z")
_ARROW = re.compile(rb"\\{0,255}[\"'][ \t]{1,4}->[ \t]{1,4}(?=\\{0,255}[\"'])")
_DEFAULT = re.compile(rb"\$\{[A-Za-z_][A-Za-z0-9_]{0,60}:?[-=]")

_ARGUMENT = re.compile(
    rb"(?:" + QUOTE + rb")[ \t]{0,4}(?:,|\)[ \t]{0,4}\{)[ \t]{0,4}"
    rb"(?:(?:default|fallback|defaultValue|value)[ \t]{0,2}[=:][ \t]{0,2})?"
)
_IN_TUPLE = re.compile(rb",[ \t]{0,4}(?=\\{0,255}[\"'])")
_CALL = re.compile(rb"[({][ \t]{0,2}(?=[bBrRuULN@]{0,2}\\{0,255}[\"'`])")
_PAIR = re.compile(
    rb"(?:" + QUOTE + rb")?[ \t]{0,4}(?:/>)?,?(?:\r?\n|\\{1,255}n)?[ \t]{0,40}<?(?:" + QUOTE + rb")?"
    rb"(?:parameter)?(?:value|content)(?:" + QUOTE + rb")?[ \t]{0,4}[=:][ \t]{0,4}",
    re.IGNORECASE,
)
_PART = re.compile(rb"\\{0,255}\"(?:\r?\n|\\{1,255}r\\{1,255}n){2}([^\s\"\\]{6,400})(?=\r|\n|\\|\Z)")
_ELEMENT = re.compile(rb"(?:[ \t][^<>\r\n]{0,200})?(?:>|&gt;)\s{0,64}(?:<!\[CDATA\[)?")
_ELEMENT_ENDS = re.compile(rb"([^<>\x00-\x08]{1,2000}?)\s{0,64}(?:\]\]>)?(?:</|&lt;/)")
_NAMED_ELEMENT = re.compile(rb"</(?:key|name)>\s{0,64}<(?:string|value)>", re.IGNORECASE)
_NAMES_IT = re.compile(rb"(?:name|key)[ \t]?=[ \t]?[\"']\Z", re.IGNORECASE)
_NAMING_ELEMENT = re.compile(
    rb"[\"'][ \t]{0,4}(?:[a-z]{1,20}=[\"'][^\"'<>]{0,60}[\"'][ \t]{0,4})?>\s{0,64}(?:<value>)?(?=[^\s<])"
)
_COLUMN = re.compile(
    rb"[`*]{0,2}(?:[ \t]{2,60}|[ \t]{0,40}\t[ \t]{0,40}|[ \t]{0,40}\|[ \t]{1,8})(?:" + COLOUR + rb")?`?"
)
_CHANGED = re.compile(
    rb"[ \t]{1,2}(?:(?:is|was|has been|been|be|now)[ \t]{1,2}){0,2}(?:(?:set|changed|reset"
    rb"|updated)[ \t]{1,2})?to:?[ \t]{1,4}"
)
_ASKED = re.compile(
    rb"[ \t]{1,2}(?:for|of|f\xc3\xbcr|pour|para|de|von)[ \t]{1,2}[^\s:]{1,60}"
    rb"(?:[ \t][^\s:]{1,60})?:[ \t]{1,4}"
)
_SAID = re.compile(
    rb"(?:[ \t]{1,2}(?:for|of|f\xc3\xbcr|pour|para|de|del|von|to)[ \t]{1,2}(?:[^\s]{1,40}[ \t]{1,2}){0,3}?"
    rb"[^\s]{1,40})?[ \t]{1,2}(?:is|was|will be|ist|lautet|war|est|es|era)(?:[ \t](?:now|set to|still|just"
    rb"|jetzt|nun|maintenant|ahora))?:?[ \t]{1,4}"
)
_BESIDE = re.compile(rb"[ \t]{1,4}(?:-[ \t]{1,4})?(?=@?(?:" + QUOTE + rb"))")
_SETS = re.compile(
    rb"(?:\A|[\n;&|]|\\n)[ \t]{0,20}(?:#[ \t]{0,4}define|ENV|ARG|setenv|setx|set[ \t]{1,4}-[gUux]{1,3}"
    rb"|config[ \t]{1,2}set"
    rb"|[a-z]{1,12}[ \t]config[ \t]set(?:[ \t]--[a-z-]{1,20}){0,2})?[ \t]{1,4}\Z"
    rb"|(?:#[ \t]{0,4}define|config[ \t]{1,2}set(?:[ \t]{1,2}--?[a-z-]{1,20}){0,2})[ \t]{1,4}"
    rb"(?:[^\s]{1,40}[:.])?\Z",
    re.IGNORECASE,
)
_SQL = re.compile(rb"(?:create|alter|set|with|encrypted|user|role|login)\b[^\r\n]{0,80}\Z", re.IGNORECASE)
_WORDS_IN_IT = re.compile(rb"[^\s{}]+")
_LONG = re.compile(rb"[^\s\"'`]{24}")  # nothing shorter counts behind `key` alone
_NEAR = 400
_LOOK_BACK = 100
_SHORTEST_WORD = 8


def _named(text: Text, at: int) -> Spans:
    keyword = _KEYWORD.match(text.data, at)
    if keyword is None:
        return NOTHING
    before = name_before(text.data, at)
    for end in dict.fromkeys((keyword.end(), keyword.end(1))):
        name = before + text.data[at:end]
        kind = None if text.data[end : end + 1].isalnum() else kind_of(name)
        if kind is not None and (kind != "key" or _LONG.search(text.data, end, end + _NEAR) is not None):
            spans = _behind(text, name, at - len(before), end)
            if spans:
                floor = max(0, at - len(before) - _LOOK_BACK)
                return spans if _NO_NAME.search(text.data, floor, keyword.end() + 1) is None else NOTHING
    return NOTHING


def _behind(text: Text, name: bytes, start: int, end: int) -> Spans:
    """Tries each form that may begin as what stands behind the name; `start` and `end` are the name's."""
    data = text.data
    follows = data[end : end + 1]
    for form, firsts in _GAPS:
        gap = form.match(data, end) if follows in firsts else None
        if gap is not None:
            spans = _assigned(text, name, start, gap.end())
            if spans:
                return spans
    for other, firsts in _OTHERS:
        spans = other(text, name, start, end) if follows in firsts else NOTHING
        if spans:
            return spans
    return NOTHING


def _assigned(text: Text, name: bytes, start: int, at: int) -> Spans:
    data = text.data
    first = data[at : at + 1]
    if first in _OPENS_BLOCK and (block := _BLOCK_BEGINS.match(data, at)) is not None:
        return _literal(text, name, block.end()) or _word(text, name, block.end())
    if first == b"$" and (default := _DEFAULT.match(data, at)) is not None:
        return _bare(text, name, start, default.end())
    wrapper = None if first in _QUOTES else _WRAPPER.match(data, at)
    if wrapper is not None:
        return _literal(text, name, wrapper.end(), random=True)
    quoted = literals.quoted(text, at)
    if quoted is not None:
        both = (quoted, _becomes(text, quoted[1]))
        return tuple(each for each in both if each is not None and _is_one(text, name, each))
    forms = (_line, _bare) if is_env_name(name) else (_bare, _line)
    return forms[0](text, name, start, at) or forms[1](text, name, start, at)


_OPENS_BLOCK = (b"|", b">", b"\r", b"\n", b"\\")
_QUOTES = (b'"', b"'", b"`")


def _is_one(text: Text, name: bytes, span: tuple[int, int]) -> bool:
    value = literals.unescaped(text.weigh(text.data[span[0] : span[1]]))
    return is_secret(name, value, quoted=True, literal=True)


def _becomes(text: Text, at: int) -> tuple[int, int] | None:
    """The literal behind the arrow of `"old" -> "new"`, as Terraform's plans have it."""
    arrow = _ARROW.match(text.data, at)
    return None if arrow is None else literals.quoted(text, arrow.end())


def _literal(text: Text, name: bytes, at: int, *, random: bool = False) -> Spans:
    """A string literal that is surely a secret."""
    quoted = literals.quoted(text, at)
    if quoted is None:
        return NOTHING
    value = text.weigh(text.data[quoted[0] : quoted[1]])
    sure = (
        is_random(value) and has_digit(value) and kind_of(name) not in ("key", "weak")
        if random
        else is_sure(name, value)
    )
    return (quoted,) if sure and is_secret(name, value, quoted=True) else NOTHING


def _word(text: Text, name: bytes, at: int) -> Spans:
    """A bare word that is surely a secret, to the white space behind it."""
    end = literals.bare_end(text, at)
    value = text.weigh(text.data[at : min(end, at + JUDGED)])
    return ((at, end),) if is_sure(name, value) and text.data[end : end + 1] not in _OPENS_CODE else NOTHING


_OPENS_CODE = (b"(", b"[", b"{", b"<")


def _line(text: Text, name: bytes, start: int, at: int) -> Spans:
    """`NAME=value` or `name: value` alone on its line, where the value may hold any sign."""
    data = text.data
    env = is_env_name(name) and data[at - 1 : at] == b"="
    if data[at : at + 1] in _NO_VALUE or (not env and not literals.begins_line(data, start)):
        return NOTHING
    end = literals.rest_end(text, at)
    if end == at:
        return NOTHING
    if not env and data[end : end + 1] not in (b"", b"\n", b"\r", b" ", b"\t", b"\\"):
        return NOTHING
    value = text.weigh(data[at : min(end, at + JUDGED)])
    if is_code(value) and not env:
        return NOTHING
    return (
        ((at, end),)
        if is_secret(name, value, quoted=False, literal=env or data[end - 1] != ord(";"))
        else NOTHING
    )


_NO_VALUE = (b"", b"$", b"<", b"{", b"[", b"(", b"&", b"*", b"|", b">", b"@", b"%")


def _bare(text: Text, name: bytes, _start: int, at: int) -> Spans:
    data = text.data
    end = literals.bare_end(text, at)
    if end == at or data[end : end + 1] in _OPENS_CODE:
        return NOTHING
    value = text.weigh(data[at : min(end, at + JUDGED)])
    if value.isalnum() and kind_of(value) is not None:
        return NOTHING  # another name: `PrivateKey = X25519PrivateKey`
    return ((at, end),) if is_secret(name, value, quoted=False) else NOTHING


def _pair(text: Text, name: bytes, _start: int, end: int) -> Spans:
    """`name="API_KEY" value="..."`, `{"name": "API_KEY", "value": "..."}`, `- name: X` above `value: ...`."""
    gap = _PAIR.match(text.data, end)
    if gap is not None:
        return _assigned(text, name, len(text.data), gap.end())
    part = _PART.match(text.data, end)
    return NOTHING if part is None else _part(text, name, part)


def _part(text: Text, name: bytes, part: re.Match[bytes]) -> Spans:
    """The part of a form that was posted: `name="password"`, an empty line, the value."""
    value = text.weigh(part.group(1))
    return (part.span(1),) if is_secret(name, value, quoted=True, literal=True) else NOTHING


def _argument(text: Text, name: bytes, start: int, end: int) -> Spans:
    """`getenv("TOKEN", "value")`, `setPassword("value")`."""
    gap = _ARGUMENT.match(text.data, end)
    if gap is not None:
        opened = text.data[max(0, start - 1) : start] in (b'"', b"'", b"`")
        spans = _literal(text, name, gap.end()) if opened else NOTHING
        return spans if spans and has_digit(text.data[spans[0][0] : spans[0][1]]) else NOTHING
    pair = _IN_TUPLE.match(text.data, end) if text.data[max(0, start - 1) : start] == b"{" else None
    if pair is not None:
        return _literal(text, name, pair.end())
    call = _CALL.match(text.data, end)
    return NOTHING if call is None else _literal(text, name, call.end(), random=True)


def _element(text: Text, name: bytes, start: int, end: int) -> Spans:
    """`<password>value</password>`, `<key>password</key><string>value</string>`."""
    data = text.data
    gap = _NAMED_ELEMENT.match(data, end)
    if gap is None and _NAMES_IT.search(data, max(0, start - 8), start) is not None:
        gap = _NAMING_ELEMENT.match(data, end)
    if gap is None:
        opened = data[max(0, start - 1) : start] in (b"<", b":") or data.endswith(b"&lt;", 0, start)
        gap = _ELEMENT.match(data, end) if opened else None
    inner = None if gap is None else _ELEMENT_ENDS.match(data, gap.end())
    if inner is None:
        return NOTHING
    text.meter.charge(inner.end() - end)
    begin, value = inner.start(1), text.weigh(inner.group(1))
    if not any(space in value for space in b" \t\r\n{"):
        plain = value.isalpha() and kind_of(name) == "password" and not is_common_word(value)
        sure = is_secret(name, value, quoted=True, literal=True) or (plain and len(value) >= _SHORTEST_WORD)
        return (inner.span(1),) if sure else NOTHING
    parts = (part for part in _WORDS_IN_IT.finditer(value) if is_sure(name, part.group()))
    return tuple((begin + part.start(), begin + part.end()) for part in parts)


def _column(text: Text, name: bytes, start: int, end: int) -> Spans:
    """A row of a table: `password    value`, `| token | value |`; and `#define TOKEN value`."""
    gap = _COLUMN.match(text.data, end)
    if (
        gap is None
        and text.data[end : end + 1] == b" "
        and _SETS.search(text.data, max(0, start - 40), start)
    ):
        return _literal(text, name, end + 1) or _word(text, name, end + 1)
    if gap is None:
        return _beside(text, name, end) if text.data[end : end + 1] == b" " else NOTHING
    return _word(text, name, gap.end()) if literals.begins_line(text.data, start) else NOTHING


def _beside(text: Text, name: bytes, end: int) -> Spans:
    """`username joe password value`, where the value can be nothing but drawn at random."""
    spans = _word(text, name, end + 1)
    value = b"" if not spans else text.data[spans[0][0] : spans[0][1]]
    plain = value.isalnum() and not value.islower() and not value.isupper()
    return spans if plain and has_digit(value) and is_random(value) and kind_of(name) != "key" else NOTHING


def _said(text: Text, name: bytes, start: int, end: int) -> Spans:
    """`the password is value`, `token "value"`, `PASSWORD 'value'`."""
    data = text.data
    gap = _CHANGED.match(data, end) or _ASKED.match(data, end) or _SAID.match(data, end)
    if gap is not None:
        return _told(text, name, gap.end()) or _word(text, name, gap.end())
    gap = _BESIDE.match(data, end)
    if gap is None:
        return NOTHING
    quoted = literals.quoted(text, gap.end())
    sql = quoted is not None and _SQL.search(data, max(0, start - _LOOK_BACK), start) is not None
    if quoted is not None and sql and kind_of(name) == "password":
        value = text.weigh(data[quoted[0] : quoted[1]])
        return (quoted,) if is_secret(b"DB_PASSWORD", value, quoted=True, literal=True) else NOTHING
    return _literal(text, name, gap.end())


def _told(text: Text, name: bytes, at: int) -> Spans:
    """`the password is "value"`: quoted, a word with a number counts too."""
    quoted = literals.quoted(text, at)
    if quoted is None:
        return NOTHING
    value = text.weigh(text.data[quoted[0] : quoted[1]])
    sure = has_digit(value) and b" " not in value and is_secret(name, value, quoted=True)
    return (quoted,) if sure else NOTHING


def _firsts(*, signs: str, quotes: bool = False, spaces: bool = False) -> frozenset[bytes]:
    """What a form may begin with: signs, an opening or closing quote, white space (also a colour's code)."""
    given = signs.encode() + (b"\\\"'`%&\xe2\xc2" if quotes else b"") + (b" \t%\xc2\x1b\\" if spaces else b"")
    return frozenset(given[at : at + 1] for at in range(len(given)))


_GAPS = (
    (_TYPED, _firsts(signs=":][?!", quotes=True, spaces=True)),
    (_ASSIGN, _firsts(signs="*_:=?!+.|<-{][", quotes=True, spaces=True) | {b"\xef"}),
    (_GO_TYPED, _firsts(signs=" \t")),
    (_DUMPED, _firsts(signs="=][?!", quotes=True)),
    (_IN_BRACES, _firsts(signs=":=]{[?!", quotes=True, spaces=True)),
)
_OTHERS = (
    (_pair, _firsts(signs="/>,\r\n<vVcC", quotes=True, spaces=True)),
    (_argument, _firsts(signs="({,", quotes=True)),
    (_element, _firsts(signs="<>&\"' \t")),
    (_column, _firsts(signs="`*| \t")),
    (_said, _firsts(signs=" \t")),
)

ASSIGNMENTS = (
    Rule(
        "assignment",
        "C",
        "the name's last word; what its value looks like",
        LEADS,
        opening=OPENING,
        find=_named,
        fold=True,
    ),
)
