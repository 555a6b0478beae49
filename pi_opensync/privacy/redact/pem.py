"""Private keys in their armour: whole, cut off at either end, in a string literal, behind line numbers."""

import re

from pi_opensync.privacy.redact.engine import NOTHING, Spans, Text

_BEGIN = re.compile(rb"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_END = re.compile(rb"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")

# A line's end, real or escaped (also twice), with what quotes and joins it; then a diff's or a quote's mark,
# a line number, a colour. Every repeat is bounded.
_BREAK = re.compile(
    rb"(?:\x1b\[[0-9;]{0,12}[mK])?[\"',;)]{0,4}(?:\r\n|\n|\r|\\{1,8}r\\{1,8}n|\\{1,8}n|[ \t]{1,8})"
    rb"(?:[ \t]{0,40}(?:[0-9]{1,6}(?:[:|\t]|\xe2\x86\x92)|[>|+#*\"'(.])){0,6}[ \t]{0,40}"
    rb"(?:\x1b\[[0-9;]{0,12}[mK])?"
)
_HEADER_LINE = re.compile(
    rb"(?:Proc-Type|DEK-Info|Comment|Version|Subject|x-[a-z-]{1,20}):[^\r\n\\\"]{0,200}", re.IGNORECASE
)
_CHUNK = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_RUN = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_GAP = re.compile(rb"[\s\"'\\,;>|#:.\xe2\x86\x92]*")
_LONGEST_GAP = 64
_LONGEST_TAIL = 1 << 14

_SURE = 40
_ENOUGH = 16


def find_pem_begin(text: Text, at: int) -> Spans:
    """From BEGIN to END, or as far as what follows can still be the key."""
    match = _BEGIN.match(text.data, at)
    if match is None:
        return NOTHING
    body, end = _body(text, match.end())
    return ((at, end),) if body >= _ENOUGH else NOTHING


def _body(text: Text, start: int) -> tuple[int, int]:
    """How many base64 characters follow, and where the block ends."""
    data = text.data
    size, end, at = 0, start, start
    while True:
        gap = _BREAK.match(data, at)
        while gap is not None:
            at = gap.end()
            gap = _BREAK.match(data, at)
        closing = _END.match(data, at)
        if closing is not None:
            text.meter.charge(closing.end() - start)
            return size, closing.end()
        line = _HEADER_LINE.match(data, at)
        chunk = None if line is not None else _CHUNK.match(data, at)
        if chunk is not None and (size > 0 or len(chunk.group()) >= _ENOUGH) and _is_line(data, chunk):
            size += len(chunk.group())
            end = at = chunk.end()
        elif line is not None and size == 0:
            at = line.end()
        else:
            text.meter.charge(at - start)
            return size, end


def _is_line(data: bytes, chunk: re.Match[bytes]) -> bool:
    """Whether it fills its line, and is no word of what stands behind a key that was cut off."""
    end = chunk.end()
    if end < len(data) and _BREAK.match(data, end) is None and data[end] not in b"\"'`-<\\\x1b":
        return False
    value = chunk.group()
    return (
        len(value) >= _SURE
        or end == len(data)
        or (len(value) >= _ENOUGH and not value.isalpha())
        or value.endswith(b"=")
        or any(byte in b"0123456789+/" for byte in value)
        or _closes(data, end)
    )


def _closes(data: bytes, at: int) -> bool:
    gap = _BREAK.match(data, at)
    return _END.match(data, at if gap is None else gap.end()) is not None


def find_pem_end(text: Text, at: int) -> Spans:
    """The lines before an END whose BEGIN was cut off, and the END."""
    closing = _END.match(text.data, at)
    if closing is None:
        return NOTHING
    floor = max(text.floor, at - _LONGEST_TAIL)
    floor = max(floor, text.data.rfind(b"-----", floor, at) + 1)
    text.meter.charge(at - floor)
    start = end = at
    for run in reversed([match.span() for match in _RUN.finditer(text.data, floor, at)]):
        value = text.data[run[0] : run[1]]
        if end - run[1] > _LONGEST_GAP or _GAP.fullmatch(text.data, run[1], end) is None:
            break
        if len(value) >= _SURE or end == at or (len(value) >= _ENOUGH and not value.isalpha()) or run[0] == 0:
            start = run[0]
        elif not value.isdigit():
            break
        end = run[0]
    return ((start, closing.end()),) if at - start >= _ENOUGH else NOTHING


def find_pem(text: Text, at: int) -> Spans:
    """A private key's block, found by its BEGIN or, where that was cut off, by its END."""
    return find_pem_end(text, at) if _END.match(text.data, at) is not None else find_pem_begin(text, at)
