"""Sessions as users name them: by the shortest beginning of an id that means only one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pi_opensync.errors import UsageError
from pi_opensync.texts import day, shown

if TYPE_CHECKING:  # loaded where a session is looked for
    from collections.abc import Iterable, Sequence

    from pi_opensync.cli.context import Context
    from pi_opensync.read.select import Chosen

SHORTEST = 8  # signs, so that a new session seldom makes a short id of before ambiguous
NAMED = 8  # candidates that are shown


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """For each id the shortest beginning that no other has. Pure."""
    ordered = sorted(set(ids))
    lengths = dict.fromkeys(ordered, SHORTEST)
    for one, other in pairwise(ordered):  # the likest are neighbours
        if one[:SHORTEST] == other[:SHORTEST]:
            length = _common(one, other) + 1
            lengths[one] = max(lengths[one], length)
            lengths[other] = max(lengths[other], length)
    return {whole: whole[:length] for whole, length in lengths.items()}


def one_session(context: Context, wanted: str) -> list[Chosen]:
    """The transcripts of the session that an id, its beginning, or a file names.

    Raises `UsageError` where there is none, or the beginning is that of several.
    """
    from pi_opensync.fold import external_id
    from pi_opensync.read.select import Wanted

    chosen = context.sessions(Wanted(session=wanted))
    if not chosen:
        raise UsageError(f"no session or file {shown(wanted)}", hint="`pi-opensync list` shows the sessions")
    ids = {external_id(item.header) for item in chosen if item.header is not None}
    if wanted in ids:
        return [item for item in chosen if item.header is not None and external_id(item.header) == wanted]
    if len(ids) > 1:
        raise UsageError(
            f"{shown(wanted)} is the beginning of {len(ids)} sessions", hint=_candidates(context, chosen)
        )
    return chosen


def _candidates(context: Context, chosen: Sequence[Chosen]) -> str:
    from pi_opensync.fold import external_id

    everyone = [external_id(item.header) for item in context.sessions() if item.header is not None]
    short = short_ids(everyone)
    longest = max(len(short[external_id(item.header)]) for item in chosen if item.header is not None)
    lines: dict[str, str] = {}
    for item in chosen:
        if item.header is not None:
            key = external_id(item.header)
            folder = context.cleaner.or_withheld(item.header.cwd or "-")
            lines.setdefault(key, f"{short[key]:{longest}}  {day(item.last_at)}  {shown(folder)}")
    more = [f"and {len(lines) - NAMED} more"] if len(lines) > NAMED else []
    return "\n  ".join(["one of them is named by:", *list(lines.values())[:NAMED], *more])


def _common(one: str, other: str) -> int:
    """How many signs they begin with together."""
    return next(
        (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
