"""Where a value begins and ends, however it is quoted, escaped, encoded or coloured."""

import re

from pi_opensync.privacy.redact.engine import Text

COLOUR = rb"(?:\x1b|\\{1,255}(?:x1[bB]|u001[bB]|033|e))\[[0-9;]{0,12}[mK]"
SPACE = rb"(?:[ \t]|%20|\xc2\xa0|" + COLOUR + rb"){0,32}"
QUOTE = (
    rb"\\{0,255}[\"'`]|\\{1,255}u002[27]|%2[27]|&(?:quot|apos|#3[49]|#x2[27]);"
    rb"|\xe2\x80[\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f\xb9\xba]|\xc2[\xab\xbb]"
)

_OPEN = re.compile(rb"[bBrRuUfLN@]{0,2}(?:(" + QUOTE + rb"))(?:\xc2\xa0|[ ]|" + COLOUR + rb")?")
_ESCAPED_QUOTE = re.compile(rb"(\\{0,255})([\"'`])")
_STOPS = re.compile(rb"[\r\n]|\\{0,255}[\"'`]")
_TYPOGRAPHIC_END = re.compile(
    rb"\xe2\x80[\x98\x99\x9b\x9c\x9d\x9f\xb9\xba]|(?:\xc2\xa0)?\xc2[\xab\xbb]|[\r\n]"
)
_COLOUR = re.compile(COLOUR)
_LONGEST = 4000

_BARE = re.compile(rb"(?:[^\x00-\x20\"'`,;(){}\[\]<>|\\&$\x7f]|\$(?![({]))+")
_REST = re.compile(rb"(?:[^\x00-\x20\"'`\\<>\x7f])+")
_NEXT_PAIR = re.compile(rb"[;&](?:[&|;]|[A-Za-z_][A-Za-z0-9_ .\[\]-]{0,40}=|[ \t\r\n]|\Z)|\|\||[|)\]}]+\Z")
_PERCENT_END = re.compile(rb"%(?:25)?(?:2[26]|7[dD]|0[aAdD]|20|5[dD]|2[cC])")
_PUNCTUATION = frozenset(b",.:!?)}]")
_LINE_BEGINS = re.compile(
    rb"(?:[^\s:=\"']{1,120}[:-](?:[0-9]{1,6}[:-])?)?[ \t>+#*|-]{0,40}(?:[0-9]{1,6}(?:[ \t:|]|\xe2\x86\x92))?"
    rb"[ \t]{0,40}(?:(?:export|set(?:env|x)?|set -[gUux]{1,3}|env|ENV|ARG|declare -x|var|//)[ \t]{1,4})?"
    rb"[\"'`*]{0,3}(?:\$env:)?"
)
_LINE_LOOK_BACK = 200


def quoted(text: Text, at: int) -> tuple[int, int] | None:
    """Where the text of a string literal at `at` starts and ends; None if there is none, or no end."""
    data = text.data
    opening = _OPEN.match(data, at)
    if opening is None:
        return None
    quote, start = opening.group(1), opening.end()
    limit = min(len(data), start + _LONGEST)
    if data.startswith(quote * 2, start) and len(quote) == 1:
        start += 2  # three quotes, as TOML and Python have them
    if quote[-1:] in (b'"', b"'", b"`"):
        end = _closing(data, start, limit, quote)
    elif quote[:1] in (b"%", b"&", b"\\"):
        found = data.find(quote, start, limit)
        end = found if found >= 0 and b"\n" not in data[start:found] else None
    else:
        match = _TYPOGRAPHIC_END.search(data, start, limit)
        end = None if match is None or match.group() in (b"\r", b"\n") else match.start()
        while end is not None and end > start and data[end - 1] == ord(" "):
            end -= 1
    text.meter.charge((limit if end is None else end) - start)
    if end is None:
        return None
    colour = _COLOUR.search(data, start, end)
    return start, end if colour is None else colour.start()


def _closing(data: bytes, start: int, limit: int, quote: bytes) -> int | None:
    """Where the quote closes that was escaped as often as its opening; deeper ones belong to the value."""
    depth, mark = len(quote) - 1, quote[-1]
    for stop in _STOPS.finditer(data, start, limit):
        found = stop.group()
        if found in (b"\r", b"\n"):
            return None
        slashes = len(found) - 1
        if found[-1] != mark:
            if slashes < depth:
                return stop.start()
            continue
        if slashes <= depth:
            return stop.start()
        if depth == 0 and slashes % 2 == 0:
            return stop.end() - 1
    return limit if limit == len(data) else None


def unescaped(value: bytes) -> bytes:
    """The value with what was escaped for a string literal as it is."""
    return value.replace(b"\\", b"") if b"\\" in value else value


def bare_end(text: Text, at: int) -> int:
    """Where a value without quotes ends: at white space, or at a sign that ends one in code."""
    end = text.run_end(_BARE, at)
    return _trimmed(text.data, at, end)


def rest_end(text: Text, at: int) -> int:
    """Where a value ends that may hold any sign: at white space, or where another pair begins."""
    end = text.run_end(_REST, at)
    cut = _NEXT_PAIR.search(text.data, at, end)
    return _trimmed(text.data, at, end if cut is None else cut.start())


def _trimmed(data: bytes, at: int, end: int) -> int:
    encoded = _PERCENT_END.search(data, at, end)
    if encoded is not None and b"%3" in data[max(0, at - 8) : at]:
        end = encoded.start()
    while end > at and data[end - 1] in _PUNCTUATION:
        end -= 1
    return end


def begins_line(data: bytes, at: int) -> bool:
    """Whether nothing but a mark, a number or a keyword stands before it on its line."""
    floor = max(0, at - _LINE_LOOK_BACK)
    escaped = data.rfind(b"\\n", floor, at)
    line = max(data.rfind(b"\n", floor, at) + 1, escaped + 2 if escaped >= 0 else 0, floor)
    return (line > floor or floor == 0) and _LINE_BEGINS.fullmatch(data, line, at) is not None
