"""Who took what, when: each session's usage booked on the model and the quarter of an hour that took it.

A message that tells what it took is booked as it says, and so is what a session spent outside messages. What
the session's sums hold beyond that, as plugins send it that know sums alone, is spread over the session's
messages: by their tokens, or by their number where they carry none.
"""

from collections.abc import Iterator

from pi_opensync.dashboard.booking import Booking, with_the_rest
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database, Row

_SESSIONS = (
    "SELECT id, root_id, source, project, repository, machine, model, created_at, cost, prompt_tokens, "
    "completion_tokens, cache_read_tokens FROM sessions"
)
_MODEL = "coalesce(nullif({0}.model, ''), sessions.model, 'unknown')"
# In the order of a Booking's fields.
_OF_MESSAGES = (
    f"SELECT sessions.id, slot * {SLOT_MS}, {_MODEL.format('usage')}, messages, usage.prompt_tokens, "
    "usage.completion_tokens, usage.cache_read_tokens, usage.cache_write_tokens, cache_known_tokens, "
    "usage.cost, is_copied FROM sessions CROSS JOIN usage ON usage.session_id = sessions.id"
)
_OF_OTHERS = (
    f"SELECT sessions.id, at / {SLOT_MS} * {SLOT_MS}, {_MODEL.format('spent')}, 0, spent.prompt_tokens, "
    "spent.completion_tokens, 0, 0, 0, spent.cost, 0 "
    "FROM sessions CROSS JOIN spent ON spent.session_id = sessions.id"
)


def bookings(
    database: Database, where: str = "1", values: tuple[object, ...] = ()
) -> Iterator[tuple[Row, list[Booking]]]:
    """Yield the sessions that fit a condition on `sessions`, each with all its bookings."""
    booked: dict[int, list[Booking]] = {}
    for rows in (_OF_MESSAGES, _OF_OTHERS):
        for row in database.each(f"{rows} WHERE {where}", values):
            booking = Booking(*row)
            booked.setdefault(booking.session_id, []).append(booking)
    for session in database.each(f"{_SESSIONS} WHERE {where}", values):
        of_it = booked.get(session["id"], [])
        own = with_the_rest(session, [each for each in of_it if not each.is_copy])
        yield session, own + [each for each in of_it if each.is_copy]
