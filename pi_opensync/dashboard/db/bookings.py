"""Who took what, when: each session's usage booked on the model and the quarter of an hour that took it.

A message that tells what it took is booked as it says, and so is what a session spent outside messages. What
the session's sums hold beyond that, as plugins send it that know sums alone, is spread over the session's
messages: by their tokens, or by their number where they carry none.

All that is kept in a table of its own, brought up to date with each session that changes, so that numbers
over many sessions are added up and not worked out.
"""

from collections.abc import Iterable, Iterator

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
    "spent.completion_tokens, 0, 0, 0, spent.cost, 0, 1 "
    "FROM sessions CROSS JOIN spent ON spent.session_id = sessions.id"
)

OWN, COPY, OUTSIDE = range(3)  # kinds: of messages, of messages that a fork copied, of no message
# In the order of the arguments of `Sums.book`.
NUMBERS = "messages, prompt, completion, cache_read, cache_write, cache_known, booked.cost"

_Key = tuple[int, str, int]  # slot, model, kind
_Sums = tuple[float, ...]


def rebook(database: Database, session_ids: Iterable[int]) -> None:
    """Book sessions anew, as what they took may have changed; one that is gone is booked no more."""
    for session_id in session_ids:
        booked = {
            (row[0], row[1], row[2]): row[3:]
            for row in database.tuples(
                f"SELECT slot, model, kind, {NUMBERS} FROM booked WHERE session_id = ?", (session_id,)
            )
        }
        wanted = _wanted(database, session_id)
        gone = [(session_id, *key) for key in booked if key not in wanted]
        changed = [(session_id, *key, *sums) for key, sums in wanted.items() if booked.get(key) != sums]
        if gone:
            database.run_many(
                "DELETE FROM booked WHERE session_id = ? AND slot = ? AND model = ? AND kind = ?", gone
            )
        if changed:
            database.run_many(
                "INSERT OR REPLACE INTO booked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", changed
            )


def _wanted(database: Database, session_id: int) -> dict[_Key, _Sums]:
    wanted: dict[_Key, _Sums] = {}
    for _session, of_it in bookings(database, "sessions.id = ?", (session_id,)):
        for each in of_it:
            key = (each.at // SLOT_MS, each.model, _kind(each))
            sums: _Sums = (
                each.messages,
                each.prompt,
                each.completion,
                each.cache_read,
                each.cache_write,
                each.cache_known,
                each.cost,
            )
            before = wanted.get(key)
            if before is not None:
                sums = tuple(map(sum, zip(before, sums, strict=True)))
            wanted[key] = sums
    return wanted


def _kind(booking: Booking) -> int:
    if booking.is_copy:
        return COPY
    return OUTSIDE if booking.is_outside else OWN


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
