"""The statistics: what was spent when, on which project and model, and at which hours.

OpenSync keeps cost and tokens for each session, and a session may last for days. So each session's sums are
spread over the quarters of an hour in which it had messages: by their tokens, or by their number where they
carry none. A fork's copied history is left out: the parent has paid for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo

from pi_opensync.dashboard.db.schema import SLOT_MS
from pi_opensync.dashboard.times import at
from pi_opensync.sqlite import Database, Row

# One wrong date must not make a chart of a million days.
PERIOD_DAYS = (1, 7, 30, 365, 3650, 36500)
_MOST_PERIODS = 120


@dataclass(slots=True)
class Sums:
    """US dollars and tokens.

    `cache_known` counts the prompt tokens of sessions that tell about their cache.
    """

    cost: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0
    cache_read: float = 0.0
    cache_known: float = 0.0
    messages: int = 0
    sessions: set[int] = field(default_factory=set)

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion

    @property
    def cache_share(self) -> float | None:
        """The part of the prompt that came from the cache, 0 to 1; None where nothing is known."""
        return min(self.cache_read / self.cache_known, 1.0) if self.cache_known else None

    def add(self, session: Row, share: float, messages: int) -> None:
        self.cost += session["cost"] * share
        self.prompt += session["prompt_tokens"] * share
        self.completion += session["completion_tokens"] * share
        if session["cache_read_tokens"] is not None:
            self.cache_read += session["cache_read_tokens"] * share
            self.cache_known += session["prompt_tokens"] * share
        self.messages += messages
        self.sessions.add(session["id"])


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or a longer time where days would be too many; `start` is its first day."""

    start: date
    days: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Numbers:
    """`hours[weekday][hour]` counts messages, Monday and midnight first."""

    total: Sums
    periods: list[Period]
    projects: list[tuple[str, Sums]]
    models: list[tuple[str, Sums]]
    sources: list[tuple[str, Sums]]
    hours: list[list[int]]


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


def summarize(database: Database, *, days: int | None, now: int, zone: tzinfo | None) -> Numbers:
    """Everything on the page of numbers, for the last `days` days in `zone`, or for all time."""
    today = at(now, zone).date()
    first = None if days is None else today - timedelta(days=days - 1)
    total = Sums()
    by_day: dict[date, Sums] = {}
    projects: dict[str, Sums] = {}
    models: dict[str, Sums] = {}
    sources: dict[str, Sums] = {}
    hours = [[0] * 24 for _ in range(7)]
    places: dict[int, tuple[date, int, int]] = {}
    for session, slot, share, messages in _shares(database):
        if slot not in places:
            moment = at(slot * SLOT_MS, zone)
            places[slot] = (moment.date(), moment.weekday(), moment.hour)
        day, weekday, hour = places[slot]
        if first is not None and not first <= day <= today:
            continue
        for sums in (
            total,
            by_day.setdefault(day, Sums()),
            projects.setdefault(session["project_name"] or "no project", Sums()),
            models.setdefault(session["model"] or "unknown", Sums()),
            sources.setdefault(session["source"], Sums()),
        ):
            sums.add(session, share, messages)
        hours[weekday][hour] += messages
    start = first if first is not None else min(by_day, default=today)
    end = today if first is not None else max(by_day, default=today)
    return Numbers(
        total, _periods(by_day, start, end), _ranked(projects), _ranked(models), _ranked(sources), hours
    )


def _shares(database: Database) -> Iterator[tuple[Row, int, float, int]]:
    """Yield each session in each quarter of an hour, with its share of its sums and its messages there."""
    activity: dict[int, list[tuple[int, int, int]]] = {}
    for session_id, slot, messages, tokens in database.each("SELECT * FROM activity"):
        activity.setdefault(session_id, []).append((slot, messages, tokens))
    for session in database.each("SELECT * FROM sessions"):
        begin = session["created_at"] // SLOT_MS
        slots = activity.get(session["id"], [])
        if session["fork_prefix"] or session["parent_external_id"]:
            slots = [entry for entry in slots if entry[0] >= begin]
        tokens_in_all = sum(tokens for _, _, tokens in slots)
        messages_in_all = sum(messages for _, messages, _ in slots)
        if not slots:
            yield session, begin, 1.0, 0
        for slot, messages, tokens in slots:
            share = tokens / tokens_in_all if tokens_in_all else messages / messages_in_all
            yield session, slot, share, messages


def _periods(by_day: Mapping[date, Sums], start: date, end: date) -> list[Period]:
    days = (end - start).days + 1
    length = next(step for step in PERIOD_DAYS if days <= step * _MOST_PERIODS)
    periods = [
        Period(start + timedelta(days=offset), length, Sums()) for offset in range(0, max(days, 1), length)
    ]
    for day, sums in by_day.items():
        if start <= day <= end:
            _merge(periods[(day - start).days // length].sums, sums)
    return periods


def _merge(sums: Sums, more: Sums) -> None:
    sums.cost += more.cost
    sums.prompt += more.prompt
    sums.completion += more.completion
    sums.cache_read += more.cache_read
    sums.cache_known += more.cache_known
    sums.messages += more.messages
    sums.sessions |= more.sessions


def _ranked(groups: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    return sorted(groups.items(), key=lambda item: (-item[1].cost, -item[1].tokens, item[0]))
