"""Past sessions, read out of pi's own files through the redactor: found by words, and read whole."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from mmap import ACCESS_READ, mmap

from pi_opensync.cli.context import Context
from pi_opensync.daemon import places
from pi_opensync.opensync.summary import Summary, summary
from pi_opensync.opensync.transcribed import Said, said
from pi_opensync.pi.discover import Found
from pi_opensync.pi.tail import opened
from pi_opensync.read.select import Wanted
from pi_opensync.store.views import wanted_rows

AROUND = 60  # signs of a text that are shown on either side of what was found
AT_ONCE = 16  # files that are read before it is looked whether that is enough


@dataclass(frozen=True, slots=True)
class Past:
    """A session with its messages, redacted; tool calls and thinking among them."""

    session: Summary
    messages: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class SessionHit:
    """A session in which all the words stand, and the texts around the first of them, one a message."""

    session: Summary
    last_used_at: int
    excerpts: tuple[str, ...]


def read(context: Context, files: Sequence[Found]) -> Iterator[Past]:
    """The sessions of these files; none of those that stay on this machine."""
    with context.folded(files, places.own(context.settings)) as (database, _problems):
        for row in wanted_rows(database):
            if row.messages:
                messages = tuple(said(body) for body, leaves in row.messages if leaves)
                yield Past(summary(row.payload), messages)


def search(
    context: Context,
    words: Sequence[str],
    wanted: Wanted,
    *,
    model: str | None = None,
    limit: int = 20,
    only: str | None = None,
) -> list[SessionHit]:
    """The sessions, the latest used first, in one text of which all the words stand.

    `only`: a kind of `Piece`; else all kinds and the title are looked at.
    """
    meant = [word for word in words if word]
    chosen = [item for item in context.sessions(wanted) if item.leaves]
    holding = (item for item in chosen if _holds(item.found.path, meant))
    hits: list[SessionHit] = []
    while len(hits) < limit and (some := list(islice(holding, AT_ONCE))):
        used = {item.header.id: item.last_at for item in some if item.header is not None}
        for past in read(context, [item.found for item in some]):
            excerpts = tuple(_excerpts(past, meant, only))
            fits = model is None or model.lower() in (past.session.model or "").lower()
            if excerpts and fits:
                last = used.get(past.session.id, past.session.created_at or 0)
                hits.append(SessionHit(past.session, last, excerpts))
    hits.sort(key=lambda hit: hit.last_used_at, reverse=True)
    return hits[:limit]


def touching(context: Context, file: str, wanted: Wanted, limit: int = 20) -> list[SessionHit]:
    """The sessions in which a tool was given a path that ends as `file` does."""
    name = file.rstrip("/")
    return search(context, [name], wanted, limit=limit, only="call")


def _holds(path: bytes, words: Sequence[str]) -> bool:
    """Whether all the words stand in the file, as far as its bytes tell."""
    try:
        with opened(path) as descriptor, mmap(descriptor, 0, access=ACCESS_READ) as data:
            return all(re.search(_pattern(word), data) for word in words)
    except (OSError, ValueError):
        return False


def _pattern(word: str) -> bytes:
    """The word in a line of JSON; signs beyond ASCII in any case of theirs."""
    written = json.dumps(word, ensure_ascii=False)[1:-1]
    signs = (re.escape(sign) if sign.isascii() else f"(?:{sign.lower()}|{sign.upper()})" for sign in written)
    return f"(?i){''.join(signs)}".encode()


def _excerpts(past: Past, words: Sequence[str], only: str | None) -> Iterator[str]:
    pieces = [piece for message in past.messages for piece in message.pieces]
    texts = [piece.text for piece in pieces if only in (None, piece.kind)]
    for text in texts if only else [past.session.title, *texts]:
        folded = text.casefold()
        if all(word.casefold() in folded for word in words):
            yield _around(text, folded.find(words[0].casefold()) if words else 0)


def _around(text: str, at: int) -> str:
    begin, end = max(0, at - AROUND), at + AROUND
    shown = " ".join(text[begin:end].split())
    return f"{'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"
