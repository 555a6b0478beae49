"""The statistics: what was spent when, on which project, model, family of forks and tool, and at which hours.

Each turn counts on its own day, hour and model. A fork's copied history is left out: the parent paid for it.
"""

from datetime import date, tzinfo

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.booking import Booking
from pi_opensync.dashboard.db import calendar
from pi_opensync.dashboard.db.bookings import bookings
from pi_opensync.dashboard.db.calendar import Calendar
from pi_opensync.dashboard.db.counting import Counting, Span, where
from pi_opensync.dashboard.db.sums import Asked, Day, Numbers, Sums
from pi_opensync.dashboard.times import at
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
    found: dict[tuple[int, str, str, str], Sums] = {}
    for session, of_it in bookings(database, *where(asked)):
        for booking in of_it:
            day = place(booking.at)[0]
            is_model = asked.model is None or booking.model == asked.model
            if not booking.is_copy and is_model and span.first <= day <= span.last:
                key = (day, session["project"], booking.model, session["source"])
                found.setdefault(key, Sums()).book(booking)
    names = project_names.labels({key[1] for key in found})
    return [
        Day(calendar.day_of(day), names[project], model, source, sums)
        for (day, project, model, source), sums in sorted(found.items(), key=lambda item: item[0])
    ]


def spent_since(database: Database, first: date, zone: tzinfo | None) -> float:
    """Return the US dollars of all turns from the begin of a day on."""
    begin, place = calendar.number_of(first), Calendar(zone).place
    active_since = max(0, (begin - 1) * calendar.DAY_MS)  # a moment before that day in any zone

    def counts(booking: Booking) -> bool:
        return not booking.is_copy and place(booking.at)[0] >= begin

    found = bookings(database, "active_at >= ?", (active_since,))
    return sum(booking.cost for _session, of_it in found for booking in of_it if counts(booking))
