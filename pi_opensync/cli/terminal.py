"""The terminal or pipe of a command: what it can not show, and whether somebody sits at it."""

import codecs
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO
from unicodedata import east_asian_width, normalize

from pi_opensync.texts import wants_colours

_PLAIN = {"\u2026": "~", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u2192": "->"}

USUAL = 80  # columns of a terminal
_SECOND = "\ue000"  # the other half of a sign that takes two columns, while a line is broken

Ask = Callable[[str], str]


def take_any_sign() -> None:
    """Let no sign make a command fail: where the terminal or the pipe is not UTF-8, ASCII stands for it."""
    if sys.stdout is None:  # closed by who started it
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    if sys.stderr is None:
        sys.stderr = sys.stdout
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(encoding="utf-8" if is_utf8 else "ascii", errors="plain")


def ask() -> Ask | None:
    """How to ask the user; None where nobody sits at a terminal."""
    return asked if sys.stdin.isatty() and sys.stdout.isatty() else None


def asked(question: str) -> str:
    """The answer to a question, which is broken between words where the terminal is narrow."""
    indent = len(question) - len(question.lstrip())
    *before, last = wrapped(question.rstrip(), width(), indent)
    for line in before:
        print(line)
    return input(f"{last} ")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _without_accent(sign) for sign in signs), error.end


def _without_accent(sign: str) -> str:
    first = normalize("NFKD", sign)[:1]
    return first if first.isascii() else "??" if _is_wide(sign) else "?"


def width(out: TextIO | None = None) -> int | None:
    """How many signs a line of stdout or `out` takes; None for a pipe, which takes any."""
    if not (out or sys.stdout).isatty() and not os.environ.get("COLUMNS"):
        return None
    return columns()


def columns() -> int:
    """As COLUMNS says, or else the terminal; 80 where neither does."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        with suppress(ValueError, OSError):  # closed, or no terminal
            return os.get_terminal_size(stream.fileno()).columns or USUAL
    return USUAL


def wrapped(line: str, width: int | None, indent: int) -> list[str]:
    """The line in pieces of at most `width` signs, broken between words; None for any.

    All but the first begin with `indent` spaces.
    """
    wide = line if line.isascii() else "".join(sign + _SECOND * _is_wide(sign) for sign in line)
    if width is None or len(wide) <= width:
        return [line]
    from textwrap import wrap

    text = wide.lstrip()
    first = wide[: len(wide) - len(text)]
    room = max(width, 2 * indent)
    pieces = wrap(text, room, initial_indent=first, subsequent_indent=" " * indent, break_on_hyphens=False)
    return [piece.replace(_SECOND, "") for piece in pieces]


def _is_wide(sign: str) -> bool:
    return east_asian_width(sign) in ("W", "F")


def say(text: str, indent: int = 0, out: TextIO | None = None) -> None:
    """Print sentences, a line each, to stdout or `out`, broken between words where it is narrower."""
    for line in text.splitlines():
        print("\n".join(wrapped(" " * indent + line, width(out), indent)), file=out, flush=True)


def has_colours() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody asked for none."""
    return wants_colours(os.environ, on_terminal=sys.stdout.isatty())


def bold(text: str) -> str:
    """The text as a heading, where stdout is a terminal that shows such."""
    return f"\033[1m{text}\033[0m" if has_colours() else text
