"""What pi's sessions used, as far as the daemon has read them, counted as the page of numbers does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pi_opensync.dashboard.booking import Booking, with_the_rest
from pi_opensync.inspect.spending import Used
from pi_opensync.store import booked_usage as kept
from pi_opensync.store.database import open_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pi_opensync.store.booked_usage import SessionUsage
    from pi_opensync.store.database import StateDatabase


def used(states: Sequence[Path], since: int | None = None) -> list[Used]:
    """Of the dashboard of which most is known; with `since` (ms) at least what was used since.

    A session that stays on this machine is not among them.
    """
    found: tuple[int, list[Used]] = (0, [])
    for state in states:
        database = open_beside(state)
        if database is None:
            continue
        with closing(database):
            known = kept.known(database)
            if known > found[0]:
                found = known, used_in(database, since)
    return found[1]


def used_in(database: StateDatabase, since: int | None = None) -> list[Used]:
    """Of one store."""
    return [used for session in kept.used(database, since) for used in _of(session)]


def _of(session: SessionUsage) -> Iterator[Used]:
    said = session.said
    sums = {
        "id": 0,
        "cost": said.cost,
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "cache_read_tokens": None,
        "created_at": said.created_at or 0,
        "model": said.model,
    }
    booked = [
        Booking(
            0,
            one.at,
            one.model or said.model or "unknown",
            one.messages,
            one.usage.prompt,
            one.usage.completion,
            cost=one.usage.cost,
        )
        for one in session.booked
    ]
    for each in with_the_rest(sums, booked):
        yield Used(said, each.at, each.model, each.messages, each.prompt, each.completion, each.cost)
