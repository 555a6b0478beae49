"""Changes to a file as lines: what was taken out, what was put in, with line numbers where they are known."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from markupsafe import Markup

from pi_opensync.dashboard.show.visible import visible

_MOST_COMPARED = 600
_LINE = re.compile(r"([+\- ])( *\d+)? ?(.*)", re.DOTALL)
_GAP = re.compile(r" +\.\.\.")
_KINDS = {"+": "added", "-": "removed", " ": "same"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`sign` is `+`, `-` or a space; `number` is empty where it is not known."""

    sign: str
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    lines: tuple[DiffLine, ...]

    @property
    def added(self) -> int:
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.sign == "-" for line in self.lines)

    def drawn(self) -> Markup:
        """Return the lines as a block of code."""
        numbered = any(line.number for line in self.lines)
        pieces = Markup().join(_drawn(line, numbered=numbered) for line in self.lines)
        counts = Markup('<span class="plus">+{}</span><span class="minus">\u2212{}</span>').format(
            self.added, self.removed
        )
        return Markup(
            '<div class="code diff"><div class="head"><span class="lang">diff</span>{}</div>'
            '<pre tabindex="0"><code>{}</code></pre></div>'
        ).format(counts, pieces)


def between(old: str, new: str) -> Diff:
    """Compare two texts line by line; very long ones by their ends alone."""
    before, after = lines_of(old), lines_of(new)
    if len(before) + len(after) > _MOST_COMPARED:
        return Diff(tuple(_by_ends(before, after)))
    found: list[DiffLine] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found += (DiffLine(" ", "", text) for text in before[start:end])
        else:
            found += (DiffLine("-", "", text) for text in before[start:end])
            found += (DiffLine("+", "", text) for text in after[new_start:new_end])
    return Diff(tuple(found))


def numbered(text: str) -> Diff | None:
    """Read the diff that pi's edit tool keeps in `details.diff`: a sign, a line number, the line.

    None if a line is none of that.
    """
    found: list[DiffLine] = []
    for line in lines_of(text):
        if _GAP.fullmatch(line):
            found.append(DiffLine(" ", "", "\u2026"))
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[2] is None:
            return None
        found.append(DiffLine(match[1], match[2].strip(), match[3]))
    return Diff(tuple(found)) if found else None


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; a newline at its end begins none."""
    return text.removesuffix("\n").split("\n") if text else []


def _by_ends(before: Sequence[str], after: Sequence[str]) -> Iterator[DiffLine]:
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    yield from (DiffLine(" ", "", text) for text in before[:start])
    yield from (DiffLine("-", "", text) for text in before[start : len(before) - end])
    yield from (DiffLine("+", "", text) for text in after[start : len(after) - end])
    yield from (DiffLine(" ", "", text) for text in before[len(before) - end :])


def _drawn(line: DiffLine, *, numbered: bool) -> Markup:
    number = Markup("<i>{}</i>").format(line.number) if numbered else Markup()
    return Markup('<span class="line {}">{}<i class="sign">{}</i>{}\n</span>').format(
        _KINDS[line.sign], number, line.sign, visible(line.text)
    )
