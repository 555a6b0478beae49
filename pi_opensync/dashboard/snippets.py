"""The words around a hit, which show why it is one."""

import re
import unicodedata
from dataclasses import dataclass

from pi_opensync.dashboard.query import MAX_QUERY, Query

_CONTEXT = 90
_CHUNK = 1 << 16

# Chinese, Japanese and Korean write no spaces.
CJK = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
# The marks around thinking are no words of the message.
_EDGES = re.compile(r"^[ \t]*</?thinking>[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of text, in runs; every second run, from the second on, is a hit."""

    runs: tuple[str, ...]


def snippet(text: str, query: Query) -> Snippet:
    """Return the words around the first place where a term stands, all terms in it marked."""
    text = _EDGES.sub("", text)
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
        is_cjk = CJK.search(term.text) is not None
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
