"""Takes the secrets out of every string that would leave this machine.

Redaction runs on the whole string, before any text is shortened, so that a cut never parts a secret from
what gives it away.
"""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pi_opensync.privacy.redact.engine import JUDGED, Hit, Match, Meter, OverBudget, Text, replace
from pi_opensync.privacy.redact.learned import LearnedValues
from pi_opensync.privacy.redact.personal import (
    NAME_GOES_ON,
    Finder,
    find_emails,
    home_forms,
    literal_finder,
    own_key_forms,
    pattern_finder,
)
from pi_opensync.privacy.redact.rules import EMAIL, HOME, OWN_KEY, USER_PATTERN, engine
from pi_opensync.privacy.redact.values import is_secret

_MOST_PASSES = 8
_NAME_FIELDS = ("name", "key", "Name", "Key", "header")
_HEADERS = ("authorization", "cookie")
_VALUE_FIELDS = ("value", "Value")
_SHORT = 120  # characters
_MOST_REMEMBERED = 4096


Step = Callable[[Text], list[Match]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was replaced: the rule that found it, and how many bytes of UTF-8 it had."""

    rule: str
    size: int


class Redactor:
    """Replaces each secret by `[REDACTED:<rule>]`.

    own_key: the configured OpenSync key. patterns: the user's, in RE2 syntax. emails: also e-mail addresses.
    home: the home folder, to replace wherever a path shows it.
    Raises ValueError naming a bad pattern, or for an own key that is too short to look for.
    """

    def __init__(
        self,
        *,
        own_key: str | None = None,
        patterns: Sequence[str] = (),
        emails: bool = False,
        home: str | None = None,
    ) -> None:
        self._own_key: Step | None = None
        self._own_forms: tuple[bytes, ...] = ()
        if own_key:
            self._own_forms = tuple(own_key_forms(own_key))
            self._own_key = functools.partial(_disjoint, OWN_KEY.name, literal_finder(self._own_forms))
        options: list[tuple[str, Finder]] = [(USER_PATTERN.name, pattern_finder(each)) for each in patterns]
        if emails:
            options.append((EMAIL.name, find_emails))
        if home:
            options.append((HOME.name, literal_finder(home_forms(home), name_goes_on=NAME_GOES_ON)))
        self._options: tuple[Step, ...] = tuple(functools.partial(_disjoint, *option) for option in options)
        self._engine = engine()
        self._clean: set[str] = set()
        self.found: Counter[str] = Counter()

    def text(self, value: str) -> str:
        """The text without its secrets; the same object if there are none. Raises OverBudget."""
        redacted, findings = self.scan(value)
        if findings:
            self.found.update(finding.rule for finding in findings)
        return redacted

    def message(self) -> "MessageRedactor":
        """A redactor for the strings of one message: what is a secret in one of them is one in all."""
        return MessageRedactor(self, LearnedValues())

    def scan(
        self, value: str, meter: Meter | None = None, known: LearnedValues | None = None
    ) -> tuple[str, tuple[Finding, ...]]:
        """The text without its secrets, and what was replaced; changes nothing of the redactor.

        The own key goes first, then what the rules find and where it stands again, then what the user chose
        to redact besides: the other way round an option could cut a secret in two.
        known: the secrets of the message that the text is part of; those of this text are added.
        Raises OverBudget if the text costs more work than its length allows, or than the meter given.
        """
        by_itself = known is None or not known.values
        if by_itself and value in self._clean:
            return value, ()
        data = value.encode("utf-8", "surrogatepass")
        meter = Meter.for_size(len(data)) if meter is None else meter
        hits = None
        if by_itself and not self._options and not any(form in data for form in self._own_forms):
            hits = self._engine.hits(data, meter)
            if not any(hits):
                self._remember(value)
                return value, ()
        redacted, findings = self._passes(data, meter, LearnedValues() if known is None else known, hits)
        if findings:
            return redacted.decode("utf-8", "surrogatepass"), tuple(findings)
        if by_itself:
            self._remember(value)
        return value, ()

    def _remember(self, clean: str) -> None:
        """Short texts come again and again: names of models, projects and tools, keys of arguments."""
        if len(clean) <= _SHORT:
            if len(self._clean) >= _MOST_REMEMBERED:
                self._clean.clear()
            self._clean.add(clean)

    def _passes(
        self, data: bytes, meter: Meter, known: LearnedValues, hits: list[Hit | None] | None
    ) -> tuple[bytes, list[Finding]]:
        """Looks until nothing more is found; `hits` are the rules' of the text as it is, where known."""
        findings: list[Finding] = []

        def replaced(data: bytes, found: Sequence[Match]) -> bytes:
            findings.extend(Finding(each.rule, each.end - each.start) for each in found)
            return replace(data, found) if found else data

        for _ in range(_MOST_PASSES):
            before = len(findings)
            text = Text(data, meter)
            if self._own_key is not None and (own := self._own_key(text)):
                data = replaced(data, own)
                text = Text(data, meter)
            found = self._engine.findings(text, hits or self._engine.hits(data, meter))
            hits = None
            for each in found:
                known.learn(data[each.start : each.end], each.rule)
            data = replaced(data, found)
            if known.values:
                data = replaced(data, known.repeats(Text(data, meter)))
            for find in self._options:
                data = replaced(data, find(Text(data, meter)))
            if len(findings) == before:
                return data, findings
        raise OverBudget(f"still finding secrets after {_MOST_PASSES} passes")

    def json(self, value: object) -> object:
        """A JSON value without its secrets, in keys as in values; the same object if there are none.

        A string also counts as the value of the name that it stands under: an object's key, the name in
        `{"name": ..., "value": ...}`, or the flag before it in a list. Raises OverBudget.
        """
        redacted, findings = self.scan_json(value)
        self.found.update(finding.rule for finding in findings)
        return redacted

    def scan_json(
        self, value: object, known: LearnedValues | None = None
    ) -> tuple[object, tuple[Finding, ...]]:
        """As `json`, with what was replaced; changes nothing of the redactor. known: as of `scan`."""
        known = LearnedValues() if known is None else known
        findings: list[Finding] = []
        before = len(known.values)
        redacted = self._walk(value, "", findings, known)
        if len(known.values) > before:  # a string that was looked at before may hold one too
            findings.clear()
            redacted = self._walk(value, "", findings, known)
        return redacted, tuple(findings)

    def _walk(self, value: object, name: str, findings: list[Finding], known: LearnedValues) -> object:
        match value:
            case str():
                return self._string(value, name, findings, known)
            case dict():
                return self._object(value, findings, known)
            case list():
                return self._list(value, name, findings, known)
            case _:
                return value

    def _object(
        self, value: dict[str, object], findings: list[Finding], known: LearnedValues
    ) -> dict[str, object]:
        named = next((value[field] for field in _NAME_FIELDS if isinstance(value.get(field), str)), "")
        redacted: dict[str, object] = {}
        same = True
        for key, each in value.items():
            new_key = _unused(self._string(key, "", findings, known), redacted)
            new = self._walk(each, str(named) if named and key in _VALUE_FIELDS else key, findings, known)
            redacted[new_key] = new
            same = same and new_key == key and new is each
        return value if same else redacted

    def _list(
        self, value: list[object], name: str, findings: list[Finding], known: LearnedValues
    ) -> list[object]:
        redacted: list[object] = []
        flag = ""
        for each in value:
            redacted.append(self._walk(each, flag or name, findings, known))
            flag = each if isinstance(each, str) and each.startswith("-") and "=" not in each else ""
        return value if all(old is new for old, new in zip(value, redacted, strict=True)) else redacted

    def _string(self, value: str, name: str, findings: list[Finding], known: LearnedValues) -> str:
        header = f"{name}: " if name.lower().endswith(_HEADERS) else ""
        redacted, found = self.scan(header + value, known=known)
        if not redacted.startswith(header):
            header = ""
            redacted, found = self.scan(value, known=known)
        if found:
            findings += found
            return redacted[len(header) :]
        label, data = name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass")
        if not is_secret(label, data[:JUDGED], quoted=True):
            return value
        known.learn(data, "assignment")
        findings.append(Finding("assignment", len(data)))
        return "[REDACTED:assignment]"


class MessageRedactor:
    """Redacts the strings of one message with the values that were found in any of them so far."""

    def __init__(self, redactor: Redactor, known: LearnedValues) -> None:
        self._redactor = redactor
        self._known = known
        self._found: list[str] = []
        self._strings = 0

    def text(self, value: str) -> str:
        """As the redactor's, counted only by `done`."""
        redacted, findings = self._redactor.scan(value, known=self._known)
        self._add(findings)
        return redacted

    def json(self, value: object) -> object:
        """As the redactor's, counted only by `done`."""
        redacted, findings = self._redactor.scan_json(value, self._known)
        self._add(findings)
        return redacted

    def again(self) -> "MessageRedactor | None":
        """One that knows all values from the start; None where that could change nothing."""
        return (
            MessageRedactor(self._redactor, self._known) if self._known.values and self._strings > 1 else None
        )

    def more(self) -> "MessageRedactor":
        """One for further strings of the same message."""
        return MessageRedactor(self._redactor, self._known)

    def knows(self) -> bool:
        """Whether a secret was found in it."""
        return bool(self._known.values)

    def done(self) -> None:
        """Counts what was replaced."""
        if self._found:
            self._redactor.found.update(self._found)

    def _add(self, findings: Sequence[Finding]) -> None:
        self._strings += 1
        if findings:
            self._found += [finding.rule for finding in findings]


def _unused(key: str, taken: dict[str, object]) -> str:
    """The key, numbered if two secrets in keys became the same marker: no value may be lost."""
    unique, count = key, 1
    while unique in taken:
        count += 1
        unique = f"{key}-{count}"
    return unique


def _disjoint(rule: str, find: Finder, text: Text) -> list[Match]:
    """The findings in order, without those that overlap another, or a marker."""
    kept: list[Match] = []
    for start, end in sorted(find(text.data, text.meter)):
        if not text.in_marker(start, end) and (not kept or start >= kept[-1].end):
            kept.append(Match(start, end, rule))
    return kept
