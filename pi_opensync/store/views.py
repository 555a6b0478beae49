"""What `status` counts: whatever is delivered, waits, is parked or was not understood has a number here."""

from dataclasses import dataclass

from pi_opensync.store.database import Database
from pi_opensync.store.transcripts import BROKEN


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers over the whole store. Times in seconds since the epoch."""

    sessions_delivered: int
    sessions_waiting: int
    sessions_parked: int
    sessions_excluded: int
    messages_delivered: int
    messages_waiting: int
    messages_parked: int
    messages_dropped: int
    messages_by_others: int
    transcripts: int
    transcripts_left_alone: int
    transcripts_unreadable: int
    bytes_behind: int
    broken_lines: int
    unknown_types: dict[str, int]
    last_success_at: float | None
    last_error_at: float | None
    last_error: str | None


def tally(database: Database) -> Tally:
    one = database.one
    unknown = database.execute(
        "SELECT kind, sum(count) FROM oddities WHERE kind <> ? GROUP BY kind ORDER BY kind", (BROKEN,)
    )
    waiting = one("SELECT count(*) FROM messages WHERE wanted IS NOT NULL AND parked IS NULL")
    parked = one("SELECT count(*) FROM messages WHERE parked IS NOT NULL AND wanted IS NOT NULL")
    dropped = one("SELECT count(*) FROM messages WHERE parked IS NOT NULL AND wanted IS NULL")
    return Tally(
        sessions_delivered=one("SELECT count(*) FROM sessions WHERE acked_digest = wanted_digest"),
        sessions_waiting=one(
            "SELECT count(*) FROM sessions WHERE acked_digest IS NOT wanted_digest AND parked IS NULL "
            "AND excluded IS NULL"
        ),
        sessions_parked=one("SELECT count(*) FROM sessions WHERE parked IS NOT NULL"),
        sessions_excluded=one("SELECT count(*) FROM transcripts WHERE excluded IS NOT NULL"),
        messages_delivered=one("SELECT count(*) FROM messages") - waiting - parked - dropped,
        messages_waiting=waiting,
        messages_parked=parked,
        messages_dropped=dropped,
        messages_by_others=one("SELECT count(*) FROM messages WHERE held_as IS NOT NULL"),
        transcripts=one("SELECT count(*) FROM transcripts"),
        transcripts_left_alone=one("SELECT count(*) FROM transcripts WHERE followed = 0"),
        transcripts_unreadable=one("SELECT count(*) FROM transcripts WHERE problem IS NOT NULL"),
        bytes_behind=one(
            "SELECT coalesce(sum(size - offset), 0) FROM transcripts WHERE followed = 1 AND at_end = 0"
        ),
        broken_lines=one("SELECT coalesce(sum(count), 0) FROM oddities WHERE kind = ?", BROKEN),
        unknown_types=dict(unknown.fetchall()),
        last_success_at=database.meta("last_success_at"),
        last_error_at=database.meta("last_error_at"),
        last_error=database.meta("last_error"),
    )
