"""What commands read of the state: numbers over all of it, and rows of sessions, messages, transcripts.

Whatever is delivered, waits, is parked or was not understood has a number here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from pi_opensync.opensync.summary import Summary, summary
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.transcripts import BROKEN
from pi_opensync.texts import shown_path


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
    left_out: dict[str, int]
    transcripts_odd: int
    last_success_at: float | None
    last_error_at: float | None
    last_error: str | None


def tally(database: StateDatabase) -> Tally:
    one = database.one
    delivered, to_come, held_back = database.row(
        "SELECT count(CASE WHEN acked_digest = wanted_digest THEN 1 END), count(CASE WHEN "
        "acked_digest IS NOT wanted_digest AND parked IS NULL AND excluded IS NULL THEN 1 END), "
        "count(parked) FROM sessions"
    )
    unknown = database.rows(
        "SELECT kind, sum(count) FROM oddities WHERE kind <> ? GROUP BY kind ORDER BY kind", (BROKEN,)
    )
    waiting = one("SELECT count(*) FROM messages WHERE wanted IS NOT NULL AND parked IS NULL")
    parked = one("SELECT count(*) FROM messages WHERE parked IS NOT NULL AND wanted IS NOT NULL")
    dropped = one("SELECT count(*) FROM messages WHERE parked IS NOT NULL AND wanted IS NULL")
    return Tally(
        sessions_delivered=delivered,
        sessions_waiting=to_come,
        sessions_parked=held_back,
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
        unknown_types=dict(unknown),
        left_out=left_out(database),
        transcripts_odd=one("SELECT count(*) FROM transcripts WHERE odd IS NOT NULL"),
        last_success_at=database.meta("last_success_at"),
        last_error_at=database.meta("last_error_at"),
        last_error=database.meta("last_error"),
    )


def unread(database: StateDatabase, sizes: Iterable[tuple[bytes, int]]) -> int:
    """The bytes that stand in transcripts that are read, beyond what was read; `sizes` by path, now."""
    rows = database.rows("SELECT path, offset, followed AND excluded IS NULL FROM transcripts")
    known = {path: (offset, is_read) for path, offset, is_read in rows}
    behind = 0
    for path, size in sizes:
        offset, is_read = known.get(path, (0, 1))
        if is_read and size > offset:
            behind += size - offset
    return behind


class SessionRow(msgspec.Struct, frozen=True, gc=False):
    """A session with the number of its messages, and of those that wait or are parked.

    `bytes` of all its messages' JSON; `parked` and `excluded` are the reasons why the session stays here.
    """

    said: Summary
    messages: int
    bytes: int
    waiting: int
    held: int
    parked: str | None
    excluded: str | None


def session_rows(database: StateDatabase) -> list[SessionRow]:
    """Every session, the latest that was met first."""
    sizes = {
        session: (messages, size)
        for session, messages, size in database.rows(
            "SELECT session_id, count(*), sum(bytes) FROM messages GROUP BY session_id"
        )
    }
    waiting, held = (
        dict(database.rows(f"SELECT session_id, count(*) FROM messages WHERE {those} GROUP BY session_id"))
        for those in ("wanted IS NOT NULL AND parked IS NULL", "parked IS NOT NULL")
    )
    nothing = (0, 0)
    return [
        SessionRow(
            summary(wanted), *sizes.get(id_, nothing), waiting.get(id_, 0), held.get(id_, 0), parked, excluded
        )
        for id_, wanted, parked, excluded in database.rows(
            "SELECT id, wanted, parked, excluded FROM sessions ORDER BY id DESC"
        )
    ]


def last_used(database: StateDatabase) -> dict[str, int]:
    """When the latest entry was written (ms) that was read of each session, by its external id."""
    rows = database.rows(
        "SELECT s.external_id, max(t.latest_at) FROM holdings h JOIN sessions s ON s.id = h.session_id "
        "JOIN transcripts t ON t.id = h.transcript_id WHERE t.latest_at IS NOT NULL GROUP BY h.session_id"
    )
    return dict(rows)


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """A transcript: whether it is `followed`, whether a session was read of it, why it stays here.

    `odd` is why what is in it belongs to no session.
    """

    followed: bool
    has_session: bool
    excluded: str | None
    odd: str | None = None


def transcript_rows(database: StateDatabase) -> dict[bytes, TranscriptRow]:
    """Every transcript that was met, by its path."""
    rows = database.rows(
        "SELECT path, followed, id IN (SELECT transcript_id FROM holdings), excluded, odd FROM transcripts"
    )
    return {
        path: TranscriptRow(bool(followed), bool(has_session), excluded, odd)
        for path, followed, has_session, excluded, odd in rows
    }


def delivered_transcripts(database: StateDatabase) -> dict[bytes, int]:
    """Path and size of the transcripts of which all is delivered, as they were when they were read."""
    rows = database.rows(
        "SELECT t.path, t.size FROM transcripts t WHERE t.at_end AND t.followed AND NOT EXISTS "
        "(SELECT 1 FROM holdings h JOIN sessions s ON s.id = h.session_id WHERE h.transcript_id = t.id "
        "AND (s.acked_digest IS NOT s.wanted_digest OR EXISTS (SELECT 1 FROM messages m "
        "WHERE m.session_id = s.id AND m.wanted IS NOT NULL AND m.parked IS NULL)))"
    )
    return dict(rows)


def dates(database: StateDatabase) -> dict[str, str]:
    """Whose dates each session was begun with: transcript or server."""
    return dict(database.rows("SELECT external_id, dates FROM sessions WHERE dates IS NOT NULL"))


def server_ids(database: StateDatabase) -> dict[str, str]:
    """The server's own ids of the sessions that it acknowledged, by ours."""
    return dict(database.rows("SELECT external_id, server_id FROM sessions WHERE server_id IS NOT NULL"))


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A session of a dry store; of each message its payload, and whether it may leave."""

    external_id: str
    payload: bytes
    messages: list[tuple[bytes, bool]]


def wanted_rows(database: StateDatabase) -> Iterator[WantedRow]:
    """Every session of a dry store, in the order in which they were met."""
    for session_id, external_id, payload in database.rows(
        "SELECT id, external_id, wanted FROM sessions ORDER BY id"
    ):
        messages = database.rows(
            "SELECT wanted, parked IS NULL FROM messages WHERE session_id = ? ORDER BY position",
            (session_id,),
        )
        yield WantedRow(external_id, payload, [(body, bool(leaves)) for body, leaves in messages])


def odd_files(database: StateDatabase) -> list[str]:
    """The paths of the files of which nothing belongs to a session, as they are shown."""
    rows = database.rows("SELECT path FROM transcripts WHERE odd IS NOT NULL ORDER BY path")
    return [shown_path(path) for (path,) in rows]


def left_out(database: StateDatabase) -> dict[str, int]:
    """What was read and is not shown, by kind."""
    return dict(database.rows("SELECT kind, sum(count) FROM left_out GROUP BY kind ORDER BY kind"))


def withheld(database: StateDatabase) -> int:
    """How many messages of a dry store must not leave."""
    return int(database.one("SELECT count(*) FROM messages WHERE parked IS NOT NULL"))


def exclusions(database: StateDatabase) -> list[str]:
    """The reasons why transcripts are excluded, each once."""
    return [
        row[0]
        for row in database.rows("SELECT DISTINCT excluded FROM transcripts WHERE excluded IS NOT NULL")
    ]


def is_whole(database: StateDatabase) -> bool:
    """Whether the file's structure is sound."""
    return bool(database.one("PRAGMA quick_check(1)") == "ok")
