"""Search over every message: SQLite's FTS5 finds them, newest first, and the words around a hit show why."""

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

from pi_opensync.dashboard.db.parts import load_parts
from pi_opensync.dashboard.db.transcript import Part, searchable

MAX_QUERY = 200
MAX_WORDS = 12
# A shorter beginning would gather a good part of all there is.
_LEAST_BEGINNING = 3
_CONTEXT = 90
_CHUNK = 1 << 16

# Chinese, Japanese and Korean write no spaces: each sign is made a word, and a run of them a phrase.
_CJK = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
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

    @property
    def match(self) -> str:
        """The query as FTS5 wants it."""
        words = (f'"{_spaced(term.text)}"{" *" if term.begins else ""}' for term in self.terms)
        return f"body : ({' AND '.join(words)})"

    def widened(self) -> "Query":
        """Return the query with all longer words meant too that begin with its words."""
        terms = (Term(term.text, begins=len(term.text) >= _LEAST_BEGINNING) for term in self.terms)
        return Query(tuple(terms))


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of text, in runs; every second run, from the second on, is a hit."""

    runs: tuple[str, ...]


def parse(text: str) -> Query | None:
    """Read what a person types: words that must all occur, "a phrase", `begin*`. None if there is no word."""
    terms: list[Term] = []
    for phrase, word in _TERM.findall(text[:MAX_QUERY]):
        term = _QUOTES.sub(" ", (phrase or word).rstrip("*")).strip()
        if _HAS_WORD.search(term):
            begins = (phrase or word).endswith("*") and len(term) >= _LEAST_BEGINNING
            terms.append(Term(term, begins=begins))
    return Query(tuple(terms[:MAX_WORDS])) if terms else None


def scoped(query: Query, session_id: int) -> str:
    return f"({query.match}) AND scope : {_scope(session_id)}"


def learn_words(
    con: sqlite3.Connection, message_id: int, session_id: int, text: str | None, parts: list[Part]
) -> None:
    con.execute(
        "INSERT INTO search (rowid, body, scope) VALUES (?, ?, ?)",
        (message_id, _spaced(searchable(text, parts)), _scope(session_id)),
    )


def forget_words(
    con: sqlite3.Connection, message_id: int, session_id: int, text: str | None, parts: list[Part]
) -> None:
    con.execute(
        "INSERT INTO search (search, rowid, body, scope) VALUES ('delete', ?, ?, ?)",
        (message_id, _spaced(searchable(text, parts)), _scope(session_id)),
    )


def relearn_words(con: sqlite3.Connection) -> None:
    """Make the index anew from all messages: `searchable` finds other words in them than it did."""
    con.execute("INSERT INTO search (search) VALUES ('delete-all')")
    for message_id, session_id, text in con.execute(
        "SELECT id, session_id, text_content FROM messages ORDER BY id"
    ):
        learn_words(con, message_id, session_id, text, load_parts(con, message_id))


def snippet(text: str, query: Query) -> Snippet:
    """Return the words around the first place where a term stands, all terms in it marked."""
    pattern = _pattern(query)
    for start in range(0, max(len(text), 1), _CHUNK):
        piece = text[start : start + _CHUNK + MAX_QUERY]
        match = pattern.search(fold(piece))
        if match:
            left = max(0, start + match.start() - _CONTEXT)
            return _marked(text, left, start + match.end() + 2 * _CONTEXT, pattern)
    return _marked(text, 0, 3 * _CONTEXT, pattern)


def fold(text: str) -> str:
    """Lower case without accents, one character for each, so that places in it are places in the text."""
    return text.translate(_FOLDED)


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFD", chr(code))[:1].lower()
        folded = base if len(base) == 1 else chr(code)
        self[code] = folded
        return folded


_FOLDED = _Folds()


def _pattern(query: Query) -> re.Pattern[str]:
    # FTS5 cuts words at everything that is no letter or digit, so "a_b" and "a b" are the same two words.
    terms = []
    for term in query.terms:
        words = [re.escape(word) for word in re.split(r"[\W_]+", fold(term.text)) if word]
        is_cjk = _CJK.search(term.text) is not None
        begin = "" if is_cjk else r"(?<![^\W_])"
        end = "" if is_cjk or term.begins else r"(?![^\W_])"
        terms.append(begin + r"[\W_]{1,40}".join(words) + end)
    return re.compile("|".join(terms))


def _marked(text: str, left: int, right: int, pattern: re.Pattern[str]) -> Snippet:
    if left > 0:
        space = text.find(" ", left, left + 20)
        left = space + 1 if space >= 0 else left
    piece = re.sub(r"\s+", " ", text[left:right])
    runs = []
    end = 0
    for match in pattern.finditer(fold(piece)):
        runs += [piece[end : match.start()], piece[match.start() : match.end()]]
        end = match.end()
    runs.append(piece[end:])
    runs[0] = ("… " if left > 0 else "") + runs[0]
    runs[-1] += " …" if right < len(text) else ""
    return Snippet(tuple(runs))


def _spaced(text: str) -> str:
    return _CJK.sub(r" \1 ", text)


def _scope(session_id: int) -> str:
    return f"session{session_id}"
