"""How an issuer's form is written down: what opens it, what follows, and where that is documented.

Lengths are lower bounds where the issuer promises none, so that a longer key of the same kind is found too.
"""

import re
from collections.abc import Callable

from pi_opensync.privacy.redact.engine import NOTHING, Find, Rule, Spans, Text, prefixed
from pi_opensync.privacy.redact.words import is_random, is_real

Keep = Callable[[bytes], bool]

_LONGEST_BEFORE = 128
_FOLLOWS = rb"[A-Za-z0-9_+/.=-]{12}"
_WORD = rb"[A-Za-z0-9_]"


def issuer(
    name: str,
    source: str,
    leads: str,
    body: bytes,
    *,
    follow: bytes = b"",
    guard: bool = True,
    keep: Keep = is_real,
    lead: bytes = b"",
    fold: bool = False,
) -> Rule:
    """A secret that its issuer gave a prefix.

    leads: separated by spaces, all that `body` begins with. follow: bounded; by default the first twelve
    characters of any token. guard: it must start a token. lead: a pattern for the lead, where `body` begins
    behind it.
    """
    return Rule(
        name,
        "A",
        source,
        tuple(each.encode() for each in leads.split()),
        follow or _FOLLOWS,
        prefixed(body, guard=guard, keep=keep, lead=lead, fold=fold),
        fold=fold,
        token=guard,
        shape=lead + body,
    )


def marked(
    name: str,
    source: str,
    before: bytes,
    leads: str,
    after: bytes,
    *,
    follow: bytes = b"",
    keep: Keep = is_random,
) -> Rule:
    """A secret with a mark inside: `before` stands in front of the mark, `after` begins with it."""
    return Rule(
        name,
        "A",
        source,
        tuple(each.encode() for each in leads.split()),
        follow,
        _around(before, after, keep),
        shape=before + after,
    )


def _around(before: bytes, after: bytes, keep: Keep) -> Find:
    front = re.compile(before + rb"\Z")
    rest = re.compile(after + rb"(?!" + _WORD + rb")")

    def find(text: Text, at: int) -> Spans:
        tail = rest.match(text.data, at)
        if tail is None:
            return NOTHING
        floor = max(text.floor, at - _LONGEST_BEFORE)
        text.meter.charge(tail.end() - floor)
        while (head := front.search(text.data, floor, at)) is not None:
            start = text.past_escape(head.start())
            text.meter.charge(at - floor)
            if text.starts_token(start) and front.match(text.data, start, at) is not None:
                value = text.data[start : tail.end()]
                if keep(text.weigh(value)):
                    return ((start, tail.end()),)
            floor = head.start() + 1
        return NOTHING

    return find
