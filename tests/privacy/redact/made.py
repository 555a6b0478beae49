"""Strings of a shape that a regular expression describes, drawn at random."""

import random
import re
import string
from collections.abc import Iterator
from importlib import import_module
from typing import Any

parser: Any = import_module("re._parser")  # the standard library's own
op: Any = import_module("re._constants")

_PRINTABLE = [ord(char) for char in string.digits + string.ascii_letters + string.punctuation]
_MOST_REPEATS = 60  # more than an issuer's shortest; a pattern's own upper bound is a guard, not a length


def made(pattern: bytes, rng: random.Random) -> str:
    """One string that matches the pattern; what it looks ahead or behind for is left to chance."""
    return "".join(map(chr, _of(parser.parse(pattern), rng)))


def _of(parts: Any, rng: random.Random) -> Iterator[int]:
    for kind, value in parts:
        if kind is op.LITERAL:
            yield value
        elif kind in (op.ANY, op.NOT_LITERAL):
            yield rng.choice([char for char in _PRINTABLE if char != value])
        elif kind is op.IN:
            yield rng.choice(_members(value))
        elif kind is op.BRANCH:
            yield from _of(rng.choice(value[1]), rng)
        elif kind is op.SUBPATTERN:
            yield from _of(value[3], rng)
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, high, inner = value
            for _ in range(rng.randint(low, min(high, max(low, _MOST_REPEATS)))):
                yield from _of(inner, rng)
        elif kind not in (op.ASSERT, op.ASSERT_NOT, op.AT):
            raise ValueError(f"no string is made of {kind}")


def _members(items: Any) -> list[int]:
    negated = items[0][0] is op.NEGATE
    found: set[int] = set()
    for kind, value in items:
        if kind is op.LITERAL:
            found.add(value)
        elif kind is op.RANGE:
            found.update(range(value[0], value[1] + 1))
        elif kind is op.CATEGORY:
            found.update(char for char in range(128) if re.match(_CATEGORIES[value], chr(char)))
    return [char for char in _PRINTABLE if char not in found] if negated else sorted(found)


_CATEGORIES = {
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"[!-~]",
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"[^\w\x00-\x1f]",
}
