"""What a person types to search: words, "a phrase", `begin*`, `-without`, `OR`, and filters as `project:web`.

Nothing of it is passed over in silence: what is not understood is told in `problems`.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pi_opensync.dashboard.folding import fold, words_of

MAX_QUERY = 500
MAX_TERMS = 24
# A shorter beginning would gather a good part of all there is.
LEAST_BEGINNING = 2

ROLES = {
    "user": "user",
    "you": "user",
    "me": "user",
    "assistant": "assistant",
    "agent": "assistant",
    "system": "system",
    "tool": "tool",
    "unknown": "unknown",
}
KINDS = ("fork", "subagent", "error")
NAMES = ("project", "model", "role", "tool", "file", "source", "machine", "before", "after", "is")

_PIECE = re.compile(r'(-?)(?:([A-Za-z]+):)?(?:"((?:\\"|[^"])*)("?)|([^\s"]+))(\*?)|"')
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_AGO = re.compile(r"(\d{1,4})([dwmy])", re.ASCII)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_CONTROLS = re.compile(r"[\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or a phrase that is looked for literally, with its signs.

    `begins`: longer words that begin so are meant too.
    """

    text: str
    begins: bool = False
    is_phrase: bool = False

    @property
    def words(self) -> list[str]:
        """The words that the index is asked for; one that ends with `*` is a beginning."""
        words = words_of(fold(self.text))
        if self.begins and words and not words[-1].endswith("*"):
            words[-1] += "*"
        return words

    @property
    def is_exact(self) -> bool:
        """Whether what the index finds needs no second look: it knows words, but not what stands beside."""
        words = self.words
        return len(words) == 1 and (not self.is_phrase or words[0].rstrip("*") == fold(self.text))


@dataclass(frozen=True, slots=True)
class Filter:
    """`name` is one of `NAMES`; what it names must fit, or with `excludes` must not."""

    name: str
    value: str
    excludes: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Of each of `groups` one term must occur, and none of `without`.

    `after` is the first day, `before` the first that is too late. `problems` say what was not understood.
    """

    groups: tuple[tuple[Term, ...], ...] = ()
    without: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    after: date | None = None
    before: date | None = None
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.groups or self.without or self.filters or self.after or self.before)

    @property
    def terms(self) -> tuple[Term, ...]:
        """All that a hit shows marked."""
        return tuple(term for group in self.groups for term in group)

    def widened(self) -> "Query":
        """Return the query with all longer words meant too that begin with its words."""
        groups = (tuple(_widened(term) for term in group) for group in self.groups)
        return replace(self, groups=tuple(groups))


def parse(text: str, today: date | None = None) -> Query:
    """Read what a person types; days as `7d` are counted back from `today`."""
    reader = _Reader(today)
    if len(text) > MAX_QUERY:
        reader.problems.append(f"Only the first {MAX_QUERY} characters are looked at.")
    for piece in _PIECE.finditer(_CONTROLS.sub(" ", text[:MAX_QUERY])):
        if piece[0] == '"':
            continue
        minus, name, phrase, end, word, star = piece.groups()
        if phrase is not None and not end:
            reader.problems.append("A quote is not closed: all after it is taken as one phrase.")
        if phrase is not None:
            value = phrase.replace('\\"', '"')
            reader.take(minus, name, value, star, is_phrase=True)
        else:
            reader.take(minus, name, word, "*" if word.endswith("*") else star, is_phrase=False)
    return reader.query()


class _Reader:
    def __init__(self, today: date | None) -> None:
        self.problems: list[str] = []
        self._today = today
        self._groups: list[tuple[Term, ...]] = []
        self._without: list[Term] = []
        self._filters: list[Filter] = []
        self._days: dict[str, date] = {}
        self._is_or = False

    def query(self) -> Query:
        if self._is_or:
            self.problems.append("OR stands between two words.")
        groups = self._groups
        if self._without and not groups:
            self.problems.append("What must not occur needs a word that must.")
        if len(groups) > MAX_TERMS:
            self.problems.append(f"Only the first {MAX_TERMS} words are looked for.")
        return Query(
            groups=tuple(groups[:MAX_TERMS]),
            without=tuple(self._without[:MAX_TERMS]),
            filters=tuple(self._filters[:MAX_TERMS]),
            after=self._days.get("after"),
            before=self._days.get("before"),
            problems=tuple(dict.fromkeys(self.problems)),
        )

    def take(self, minus: str, name: str | None, value: str, star: str, *, is_phrase: bool) -> None:
        if name is None and not is_phrase and value.endswith(":") and value[:-1].lower() in NAMES:
            name, value = value[:-1], ""
        if name is not None and name.lower() in NAMES:
            self._filter(name.lower(), value.rstrip("*") if not is_phrase else value, excludes=bool(minus))
            return
        if name is not None:
            if value[:1].isalpha():
                self.problems.append(f"{name}: is no filter ({', '.join(NAMES)}); its words are looked for.")
            value = f"{name}:{value}"
        if not is_phrase and not minus and value == "OR":
            self._or()
        elif not is_phrase and not minus and value == "AND":
            pass  # all words are meant anyway
        elif not is_phrase and not minus and value == "NOT":
            self.problems.append("For what must not occur write -word; NOT is left out.")
        else:
            self._term(value, star, is_phrase=is_phrase, excludes=bool(minus))

    def _or(self) -> None:
        if not self._groups or self._is_or:
            self.problems.append("OR stands between two words.")
        else:
            self._is_or = True

    def _term(self, value: str, star: str, *, is_phrase: bool, excludes: bool) -> None:
        text = value if is_phrase else value.rstrip("*")
        term = Term(text.strip(), begins=bool(star), is_phrase=is_phrase)
        if not term.words:
            if text.strip():
                self.problems.append(f"{text.strip()} has no letter or digit, and is not looked for.")
            return
        if term.begins and len(text) < LEAST_BEGINNING and not term.words[-1].startswith(text[0] * 2):
            self.problems.append(f"{text}* is too short a beginning; {text} itself is looked for.")
            term = replace(term, begins=False)
        if excludes:
            self._without.append(term)
        elif self._is_or:
            self._groups[-1] = (*self._groups[-1], term)
            self._is_or = False
        else:
            self._groups.append((term,))

    def _filter(self, name: str, value: str, *, excludes: bool) -> None:
        value = value.strip()
        if not value:
            self.problems.append(f"{name}: needs a value.")
        elif name in ("before", "after"):
            day = _day(value, self._today)
            if excludes or day is None:
                self.problems.append(f"{name}: takes a day as 2026-01-31, 2026-01 or 7d, not {value}.")
            else:
                self._days[name] = day
        elif name == "role" and value.lower() not in ROLES:
            self.problems.append(f"role: is one of {', '.join(dict.fromkeys(ROLES.values()))}, not {value}.")
        elif name == "is" and value.lower().rstrip("s") not in KINDS:
            self.problems.append(f"is: is one of {', '.join(KINDS)}, not {value}.")
        else:
            if name == "role":
                value = ROLES[value.lower()]
            elif name == "is":
                value = value.lower().rstrip("s")
            self._filters.append(Filter(name, value, excludes))


def _widened(term: Term) -> Term:
    return replace(term, begins=term.begins or (not term.is_phrase and len(term.text) > LEAST_BEGINNING))


def _day(text: str, today: date | None) -> date | None:
    text = text.lower()
    if today is not None and text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    try:
        if today is not None and (ago := _AGO.fullmatch(text)):
            return today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
        if match := _DATE.fullmatch(text):
            return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except (ValueError, OverflowError):
        return None
    return None
