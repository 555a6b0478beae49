"""The words around a hit, which show why it is one."""

import re
from dataclasses import dataclass
from itertools import islice

from pi_opensync.dashboard.folding import fold, fold_with_places
from pi_opensync.dashboard.matching import pattern
from pi_opensync.dashboard.query import MAX_QUERY, Query

_CONTEXT = 90
_CHUNK = 1 << 16

# The marks around thinking are no words of the message.
_EDGES = re.compile(r"^[ \t]*</?thinking>[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of text, in runs; every second run, from the second on, is a hit."""

    runs: tuple[str, ...]


def snippet(text: str, query: Query) -> Snippet:
    """Return the words around the first place where a term stands, all terms in it marked."""
    text = _EDGES.sub("", text)
    wanted = pattern(query.terms)
    for start in range(0, max(len(text), 1), _CHUNK):
        piece = text[start : start + _CHUNK + MAX_QUERY]
        if wanted.search(fold(piece)):
            folded, places = fold_with_places(piece)
            match = wanted.search(folded)
            if match:
                left = max(0, start + places[match.start()] - _CONTEXT)
                return _marked(text, left, start + places[match.end()] + 2 * _CONTEXT, wanted)
    return _marked(text, 0, 3 * _CONTEXT, wanted)


def places_of(text: str, query: Query, most: int) -> list[tuple[int, int]]:
    """Return where the terms stand in a text, in order: the begin and the end of each, at most `most`."""
    folded, places = fold_with_places(text)
    found = pattern(query.terms).finditer(folded) if query.terms else iter(())
    return [_span(places, match) for match in islice(found, most)]


def _span(places: list[int], match: re.Match[str]) -> tuple[int, int]:
    begin = places[match.start()]
    return begin, max(places[match.end()], begin + 1)


def _marked(text: str, left: int, right: int, wanted: re.Pattern[str]) -> Snippet:
    if left > 0:
        space = text.find(" ", left, left + 20)
        left = space + 1 if space >= 0 else left
    piece = re.sub(r"\s+", " ", text[left:right])
    folded, places = fold_with_places(piece)
    runs = []
    end = 0
    for match in wanted.finditer(folded):
        begin, stop = _span(places, match)
        runs += [piece[end:begin], piece[begin:stop]]
        end = stop
    runs.append(piece[end:])
    runs[0] = ("… " if left > 0 else "") + runs[0]
    runs[-1] += " …" if right < len(text) else ""
    return Snippet(tuple(runs))
