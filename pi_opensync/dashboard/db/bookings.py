"""Who took what, when: each session's usage booked on the model and the quarter of an hour that took it.

A message that tells what it took is booked as it says, and so is what a session spent outside messages. What
the session's sums hold beyond that, as plugins send it that know sums alone, is spread over the session's
messages: by their tokens, or by their number where they carry none.
"""

from collections.abc import Iterator

from pi_opensync.dashboard.booking import Booking, with_the_rest
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database, Row


def bookings(database: Database, where: str = "1", values: tuple[object, ...] = ()) -> Iterator[Booking]:
    """Yield all bookings of the sessions that fit a condition on `sessions`."""
    booked: dict[int, list[Booking]] = {}
    sessions: dict[int, Row] = {}
    for session in database.each(f"SELECT * FROM sessions WHERE {where}", values):
        sessions[session["id"]] = session
    for row in database.each("SELECT * FROM usage"):
        owner = sessions.get(row["session_id"])
        if owner is not None:
            booked.setdefault(owner["id"], []).append(_of_messages(owner, row))
    for row in database.each("SELECT * FROM spent"):
        owner = sessions.get(row["session_id"])
        if owner is not None:
            booked.setdefault(owner["id"], []).append(_of_spent(owner, row))
    for session in sessions.values():
        of_it = booked.get(session["id"], [])
        own = [each for each in of_it if not each.is_copy]
        yield from with_the_rest(session, own)
        yield from (each for each in of_it if each.is_copy)


def _of_messages(session: Row, row: Row) -> Booking:
    return Booking(
        session,
        row["slot"] * SLOT_MS,
        row["model"] or session["model"] or "unknown",
        row["messages"],
        row["prompt_tokens"],
        row["completion_tokens"],
        row["cache_read_tokens"],
        row["cache_write_tokens"],
        row["cache_known_tokens"],
        row["cost"],
        bool(row["is_copied"]),
    )


def _of_spent(session: Row, row: Row) -> Booking:
    return Booking(
        session,
        row["at"] // SLOT_MS * SLOT_MS,
        row["model"] or session["model"] or "unknown",
        prompt=row["prompt_tokens"],
        completion=row["completion_tokens"],
        cost=row["cost"],
    )
