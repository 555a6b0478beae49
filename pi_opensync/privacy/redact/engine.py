"""Finding secrets in one string: RE2 passes over it for two triggers, then a bounded look around each hit.

A trigger is the union of its rules' openings (a literal lead and what must follow), one of the issuers' marks
and one of everything else. Clean text costs the two passes and nothing else, for which the automata need few
states, as these are made while text is read: a lead that must start a token is tried only there, and repeats
have no upper bound, which would have to be counted. In one trigger the states of both would multiply.
Around a hit, a rule looks with `re` patterns in which neighbouring unbounded repeats never share a character,
so that they cannot backtrack more than their own length. What is looked at is charged to a `Meter`; a string
that costs more than its budget raises `OverBudget`.
"""

import bisect
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

Tier = Literal["A", "B", "C", "D"]

MARKER_OPEN = b"[REDACTED:"
MARKER = re.compile(rb"\[REDACTED:[a-z0-9-]{1,40}\]")

_HIT_COST = 96
_LONGEST_LEAD = 64
JUDGED = 256
_JUDGING_COST = 8
_BUDGET_FLOOR = 1 << 20
_BUDGET_PER_BYTE = 32

# A token may also begin right after an escape (\n, \u001b), a percent-encoded byte, or a colour code.
_ESCAPE = rb"(?:\\[abfnrtv]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|\[[0-9;]{0,12}[mK])"
_AFTER_ESCAPE = re.compile(_ESCAPE + rb"\Z")
_OPENS_WITH_ESCAPE = re.compile(_ESCAPE)
_ESCAPE_SIGNS = b"\\%["
_TOKEN_STARTS = rb"(?:\b|" + _ESCAPE.replace(rb"{0,12}", rb"*") + rb")"
_ESCAPE_LETTERS = (b"a", b"b", b"f", b"n", b"r", b"t", b"v")
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class OverBudget(Exception):  # noqa: N818  # a limit reached, as TimeoutExpired; the public name is agreed on
    """A string cost more work than its budget allows. It must not be sent: its rest was not looked at."""


class Meter:
    """Work done on one string, in bytes looked at (a hit costs a few by itself)."""

    __slots__ = ("limit", "spent")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.spent = 0

    @classmethod
    def for_size(cls, size: int) -> "Meter":
        return cls(_BUDGET_FLOOR + _BUDGET_PER_BYTE * size)

    def charge(self, work: int) -> None:
        """Raises OverBudget once the limit is passed."""
        self.spent += work
        if self.spent > self.limit:
            raise OverBudget(f"redaction needs more than {self.limit} units of work")


class Text:
    """What a rule sees: the UTF-8 bytes, the end of the last finding, and the meter to charge."""

    __slots__ = ("_marker_ends", "_marker_starts", "_runs", "data", "floor", "meter")

    def __init__(self, data: bytes, meter: Meter) -> None:
        self.data = data
        self.meter = meter
        self.floor = 0
        self._runs: dict[re.Pattern[bytes], tuple[int, int]] = {}
        markers = [match.span() for match in MARKER.finditer(data)] if MARKER_OPEN in data else []
        self._marker_starts = [start for start, _ in markers]
        self._marker_ends = [end for _, end in markers]

    def weigh(self, value: bytes) -> bytes:
        """As much of a value as is needed to judge it, which is charged: judging costs more than matching."""
        head = value[:JUDGED]
        self.meter.charge(len(value) + _JUDGING_COST * len(head))
        return head

    def run_end(self, one_class: re.Pattern[bytes], at: int) -> int:
        """Where the run of one class of characters ends that `at` stands in; no run is looked at twice."""
        start, end = self._runs.get(one_class, (0, 0))
        if not start <= at < end:
            match = one_class.match(self.data, at)
            start, end = at, at if match is None else match.end()
            self._runs[one_class] = start, end
            self.meter.charge(end - start)
        return end

    def in_marker(self, start: int, end: int) -> bool:
        """Whether any of it is a `[REDACTED:...]` that already stands there."""
        at = bisect.bisect_right(self._marker_ends, start)
        return at < len(self._marker_starts) and self._marker_starts[at] < end

    def past_escape(self, at: int) -> int:
        """Behind the letter of an escape such as n, where a run of letters began with it."""
        letter = (
            at > self.floor and self.data[at - 1] == ord("\\") and self.data[at : at + 1] in _ESCAPE_LETTERS
        )
        return at + 1 if letter else at

    def starts_token(self, at: int) -> bool:
        if at <= self.floor or self.data[at - 1] not in _WORD:
            return True
        return _AFTER_ESCAPE.search(self.data, max(self.floor, at - 16), at) is not None


Hit = tuple[int, int]
Spans = Sequence[tuple[int, int]]
NOTHING: Spans = ()


class Find(Protocol):
    """From a hit's position to the byte ranges of the secrets there; none if it is no secret after all."""

    def __call__(self, text: Text, at: int, /) -> Spans: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    leads: the literals that open it (lower case if `fold`, which ignores case).
    follow: what must come next, as a bounded RE2 pattern.
    source: the issuer's page, or the standard, that the form is taken from.
    shape: the whole form as a pattern, where it has one; what the rules' table shows is made from it.
    opening: the whole trigger, where leads and what follows do not say it; a hit still begins with a lead.
    token: a lead counts only where a token starts (`Text.starts_token`), which the rule looks at itself.
    """

    name: str
    tier: Tier
    source: str
    leads: tuple[bytes, ...] = ()
    follow: bytes = b""
    find: Find = field(default=lambda _text, _at: NOTHING, repr=False)
    fold: bool = False
    shape: bytes = b""
    token: bool = False
    opening: bytes = b""


@dataclass(frozen=True, slots=True)
class Match:
    """A secret's byte range and the rule that names it."""

    start: int
    end: int
    rule: str


class RuleEngine:
    """A set of rules compiled into two triggers."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        issuers, others = (
            [rule for rule in rules if (rule.tier == "A" or rule.token) is side] for side in (True, False)
        )
        self._triggers = tuple(_trigger(each) for each in (issuers, others) if each)
        self._by_opening: dict[bytes, list[Rule]] = {}
        for rule in rules:
            for opening in {each for lead in rule.leads for each in _first_two(lead, fold=rule.fold)}:
                self._by_opening.setdefault(opening, []).append(rule)

    def hit(self, data: bytes, at: int = 0, trigger: int = 0) -> Hit | None:
        """Where this trigger matches next, and where its match ends, if it does."""
        match = self._triggers[trigger].search(data, at)
        return None if match is None else match.span()

    def hits(self, data: bytes, meter: Meter) -> list[Hit | None]:
        """Where each trigger matches first. Raises OverBudget."""
        meter.charge(len(data))
        return [None if (match := each.search(data)) is None else match.span() for each in self._triggers]

    def findings(self, text: Text, hits: list[Hit | None]) -> list[Match]:
        """Every secret, left to right, not overlapping; `hits` are this text's. Raises OverBudget."""
        data, meter = text.data, text.meter
        found: list[Match] = []
        while any(hits):
            at, end = min(hit for hit in hits if hit is not None)
            meter.charge(_HIT_COST + end - at)
            here = self._at(text, at)
            if not here and (lead := _behind_escape(data, at)) != at:
                here = self._at(text, lead)
            if here:
                found.extend(here)
                text.floor = here[-1].end
            after = max(at + 1, text.floor)
            for trigger, hit in enumerate(hits):
                if hit is not None and hit[0] < after:
                    hits[trigger] = self.hit(data, after, trigger)
        return found

    def _at(self, text: Text, at: int) -> list[Match]:
        opening = text.data[at : at + _LONGEST_LEAD]
        folded = opening.lower()
        for rule in self._by_opening.get(opening[:2], ()):
            if not (folded if rule.fold else opening).startswith(rule.leads):
                continue
            found = [
                Match(
                    start, end, rule.name if rule.tier == "A" else self._issuer(text, start, end) or rule.name
                )
                for start, end in map(functools.partial(_whole_characters, text.data), rule.find(text, at))
                if start >= text.floor and not text.in_marker(start, end)
            ]
            if found:
                return found
        return []

    def _issuer(self, text: Text, start: int, end: int) -> str | None:
        """The prefix rule that names this whole value, where a rule by context found it first."""
        for rule in self._by_opening.get(text.data[start : start + 2], ()):
            if rule.tier == "A" and text.data.startswith(rule.leads, start):
                spans = rule.find(text, start)
                if spans and spans[0][0] == start and spans[0][1] >= end:
                    return rule.name
        return None


def replace(data: bytes, found: Sequence[Match]) -> bytes:
    """The text with `[REDACTED:<rule>]` in place of each finding."""
    pieces: list[bytes] = []
    done = 0
    for each in found:
        pieces += data[done : each.start], MARKER_OPEN, each.rule.encode(), b"]"
        done = each.end
    pieces.append(data[done:])
    return b"".join(pieces)


def prefixed(
    body: bytes,
    *,
    guard: bool = True,
    keep: Callable[[bytes], bool],
    lead: bytes = b"",
    fold: bool = False,
) -> Find:
    """Finds a lead followed by `body`; with a group in `body` only the group is the secret.

    guard: the lead must start a token. keep: False for a body that is only a placeholder.
    lead: a pattern for the lead, where `leads` alone does not say where it ends.
    """
    pattern = re.compile(lead + body, re.IGNORECASE if fold else re.NOFLAG)

    def find(text: Text, at: int) -> Spans:
        if guard and not text.starts_token(at):
            return NOTHING
        match = pattern.match(text.data, at)
        if match is None:
            return NOTHING
        start, end = match.span(1) if pattern.groups else match.span()
        return ((start, end),) if keep(text.weigh(text.data[start:end])) else NOTHING

    return find


def _trigger(rules: Sequence[Rule]) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 64 << 20
    options.never_capture = True
    options.log_errors = False
    tokens = _any_of(rule for rule in rules if _is_token(rule))
    others = _any_of(rule for rule in rules if not _is_token(rule))
    both = (_TOKEN_STARTS + b"(?:" + tokens + b")" if tokens else b"", others)
    return re2.compile(b"|".join(each for each in both if each), options)


def _any_of(rules: Iterable[Rule]) -> bytes:
    """The openings, those that begin alike side by side, where RE2 makes one of what they share."""
    return b"|".join(sorted(opening for rule in rules for opening in _openings(rule)))


def _is_token(rule: Rule) -> bool:
    return rule.token and all(lead[0] in _WORD for lead in rule.leads)


def _behind_escape(data: bytes, at: int) -> int:
    """Where the lead of a hit stands that opened with the escape in front of it."""
    if data[at] not in _ESCAPE_SIGNS:
        return at
    escape = _OPENS_WITH_ESCAPE.match(data, at)
    return at if escape is None else escape.end()


def _openings(rule: Rule) -> list[bytes]:
    if rule.opening:
        return [_without_bounds(rule.opening)]
    follow = _without_bounds(rule.follow)
    leads = [bytes(re2.escape(lead)) for lead in rule.leads]
    return [(b"(?i:%s)%s" if rule.fold else b"%s(?:%s)") % (lead, follow) for lead in leads]


_BOUNDED = re.compile(rb"(\\\\|\[ \\t\]|\\s|\[0-9;?\]|[)])\{([01]),[0-9]{1,3}\}")


def _without_bounds(pattern: bytes) -> bytes:
    """The pattern without bounds where they would only multiply the automaton's states.

    Runs of backslashes, of white space and of digits need none, for no lead can stand in one; what may hold
    letters keeps its bound, or each of many hits would look at all that is behind it.
    """
    return _BOUNDED.sub(lambda bound: bound.group(1) + (b"*" if bound.group(2) == b"0" else b"+"), pattern)


def _first_two(lead: bytes, *, fold: bool) -> Iterator[bytes]:
    """What a hit with this lead may begin with."""
    cases = [{each, each ^ 0x20} if fold and chr(each).isalpha() else {each} for each in lead[:2]]
    for first in cases[0]:
        for second in cases[1] if len(cases) > 1 else range(256):
            yield bytes((first, second))


def _whole_characters(data: bytes, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    while start > 0 and data[start] & 0xC0 == 0x80:  # noqa: PLR2004  # UTF-8 continuation bytes
        start -= 1
    while end < len(data) and data[end] & 0xC0 == 0x80:  # noqa: PLR2004  # UTF-8 continuation bytes
        end += 1
    return start, end
