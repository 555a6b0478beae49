"""The statistics: what was spent when, on which project, model, family of forks and tool, and at which hours.

Each turn counts on its own day, hour and model. A fork's copied history is left out: the parent paid for it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta, tzinfo

from pi_opensync.dashboard import projects
from pi_opensync.dashboard.db.bookings import bookings
from pi_opensync.dashboard.db.savings import saved
from pi_opensync.dashboard.db.sums import Asked, Day, Family, Group, Numbers, Period, Reconciled, Sums, Tool
from pi_opensync.dashboard.times import at
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database, Row

# One wrong date must not make a chart of a million days.
PERIOD_DAYS = (1, 7, 30, 365, 3650, 36500)
HEAT_DAYS = 371  # a year, from a Monday
MOST_FAMILIES = 50
_MOST_PERIODS = 120


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
    return _Counting(asked, today, zone).over(database)


def by_day(database: Database, asked: Asked, zone: tzinfo | None) -> list[Day]:
    """Return a row for each day, project, model and source, in that order."""
    counting = _Counting(asked, date.max, zone)
    found: dict[tuple[date, str, str, str], Sums] = {}
    where, values = counting.where()
    for booking in bookings(database, where, values):
        day = counting.day_of(booking.at)[0]
        is_model = asked.model is None or booking.model == asked.model
        if not booking.is_copy and is_model and counting.is_asked(day):
            key = (day, booking.session["project"], booking.model, booking.session["source"])
            found.setdefault(key, Sums()).add(booking)
    names = projects.labels({key[1] for key in found})
    return [
        Day(day, names[project], model, source, sums)
        for (day, project, model, source), sums in sorted(found.items(), key=lambda item: item[0])
    ]


def spent_since(database: Database, first: date, zone: tzinfo | None) -> float:
    """Return the US dollars of all turns from the begin of a day on."""
    counting = _Counting(Asked(first=first), first, zone)
    return sum(
        booking.cost
        for booking in bookings(database, "active_at >= ?", (counting.begin_ms,))
        if not booking.is_copy and counting.day_of(booking.at)[0] >= first
    )


class _Counting:
    def __init__(self, asked: Asked, today: date, zone: tzinfo | None) -> None:
        self.asked = asked
        self._today = today
        self._zone = zone
        self._places: dict[int, tuple[date, int, int]] = {}

    @property
    def begin_ms(self) -> int:
        """A moment before the first day in any zone."""
        first = self.asked.first or date.min
        return max(0, (first - date(1970, 1, 2)).days * 86_400_000)

    def day_of(self, moment: int) -> tuple[date, int, int]:
        """The day, the weekday and the hour of a moment."""
        place = self._places.get(moment)
        if place is None:
            local = at(moment, self._zone)
            place = self._places[moment] = (local.date(), local.weekday(), local.hour)
        return place

    def over(self, database: Database) -> Numbers:
        asked = self.asked
        total, previous, copied = Sums(), Sums(), Sums()
        by_day: dict[date, Sums] = {}
        heat: dict[date, Sums] = {}
        groups: tuple[dict[str, Sums], ...] = ({}, {}, {}, {})
        families: dict[int, Sums] = {}
        turns: dict[str, list[tuple[float, float, float, float, float]]] = {}
        hours = [[0] * 24 for _ in range(7)]
        where, values = self.where()
        for booking in bookings(database, where, values):
            if asked.model is not None and booking.model != asked.model:
                continue
            day, weekday, hour = self.day_of(booking.at)
            if booking.is_copy:
                if self.is_asked(day):
                    copied.add(booking)
                continue
            if 0 <= (self._today - day).days < HEAT_DAYS:
                heat.setdefault(day, Sums()).add(booking)
            if not self.is_asked(day):
                if self._is_before(day):
                    previous.add(booking)
                continue
            session = booking.session
            for sums in (
                total,
                by_day.setdefault(day, Sums()),
                groups[0].setdefault(session["project"], Sums()),
                groups[1].setdefault(booking.model, Sums()),
                groups[2].setdefault(session["source"], Sums()),
                groups[3].setdefault(session["machine"] or "", Sums()),
                families.setdefault(session["root_id"], Sums()),
            ):
                sums.add(booking)
            hours[weekday][hour] += booking.messages
            if booking.cache_known:
                fresh = max(0.0, booking.prompt - booking.cache_read - booking.cache_write)
                turns.setdefault(booking.model, []).append(
                    (fresh, booking.cache_read, booking.cache_write, booking.completion, booking.cost)
                )
        start = asked.first or min(by_day, default=self._today)
        end = asked.last or max(by_day, default=self._today)
        names = projects.labels(groups[0])
        return Numbers(
            asked=asked,
            total=total,
            previous=previous if asked.first is not None else None,
            periods=_periods(by_day, start, end),
            projects=_ranked(groups[0], {key: names[key] or "no project" for key in names}),
            models=_ranked(groups[1]),
            sources=_ranked(groups[2]),
            machines=_ranked(groups[3], {key: key or "not told" for key in groups[3]})
            if any(groups[3])
            else [],
            families=_families(database, families),
            tools=self._tools(database),
            hours=hours,
            days=heat,
            reconciled=Reconciled(
                sessions=len(total.sessions | copied.sessions),
                in_files=total.cost + copied.cost,
                copied=copied.cost,
                counted=total.cost,
                copying=frozenset(copied.sessions),
            ),
            saved=_saved(turns),
        )

    def where(self) -> tuple[str, tuple[object, ...]]:
        asked = self.asked
        tests = {"project = ?": asked.project, "source = ?": asked.source, "machine = ?": asked.machine}
        given = {test: value for test, value in tests.items() if value is not None}
        return " AND ".join(given) or "1", tuple(given.values())

    def is_asked(self, day: date) -> bool:
        first, last = self.asked.first, self.asked.last
        return (first is None or day >= first) and (last is None or day <= last)

    def _is_before(self, day: date) -> bool:
        """Whether a day belongs to the time before what is asked for, as long as that."""
        if self.asked.first is None:
            return False
        length = ((self.asked.last or self._today) - self.asked.first).days + 1
        return 0 < (self.asked.first - day).days <= length

    def _tools(self, database: Database) -> list[Tool]:
        where, values = self.where()
        found: dict[str, list[Row]] = {}
        for row in database.each(
            "SELECT session_id, slot, tool, calls, failures, timed, duration_ms FROM tools "
            f"WHERE session_id IN (SELECT id FROM sessions WHERE {where})",
            values,
        ):
            if row["calls"] and self.is_asked(self.day_of(row["slot"] * SLOT_MS)[0]):
                found.setdefault(row["tool"], []).append(row)
        tools = [
            Tool(
                name,
                calls=sum(row["calls"] for row in rows),
                failures=sum(row["failures"] for row in rows),
                sessions=len({row["session_id"] for row in rows}),
                timed=sum(row["timed"] for row in rows),
                duration_ms=sum(row["duration_ms"] for row in rows),
            )
            for name, rows in found.items()
        ]
        return sorted(tools, key=lambda tool: (-tool.calls, tool.name))


def _families(database: Database, families: Mapping[int, Sums]) -> list[Family]:
    """The dearest families that are more than one session."""
    ranked = sorted(
        ((root, sums) for root, sums in families.items() if len(sums.sessions) > 1),
        key=lambda item: (-item[1].cost, -item[1].tokens, item[0]),
    )[:MOST_FAMILIES]
    return [
        Family(database.row("SELECT * FROM sessions WHERE id = ?", (root,)), sums) for root, sums in ranked
    ]


def _saved(turns: Mapping[str, Iterable[tuple[float, float, float, float, float]]]) -> float | None:
    """The sum over all models; None where it is known of none."""
    known = [value for value in (saved(of_model) for of_model in turns.values()) if value is not None]
    return sum(known) if known else None


def _periods(by_day: Mapping[date, Sums], start: date, end: date) -> list[Period]:
    days = (end - start).days + 1
    length = next(step for step in PERIOD_DAYS if days <= step * _MOST_PERIODS)
    periods = [
        Period(start + timedelta(days=offset), length, Sums()) for offset in range(0, max(days, 1), length)
    ]
    for day, sums in by_day.items():
        if start <= day <= end:
            periods[(day - start).days // length].sums.add(sums)
    return periods


def _ranked(groups: Mapping[str, Sums], names: Mapping[str, str] | None = None) -> list[Group]:
    ranked = sorted(groups.items(), key=lambda item: (-item[1].cost, -item[1].tokens, item[0]))
    return [Group(key if names is None else names[key], sums, key) for key, sums in ranked]
