"""Values that were found as secrets: what they are, they are wherever else they stand."""

import re
from collections.abc import Iterator, Sequence

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from pi_opensync.privacy.redact.engine import MARKER_OPEN, Match, Meter, Text
from pi_opensync.privacy.redact.values import is_common_word
from pi_opensync.privacy.redact.words import has_digit, is_letters

_SHORTEST = 6
_SHORTEST_ANYWHERE = 8
_SHORTEST_WORD = 8
_SHORTEST_LINE = 24
_FEW = 4
_BATCH = 256
_LINE_ENDS = re.compile(rb"\r?\n|\\{1,255}r?n")
_WORD = re.compile(rb"[A-Za-z0-9_]")


class LearnedValues:
    """The secrets of one message, as bytes of UTF-8; each with whether it must stand alone, and its rule."""

    def __init__(self) -> None:
        self.values: dict[bytes, tuple[bool, str]] = {}

    def learn(self, value: bytes, rule: str) -> None:
        """Remembers a secret; of a key of several lines each line. A word too common to replace is left."""
        if MARKER_OPEN in value:
            return
        lines = _LINE_ENDS.split(value)
        if len(lines) > 1:
            for line in lines:
                if len(line) >= _SHORTEST_LINE and not line.startswith(b"-----"):
                    self.values.setdefault(line.strip(), (False, rule))
        elif is_letters(value):
            if len(value) >= _SHORTEST_WORD and not is_common_word(value):
                self.values.setdefault(value, (True, rule))
        elif len(value) >= _SHORTEST and has_digit(value):
            self.values.setdefault(value, (len(value) < _SHORTEST_ANYWHERE, rule))
        elif len(value) >= _SHORTEST_ANYWHERE:
            self.values.setdefault(value, (False, rule))
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        if value in self.values and escaped != value:
            self.values.setdefault(escaped, self.values[value])

    def repeats(self, text: Text) -> list[Match]:
        """Where known values stand in a text from which the rules took what they found. Raises OverBudget."""
        if not self.values:
            return []
        kept: list[Match] = []
        for start, end in sorted(
            self._places(text.data, text.meter), key=lambda place: (place[0], -place[1])
        ):
            if (not kept or start >= kept[-1].end) and not text.in_marker(start, end):
                kept.append(Match(start, end, self.values[text.data[start:end]][1]))
        return kept

    def _places(self, data: bytes, meter: Meter) -> Iterator[tuple[int, int]]:
        values = sorted(self.values, key=len, reverse=True)
        for first in range(0, len(values), _BATCH):
            batch = values[first : first + _BATCH]
            meter.charge(len(data) >> 3)
            for start, end in _few(data, batch) if len(batch) <= _FEW else _many(data, batch):
                if not self.values[data[start:end]][0] or _stands_alone(data, start, end):
                    yield start, end


def _few(data: bytes, values: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    for value in values:
        at = data.find(value)
        while at >= 0:
            yield at, at + len(value)
            at = data.find(value, at + len(value))


def _many(data: bytes, values: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 64 << 20
    options.never_capture = True
    any_of = re2.compile(b"|".join(bytes(re2.escape(value)) for value in values), options)
    match = any_of.search(data)
    while match is not None:
        yield match.span()
        match = any_of.search(data, match.end())


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    return not (_WORD.match(data, start - 1) if start else None) and _WORD.match(data, end) is None
