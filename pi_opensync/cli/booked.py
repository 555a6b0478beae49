"""What pi's sessions used, as far as the daemon has read them, counted as the page of numbers does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pi_opensync.dashboard.booking import Booking, is_all, with_the_rest
from pi_opensync.inspect.spending import Used
from pi_opensync.store import booked_usage as kept
from pi_opensync.store.database import open_beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pi_opensync.opensync.summary import Summary
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
    sessions = kept.sessions(database, since)
    # Few hold more than what is booked of them, as of subagents: of the others each row is as it counts.
    rest = set(sessions)
    for session_id, prompt, completion, cost in kept.sums(database, since):
        said = sessions.get(session_id)
        if said is not None and is_all(
            said.cost, said.cost - cost, said.prompt_tokens - prompt, said.completion_tokens - completion
        ):
            rest.discard(session_id)
    found: list[Used] = []
    own: dict[int, list[Booking]] = {session_id: [] for session_id in rest}
    for session_id, at, model, messages, prompt, completion, cost in kept.booked(database, since):
        said = sessions.get(session_id)
        if said is None:
            continue
        name = model or said.model or "unknown"
        if session_id in own:
            own[session_id].append(Booking(0, at, name, messages, prompt, completion, cost=cost))
        else:
            found.append(Used(said, at, name, messages, prompt, completion, cost))
    return found + [
        used for session_id, bookings in own.items() for used in _with(sessions[session_id], bookings)
    ]


def _with(said: Summary, booked: list[Booking]) -> Iterator[Used]:
    sums = {
        "id": 0,
        "cost": said.cost,
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "cache_read_tokens": None,
        "created_at": said.created_at or 0,
        "model": said.model,
    }
    for each in with_the_rest(sums, booked):
        yield Used(said, each.at, each.model, each.messages, each.prompt, each.completion, each.cost)
