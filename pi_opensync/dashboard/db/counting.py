"""All numbers of what is asked, in one pass over the bookings of its sessions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta, tzinfo
from typing import Any

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db import calendar
from pi_opensync.dashboard.db.bookings import COPY, NUMBERS
from pi_opensync.dashboard.db.calendar import Calendar
from pi_opensync.dashboard.db.listing import IN_PROJECT
from pi_opensync.dashboard.db.savings import Turn, saved
from pi_opensync.dashboard.db.sums import Asked, Family, Group, Numbers, Period, Reconciled, Sums, Tool
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database

# One wrong date must not make a chart of a million days.
PERIOD_DAYS = (1, 7, 30, 365, 3650, 36500)
HEAT_DAYS = 371  # a year, from a Monday
MOST_FAMILIES = 50
_MOST_PERIODS = 120
_ALWAYS = 10**9  # days


class Span:
    """The days from `first` to `last` as numbers, and those before that are as many."""

    def __init__(self, asked: Asked, today: date) -> None:
        self.has_begin = asked.first is not None
        self.first = -_ALWAYS if asked.first is None else calendar.number_of(asked.first)
        self.last = _ALWAYS if asked.last is None else calendar.number_of(asked.last)
        end = self.last if asked.last is not None else calendar.number_of(today)
        self.before = 2 * self.first - end - 1 if self.has_begin else self.first


def where(asked: Asked) -> tuple[str, tuple[object, ...]]:
    """The sessions that are asked for, as a condition on `sessions`."""
    tests = {IN_PROJECT: asked.project, "source = ?": asked.source, "machine = ?": asked.machine}
    given = {test: value for test, value in tests.items() if value is not None}
    return " AND ".join(given) or "1", tuple(given.values())


class Counting:
    """The numbers under way; `over` counts a database's sessions."""

    def __init__(self, asked: Asked, today: date, zone: tzinfo | None) -> None:
        self._asked = asked
        self._today = today
        self._calendar = Calendar(zone)
        self._span = Span(asked, today)
        self._total, self._previous, self._copied = Sums(), Sums(), Sums()
        self._days: defaultdict[int, Sums] = defaultdict(Sums)
        self._heat: defaultdict[int, float] = defaultdict(float)
        self._models: defaultdict[str, Sums] = defaultdict(Sums)
        self._groups: dict[str, defaultdict[str, Sums]] = {
            name: defaultdict(Sums) for name in ("source", "machine")
        }
        self._projects: defaultdict[str, Sums] = defaultdict(Sums)
        self._families: defaultdict[int, Sums] = defaultdict(Sums)
        self._turns: defaultdict[str, list[Turn]] = defaultdict(list)
        self._hours = [[0] * 24 for _ in range(7)]

    def over(self, database: Database) -> Numbers:
        fitting, values = where(self._asked)
        sessions = database.tuples(
            f"SELECT id, root_id, source, machine, project, repository FROM sessions WHERE {fitting}", values
        )
        groups: defaultdict[tuple[str, str | None, str], Sums] = defaultdict(Sums)
        is_together = self._asked.worktrees_together
        group_of = {
            session_id: groups[source, machine, (repository if is_together else None) or project]
            for session_id, _root, source, machine, project, repository in sessions
        }
        roots = {row[1] for row in sessions if row[0] != row[1]}
        family_of = {row[0]: self._families[row[1]] for row in sessions if row[1] in roots}
        self._count(self._booked(database, fitting, values), group_of, family_of)
        for (source, machine, project), sums in groups.items():
            if not sums.sessions:
                continue  # none in the time
            self._total.add(sums)
            self._groups["source"][source or ""].add(sums)
            self._groups["machine"][machine or ""].add(sums)
            self._projects[project].add(sums)
        asked = self._asked
        days = {calendar.day_of(number): sums for number, sums in self._days.items()}
        start, end = (
            asked.first or min(days, default=self._today),
            asked.last or max(days, default=self._today),
        )
        by_project, by_machine = self._projects, self._groups["machine"]
        names = project_names.labels(by_project)
        total, copied = self._total, self._copied
        return Numbers(
            asked=asked,
            total=total,
            previous=self._previous if asked.first is not None else None,
            periods=_periods(days, start, end),
            projects=_ranked(by_project, {key: names[key] or "no project" for key in names}),
            models=_ranked(self._models),
            sources=_ranked(self._groups["source"]),
            machines=_ranked(by_machine, {key: key or "not told" for key in by_machine})
            if any(by_machine)
            else [],
            families=_families(database, self._families),
            tools=self._tools(database),
            hours=self._hours,
            days={calendar.day_of(number): cost for number, cost in self._heat.items()},
            reconciled=Reconciled(
                sessions=len(total.sessions | copied.sessions),
                in_files=total.cost + copied.cost,
                copied=copied.cost,
                counted=total.cost,
                copying=frozenset(copied.sessions),
            ),
            saved=_saved(self._turns),
        )

    def _booked(self, database: Database, fitting: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """All that may count."""
        first = min(self._span.before, calendar.number_of(self._today) - HEAT_DAYS)
        tests: list[tuple[str, tuple[object, ...]]] = [(_within(fitting), values)]
        if first > -_ALWAYS:
            tests.append(("slot >= ?", (self._calendar.first_slot(first),)))
        if self._asked.model is not None:
            tests.append(("model = ?", (self._asked.model,)))
        return database.tuples(
            f"SELECT session_id, slot, model, kind, {NUMBERS} FROM booked "
            f"WHERE {' AND '.join(test for test, _ in tests)}",
            [value for _, given in tests for value in given],
        )

    def _count(
        self,
        booked: Iterable[tuple[Any, ...]],
        group_of: Mapping[int, Sums],
        family_of: Mapping[int, Sums],
    ) -> None:
        """Count what is booked where it belongs; the sums of a session's group and family are given."""
        span, places, newest = self._span, _Places(self._calendar), calendar.number_of(self._today)
        by_day_and_model: defaultdict[tuple[int, str], Sums] = defaultdict(Sums)
        first, last = span.first, span.last
        heat, hours, turns = self._heat, self._hours, self._turns
        for row in booked:
            session_id, slot, model, kind, messages, prompt, completion, read, written, known, cost = row
            day, weekday, hour = places[slot]
            if newest - HEAT_DAYS < day <= newest and kind != COPY:
                heat[day] += cost
            if kind == COPY or not first <= day <= last:
                self._count_apart(day, kind, session_id, row[4:])
                continue
            # As `Sums.book` does, without a call for each of tens of thousands.
            for sums in (by_day_and_model[day, model], group_of[session_id]):
                sums.cost += cost
                sums.prompt += prompt
                sums.completion += completion
                sums.cache_read += read
                sums.cache_write += written
                sums.cache_known += known
                sums.messages += messages
                sums.sessions.add(session_id)
            if session_id in family_of:
                family_of[session_id].book(session_id, *row[4:])
            hours[weekday][hour] += messages
            if known and cost > 0:
                turns[model].append((max(0.0, prompt - read - written), read, written, completion, cost))
        for (day, model), sums in by_day_and_model.items():
            self._days[day].add(sums)
            self._models[model].add(sums)

    def _count_apart(self, day: int, kind: int, session_id: int, numbers: tuple[Any, ...]) -> None:
        """Count what is a copy, or stands outside of the days that are asked for."""
        span = self._span
        if kind != COPY and span.before <= day < span.first:
            self._previous.book(session_id, *numbers)
        elif kind == COPY and span.first <= day <= span.last:
            self._copied.book(session_id, *numbers)

    def _tools(self, database: Database) -> list[Tool]:
        fitting, values = where(self._asked)
        begin = self._calendar.first_slot(self._span.first) if self._span.has_begin else -_ALWAYS
        end = _ALWAYS if self._span.last == _ALWAYS else self._calendar.first_slot(self._span.last + 1)
        rows = database.rows(
            "SELECT tool, sum(calls), sum(failures), count(DISTINCT session_id), sum(timed), "
            "sum(duration_ms) FROM tools "
            f"WHERE calls > 0 AND slot >= ? AND slot < ? AND {_within(fitting)} GROUP BY tool",
            (begin, end, *values),
        )
        return sorted((Tool(*row) for row in rows), key=lambda tool: (-tool.calls, tool.name))


class _Places(dict[int, tuple[int, int, int]]):
    """The day, the weekday and the hour of quarters of an hour."""

    def __init__(self, of: Calendar) -> None:
        super().__init__()
        self._calendar = of

    def __missing__(self, slot: int) -> tuple[int, int, int]:
        day, hour = self._calendar.place(slot * SLOT_MS)
        found = self[slot] = (day, calendar.weekday_of(day), hour)
        return found


def _within(fitting: str) -> str:
    return "1" if fitting == "1" else f"session_id IN (SELECT id FROM sessions WHERE {fitting})"


def _families(database: Database, families: Mapping[int, Sums]) -> list[Family]:
    """The dearest families that are more than one session."""
    ranked = sorted(
        ((root, sums) for root, sums in families.items() if len(sums.sessions) > 1),
        key=lambda item: (-item[1].cost, -item[1].tokens, item[0]),
    )[:MOST_FAMILIES]
    return [
        Family(database.row("SELECT * FROM sessions WHERE id = ?", (root,)), sums) for root, sums in ranked
    ]


def _saved(turns: Mapping[str, Iterable[Turn]]) -> float | None:
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
