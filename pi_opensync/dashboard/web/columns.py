"""The columns of the charts of numbers: what each says, and the sessions behind it."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import urlencode

from pi_opensync.dashboard.db.sums import Asked, Period
from pi_opensync.dashboard.show.axes import Bar
from pi_opensync.dashboard.show.visible import count, money

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def filters_of(asked: Asked) -> dict[str, str]:
    """Return what is asked for besides its days, as the list of sessions is asked for it."""
    names = {"project": asked.project, "model": asked.model, "source": asked.source, "machine": asked.machine}
    return {name: value for name, value in names.items() if value}


def days_of(asked: Asked) -> dict[str, str]:
    days = {"since_day": asked.first, "until": asked.last}
    return {name: day.isoformat() for name, day in days.items() if day}


def calls_of(tool: str, asked: Asked, *, failed: bool = False) -> str:
    """Return the search for the messages in which a tool was called, or failed.

    Tools are counted whatever the model.
    """
    named = f'tool:"{tool}"' if re.search(r'[\s"]', tool) else f"tool:{tool}"
    days = [f"after:{asked.first.isoformat()}"] if asked.first else []
    if asked.last and asked.last < date.max:
        days.append(f"before:{(asked.last + timedelta(days=1)).isoformat()}")
    words = [named, *(["is:error"] if failed else []), *days]
    narrow = {name: value for name, value in filters_of(asked).items() if name != "model"}
    return "/search?" + urlencode({"q": " ".join(words), **narrow})


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
    return "/?" + urlencode(
        {**filters, "since_day": period.start.isoformat(), "until": _last(period).isoformat()}
    )


def _last(period: Period) -> date:
    try:
        return period.start + timedelta(days=period.days - 1)
    except OverflowError:
        return date.max


def _name(period: Period) -> str:
    first, last = period.start, _last(period)
    if first == last:
        return f"{first:%a} {first.day} {first:%b %Y}"
    of_year = "" if first.year == last.year else f" {first:%Y}"
    return f"{first.day} {first:%b}{of_year} to {last.day} {last:%b %Y}"
