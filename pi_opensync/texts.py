"""Pure rules for strings on their way to the dashboard."""

import re
import time
from collections.abc import Mapping
from itertools import islice
from math import isfinite
from typing import Any

MAX_TEXT = 256 * 1024  # bytes of UTF-8; a longer text keeps its head and tail
MAX_TITLE = 80  # characters
UNTITLED = "Untitled"
KILO = 1000
MAX_NAME = 1000  # bytes of a model's or a provider's name
MAX_PATH = 4096  # bytes of a project's folder
MAX_ID = 200  # characters of an id that is part of another
LAST_YEAR = 9999  # that is written with four digits
MAX_SAFE_INTEGER = 2**53 - 1  # beyond it a JavaScript number is another number

_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"\S+")
_LEFT_OUT = re.compile(rb"\n\[\.\.\. (\d{1,15}) bytes left out \.\.\.\]\n")
_UNITS = ("kB", "MB", "GB", "TB")


def well_formed(text: str) -> str:
    """The text with each surrogate that stands alone as U+FFFD, pairs joined."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return _SURROGATE.sub("\ufffd", joined)
    return text


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """A text of more than `limit` bytes as its head and tail around a note of what is left out."""
    if len(text) * 4 <= limit:
        return text
    data = text.encode()
    if len(data) <= limit:
        return text
    room = max(0, limit - len(_left_out(10**9)))
    head = data[: room - room // 2].decode(errors="ignore")
    tail = data[len(data) - room // 2 :].decode(errors="ignore") if room > 1 else ""
    gone = data[len(head.encode()) : len(data) - len(tail.encode())]
    earlier = sum(int(note[1]) - len(note[0]) for note in _LEFT_OUT.finditer(gone))
    return head + _left_out(len(gone) + earlier) + tail


def around(head: str, tail: str, total: int, limit: int = MAX_TEXT) -> str:
    """The beginning of `head` and the end of `tail` around a note, as `cut` of a text of `total` bytes."""
    room = limit - len(_left_out(total))
    first = head.encode()[: room - room // 2].decode(errors="ignore")
    last = tail.encode()[-(room // 2) :].decode(errors="ignore")
    return first + _left_out(max(0, total - len(first.encode()) - len(last.encode()))) + last


def length(text: str) -> int:
    """Bytes of UTF-8, without a second copy of the text; a lone surrogate counts as the U+FFFD for it."""
    if text.isascii():
        return len(text)
    pieces = (text[start : start + KILO * KILO] for start in range(0, len(text), KILO * KILO))
    return sum(len(piece.encode("utf-8", "surrogatepass")) for piece in pieces)


def _left_out(count: int) -> str:
    return f"\n[... {count} bytes left out ...]\n"


def title(text: str) -> str:
    """At most MAX_TITLE characters on one line, cut at a word and ended with an ellipsis."""
    words = islice(_WORD.finditer(text), MAX_TITLE)
    line = " ".join(word.group() for word in words)
    if len(line) <= MAX_TITLE:
        return line
    room = line[: MAX_TITLE - 1]
    at_word = room if line[MAX_TITLE - 1] == " " else room.rpartition(" ")[0]
    return (at_word.rstrip() or room) + "…"


def size(count: int) -> str:
    """`912 B`, `1.2 kB`, `3.4 MB`: bytes in powers of 1000."""
    if count < KILO:
        return f"{count} B"
    value = count / KILO
    units = iter(_UNITS)
    unit = next(units)
    for larger in units:
        if round(value, 1) < KILO:
            break
        value, unit = value / KILO, larger
    return f"{value:.1f} {unit}"


def name(value: object, limit: int = MAX_NAME) -> str | None:
    """A short string as itself; None for what is none or empty."""
    return cut(well_formed(value), limit) or None if isinstance(value, str) else None


def identifier(value: object) -> str | None:
    """A string as part of an id: itself, or a beginning with a hash where it is long or not well-formed."""
    if not isinstance(value, str):
        return None
    text = well_formed(value)
    if text == value and len(text) <= MAX_ID:
        return text
    from hashlib import blake2b  # noqa: PLC0415 - loads a library that most commands do without

    mark = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{text[:MAX_ID]}-{mark}"


def image(mime_type: object, data: object) -> str:
    """The line that stands for an image: its type and the size of the decoded base64."""
    kind = mime_type if isinstance(mime_type, str) and mime_type else "image"
    return f"[image: {kind}, {size(_decoded_size(data))}]"


def _decoded_size(data: object) -> int:
    if not isinstance(data, str):
        return 0
    padding = 2 if data.endswith("==") else 1 if data.endswith("=") else 0
    return (len(data) - padding) * 3 // 4


def lines(*texts: str) -> str:
    """Texts one below the other, without a blank line where one already ends its own."""
    joined = ""
    for text in texts:
        joined += text if not joined or joined.endswith("\n") else "\n" + text
    return joined


def number(value: Any) -> Any:
    """A JSON number that arrives as itself; as text where a JavaScript number could not hold it."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def day(moment: int | None) -> str:
    """The day of a moment in Unix milliseconds, as this machine reckons it; a dash where it is not known."""
    if moment is None:
        return "-"
    try:
        year, month, number, *_ = time.localtime(moment / 1000)
    except (ValueError, OverflowError, OSError):
        return "-"
    return f"{year:04}-{month:02}-{number:02}" if 0 < year <= LAST_YEAR else "-"


def wants_colours(env: Mapping[str, str], *, on_terminal: bool) -> bool:
    """Whether colours can be shown, and nobody asked for none (https://no-color.org)."""
    return on_terminal and env.get("TERM") not in (None, "", "dumb") and not env.get("NO_COLOR")


def counted(count: int, noun: str) -> str:
    """`1 session`, `1,189 messages`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shown(text: str) -> str:
    """Text of a transcript or a file name, safe for a terminal: control characters are written out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shown_path(path: bytes) -> str:
    return shown(path.decode("utf-8", "backslashreplace"))


def one_line(text: str) -> str:
    """The text on one line, without control characters: white space collapsed, the rest left out."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char.isspace() else "" for char in text)
    return " ".join(text.split())


def storable(text: str) -> str:
    """A string of a transcript as SQLite takes it: lone surrogates are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
