"""The columns of the charts of numbers: what each says, and the sessions behind it."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from pi_opensync.dashboard.db.sums import Asked, Period
from pi_opensync.dashboard.show.axes import Bar
from pi_opensync.dashboard.show.visible import count, money


def filters_of(asked: Asked) -> dict[str, str]:
    """Return what is asked for besides its days, as the list of sessions is asked for it."""
    names = {"project": asked.project, "model": asked.model, "source": asked.source, "machine": asked.machine}
    return {name: value for name, value in names.items() if value}


def days_of(asked: Asked) -> dict[str, str]:
    days = {"since_day": asked.first, "until": asked.last}
    return {name: day.isoformat() for name, day in days.items() if day}


def cost_column(period: Period, filters: Mapping[str, str]) -> Bar:
    cost = period.sums.cost
    return Bar(_name(period), money(cost), (cost,), _sessions_of(period, filters))


def token_column(period: Period, filters: Mapping[str, str]) -> Bar:
    """Stand on each other: what came from the cache, the rest of the prompt, what was written."""
    sums = period.sums
    cached = min(sums.cache_read, sums.prompt)
    said = f"{count(sums.prompt)} in, {count(sums.completion)} out"
    if sums.cache_share is not None:
        said += f", {count(cached)} of it from cache"
    values = (cached, sums.prompt - cached, sums.completion)
    return Bar(_name(period), said, values, _sessions_of(period, filters))


def _sessions_of(period: Period, filters: Mapping[str, str]) -> str:
    last = period.start + timedelta(days=period.days - 1)
    return "/?" + urlencode({**filters, "since_day": period.start.isoformat(), "until": last.isoformat()})


def _name(period: Period) -> str:
    until = f" and {period.days - 1} more days" if period.days > 1 else ""
    return f"{period.start:%a} {period.start.day} {period.start:%b %Y}{until}"
