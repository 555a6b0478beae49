"""What sessions cost, by day, week, month or session. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pi_opensync.opensync.summary import Summary

Period = Literal["daily", "weekly", "monthly", "session"]
By = Literal["project", "model", "provider"]
UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over sessions that began in `period`; `cost` in US dollars, `group` what was asked to sum by."""

    period: str
    group: str | None
    sessions: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    duration_ms: int


def usage(sessions: Iterable[Summary], period: Period, by: By | None = None) -> list[Usage]:
    """The sums, the latest first; a session counts where it began."""
    named = _PERIODS[period]
    sums: dict[tuple[str, str | None], list[Summary]] = {}
    for said in sessions:
        group = None if by is None else getattr(said, by) or UNKNOWN
        sums.setdefault((named(said), group), []).append(said)
    return [
        total(items, name, group)
        for (name, group), items in sorted(
            sums.items(), key=lambda item: (item[0][0], -sum(it.cost for it in item[1])), reverse=True
        )
    ]


def total(sessions: Iterable[Summary], period: str = "total", group: str | None = None) -> Usage:
    items = list(sessions)
    return Usage(
        period,
        group,
        len(items),
        sum(item.prompt_tokens for item in items),
        sum(item.completion_tokens for item in items),
        sum(item.cost for item in items),
        sum(item.duration_ms for item in items),
    )


def differing(kept: Iterable[Summary], folded: Iterable[Summary]) -> list[str]:
    """The sessions of which the store has other sums than the files, or that only one of both has."""
    one, other = ({said.id: said for said in items} for items in (kept, folded))
    return sorted(key for key in one.keys() | other.keys() if _sums(one.get(key)) != _sums(other.get(key)))


def _sums(said: Summary | None) -> tuple[int, int, float] | None:
    return None if said is None else (said.prompt_tokens, said.completion_tokens, round(said.cost, 9))


def _began(said: Summary) -> datetime | None:
    return (
        None if said.created_at is None else datetime.fromtimestamp(said.created_at / 1000, UTC).astimezone()
    )


def _day(said: Summary) -> str:
    began = _began(said)
    return UNKNOWN if began is None else f"{began:%Y-%m-%d}"


def _week(said: Summary) -> str:
    began = _began(said)
    return UNKNOWN if began is None else f"{began:%G-W%V}"


def _month(said: Summary) -> str:
    began = _began(said)
    return UNKNOWN if began is None else f"{began:%Y-%m}"


def _session(said: Summary) -> str:
    return f"{_day(said)} {said.title or said.id}"


_PERIODS: dict[Period, Callable[[Summary], str]] = {
    "daily": _day,
    "weekly": _week,
    "monthly": _month,
    "session": _session,
}
