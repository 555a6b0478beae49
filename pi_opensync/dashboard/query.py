"""What a person types to search: words that must all occur, "a phrase", `begin*`."""

import re
from dataclasses import dataclass

MAX_QUERY = 200
MAX_WORDS = 12
# A shorter beginning would gather a good part of all there is.
LEAST_BEGINNING = 3

_TERM = re.compile(r'"([^"]*)"|(\S+)')
_QUOTES = re.compile(r'["\x00-\x1f]+')
_HAS_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase; `begins` if longer words that begin so are meant too."""

    text: str
    begins: bool


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...]

    def widened(self) -> "Query":
        """Return the query with all longer words meant too that begin with its words."""
        terms = (Term(term.text, begins=len(term.text) >= LEAST_BEGINNING) for term in self.terms)
        return Query(tuple(terms))


def parse(text: str) -> Query | None:
    """Read what a person types. None if there is no word in it."""
    terms: list[Term] = []
    for phrase, word in _TERM.findall(text[:MAX_QUERY]):
        term = _QUOTES.sub(" ", (phrase or word).rstrip("*")).strip()
        if _HAS_WORD.search(term):
            begins = (phrase or word).endswith("*") and len(term) >= LEAST_BEGINNING
            terms.append(Term(term, begins=begins))
    return Query(tuple(terms[:MAX_WORDS])) if terms else None
