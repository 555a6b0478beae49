"""Who took what, when: each session's usage booked on the model and the quarter of an hour that took it.

A message that tells what it took is booked as it says, and so is what a session spent outside messages. What
the session's sums hold beyond that, as plugins send it that know sums alone, is spread over the session's
messages: by their tokens, or by their number where they carry none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pi_opensync.dashboard.db.counts import SLOT_MS
from pi_opensync.sqlite import Database, Row

_LEAST = 1e-9  # of the cost; a smaller rest comes of adding up floats


@dataclass(slots=True)
class Booking:
    """US dollars and tokens. `at` is the begin of a quarter of an hour, in ms.

    `cache_known` counts the prompt tokens of what tells about its cache. A copy is what a fork holds of its
    parent, which paid for it.
    """

    session: Row
    at: int
    model: str
    messages: int = 0
    prompt: float = 0.0
    completion: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0
    cache_known: float = 0.0
    cost: float = 0.0
    is_copy: bool = False

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion


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
        yield from _with_the_rest(session, own)
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


def _with_the_rest(session: Row, own: list[Booking]) -> list[Booking]:
    """The bookings of a session with what its sums hold beyond them."""
    cost, prompt, completion = session["cost"], session["prompt_tokens"], session["completion_tokens"]
    read, known = 0.0, 0.0
    if session["cache_read_tokens"] is not None:
        read, known = session["cache_read_tokens"], prompt
    in_all = 0.0
    for each in own:
        cost -= each.cost
        prompt -= each.prompt
        completion -= each.completion
        read -= each.cache_read
        known -= each.cache_known
        in_all += each.prompt + each.completion
    if not own:
        begin = session["created_at"] // SLOT_MS * SLOT_MS
        own = [Booking(session, begin, session["model"] or "unknown")]
    elif max(prompt, completion, read, known) <= 0 and cost <= _LEAST * session["cost"]:
        return own
    weights = [each.tokens for each in own] if in_all else [float(each.messages) for each in own]
    weight_of_all = sum(weights)
    for each, weight in zip(own, weights, strict=True):
        share = weight / weight_of_all if weight_of_all else 1 / len(own)
        each.cost += max(0.0, cost) * share
        each.prompt += max(0.0, prompt) * share
        each.completion += max(0.0, completion) * share
        each.cache_read += max(0.0, read) * share
        each.cache_known += max(0.0, known) * share
    return own
