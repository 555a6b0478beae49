"""The statistics: what was spent when, on which project, model, family of forks and tool, and at which hours.

Each turn counts on its own day, hour and model. A fork's copied history is left out: the parent paid for it.
"""

from datetime import date, tzinfo

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db import calendar
from pi_opensync.dashboard.db.bookings import COPY, NUMBERS
from pi_opensync.dashboard.db.calendar import Calendar
from pi_opensync.dashboard.db.counting import Counting, Span, where
from pi_opensync.dashboard.db.sums import Asked, Day, Numbers, Sums
from pi_opensync.dashboard.times import at
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database


def totals(database: Database) -> dict[str, object]:
    """Return the answer of `/api/stats`: sums over whole sessions, as OpenSync counts them."""
    row = database.row(
        "SELECT count(*) AS sessions, total(message_count) AS messages, "
        "total(prompt_tokens + completion_tokens) AS tokens, total(cost) AS cost, "
        "total(duration_ms) AS duration "
        "FROM sessions"
    )
    models = database.rows(
        "SELECT coalesce(model, 'unknown') AS name, total(prompt_tokens + completion_tokens) AS tokens, "
        "total(cost) AS cost, count(*) AS sessions FROM sessions GROUP BY name ORDER BY name"
    )
    return {
        "sessionCount": row["sessions"],
        "messageCount": int(row["messages"]),
        "totalTokens": int(row["tokens"]),
        "totalCost": row["cost"],
        "totalDurationMs": int(row["duration"]),
        "modelUsage": {
            model["name"]: {
                "tokens": int(model["tokens"]),
                "cost": model["cost"],
                "sessions": model["sessions"],
            }
            for model in models
        },
    }


def summarize(
    database: Database,
    *,
    now: int,
    zone: tzinfo | None,
    days: int | None = None,
    asked: Asked | None = None,
) -> Numbers:
    """Everything on the page of numbers: for what is asked, the last `days` days in `zone`, or all time."""
    today = at(now, zone).date()
    if asked is None:
        asked = Asked() if days is None else Asked.of_days(days, today)
    return Counting(asked, today, zone).over(database)


def by_day(database: Database, asked: Asked, zone: tzinfo | None) -> list[Day]:
    """Return a row for each day, project, model and source, in that order."""
    span, place = Span(asked, date.max), Calendar(zone).place
    fitting, values = where(asked)
    found: dict[tuple[int, str, str, str], Sums] = {}
    for slot, project, model, source, *sums in database.tuples(
        f"SELECT slot, project, booked.model, source, session_id, {NUMBERS} FROM booked "
        f"JOIN sessions ON sessions.id = session_id WHERE kind != {COPY} AND {fitting}",
        values,
    ):
        day = place(slot * SLOT_MS)[0]
        if asked.model in (None, model) and span.first <= day <= span.last:
            found.setdefault((day, project, model, source), Sums()).book(*sums)
    names = project_names.labels({key[1] for key in found})
    return [
        Day(calendar.day_of(day), names[project], model, source, sums)
        for (day, project, model, source), sums in sorted(found.items(), key=lambda item: item[0])
    ]


def spent_since(database: Database, first: date, zone: tzinfo | None) -> float:
    """Return the US dollars of all turns from the begin of a day on."""
    begin = Calendar(zone).first_slot(calendar.number_of(first))
    spent: float = database.one(f"SELECT total(cost) FROM booked WHERE kind != {COPY} AND slot >= ?", begin)
    return spent
