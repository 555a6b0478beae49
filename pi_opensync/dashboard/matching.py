"""Whether and where a text holds what is looked for: what the index, which knows words alone, leaves open."""

import re

from pi_opensync.dashboard.folding import UNSPACED, fold, is_word
from pi_opensync.dashboard.query import Query, Term

_UNSPACED = re.compile(f"[{UNSPACED}]")
_SPACE = re.compile(r"\s+")
_BETWEEN = r"[\W_]{1,40}"  # what may stand between the words of one that was typed with signs in it
# A sign of a script without spaces ends a word, as it does in the index.
_NO_WORD_BEFORE = rf"(?<![^\W_{UNSPACED}])"
_NO_WORD_AFTER = rf"(?![^\W_{UNSPACED}])"


def pattern(terms: tuple[Term, ...]) -> re.Pattern[str]:
    """Find any of the terms in folded text."""
    return re.compile("|".join(map(_one, terms)) or r"(?!)")


def needs_look(query: Query) -> bool:
    """Whether the index alone can not tell that a message is a hit."""
    is_exact = all(term.is_exact for group in query.groups for term in group)
    return bool(query.without) or not is_exact or any(_paths(query))


def is_hit(query: Query, text: str) -> bool:
    """Whether a message's text, in which the index found the words, is what was looked for."""
    folded = fold(text)
    if not all(path in folded.replace("\\", "/") for path in _paths(query)):
        return False
    for group in query.groups:
        if not all(term.is_exact for term in group) and not pattern(group).search(folded):
            return False
    return not query.without or pattern(query.without).search(folded) is None


def _paths(query: Query) -> list[str]:
    """The files that are asked for, as a message that touched one names it; the index knows words alone."""
    files = (each.value for each in query.filters if each.name == "file" and not each.excludes)
    return [fold(file).replace("\\", "/") for file in files]


def _one(term: Term) -> str:
    folded = fold(term.text)
    if term.is_phrase:
        body = r"\s+".join(re.escape(piece) for piece in _SPACE.split(folded))
    else:
        words = "".join(char if is_word(char) else " " for char in folded).split()
        folded = " ".join(words) or folded
        body = _BETWEEN.join(map(re.escape, words or [folded]))
    before = _NO_WORD_BEFORE if _has_edge(folded[:1]) else ""
    after = _NO_WORD_AFTER if _has_edge(folded[-1:]) and not term.begins else ""
    return before + body + after


def _has_edge(char: str) -> bool:
    """Whether a word that begins or ends with it could be part of a longer one."""
    return is_word(char) and _UNSPACED.match(char) is None if char else False
