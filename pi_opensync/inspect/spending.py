"""What pi's sessions used, by day, week, month or session. Pure."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from pi_opensync.opensync.summary import Summary

Period = Literal["daily", "weekly", "monthly", "session"]
By = Literal["project", "model", "provider"]
UNKNOWN = "-"


class Used(msgspec.Struct, frozen=True, gc=False):
    """What a session used of one model in the quarter of an hour that begins at `at` (ms)."""

    said: Summary
    at: int
    model: str | None
    messages: int
    prompt_tokens: float
    completion_tokens: float
    cost: float


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums over a `period`; `cost` in US dollars, `group` what was asked to sum by.

    Of one `session`, named by its id, the period is the day on which it began.
    """

    period: str
    group: str | None
    sessions: int
    messages: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    session: str | None = None
    title: str | None = None


def usage(used: Collection[Used], period: Period, by: By | None = None) -> list[UsageReport]:
    """The sums, the latest first; each message counts where it was said."""
    if period == "session":
        return _by_session(used, by)
    form = _PERIODS[period]
    names = {at: _named(at, form) for at in {one.at for one in used}}  # few beside what was used
    sums: dict[tuple[str, str | None], list[Used]] = defaultdict(list)
    for one in used:
        sums[names[one.at], None if by is None else _group(one, by)].append(one)
    return [
        total(items, name, group)
        for (name, group), items in sorted(
            sums.items(), key=lambda item: (item[0][0], -sum(it.cost for it in item[1])), reverse=True
        )
    ]


def _by_session(used: Iterable[Used], by: By | None) -> list[UsageReport]:
    """The same, a row for each session, the one that began last first."""
    sums: dict[tuple[int, str, str | None], list[Used]] = {}
    for one in used:
        group = None if by is None else _group(one, by)
        sums.setdefault((one.said.created_at or 0, one.said.id, group), []).append(one)
    ordered = sorted(sums.items(), key=lambda item: (*item[0][:2], -sum(it.cost for it in item[1])))
    return [
        total(items, _named(began, "%Y-%m-%d") if began else UNKNOWN, group, items[0].said)
        for (began, _session, group), items in reversed(ordered)
    ]


def total(
    used: Iterable[Used], period: str = "total", group: str | None = None, session: Summary | None = None
) -> UsageReport:
    items = list(used)
    return UsageReport(
        period,
        group,
        len({item.said.id for item in items}),
        sum(item.messages for item in items),
        round(sum(item.prompt_tokens for item in items)),
        round(sum(item.completion_tokens for item in items)),
        sum(item.cost for item in items),
        None if session is None else session.id,
        None if session is None else session.title,
    )


def differing(kept: Iterable[Summary], folded: Iterable[Summary]) -> list[str]:
    """The sessions of which the store has other sums than the files, or that only one of both has."""
    one, other = ({said.id: said for said in items} for items in (kept, folded))
    return sorted(key for key in one.keys() | other.keys() if _sums(one.get(key)) != _sums(other.get(key)))


def _sums(said: Summary | None) -> tuple[int, int, float] | None:
    return None if said is None else (said.prompt_tokens, said.completion_tokens, round(said.cost, 9))


def _group(used: Used, by: By) -> str:
    if by == "model":
        return used.model or UNKNOWN
    return getattr(used.said, by) or UNKNOWN


def _named(at: int, form: str) -> str:
    return time.strftime(form, time.localtime(at / 1000))


_PERIODS: dict[Period, str] = {"daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m"}
