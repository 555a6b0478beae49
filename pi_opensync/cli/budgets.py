"""What was spent of the budgets that are set."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from pi_opensync.daemon import places
from pi_opensync.sqlite import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi_opensync.daemon.notices import Passed
    from pi_opensync.dashboard.db.budget import Spending
    from pi_opensync.settings import Settings


def spent(chosen: Settings, now: float) -> list[Spending]:
    """As one's own dashboard knows, or else as the daemon has read; empty where no budget is set.

    `now` in seconds since the epoch: today and this month are those of this machine then.
    """
    if chosen.budget_daily is None and chosen.budget_monthly is None:
        return []
    from pi_opensync.dashboard.db.budget import Budget, spending
    from pi_opensync.dashboard.db.connections import FILE, beside

    budget = Budget(chosen.budget_daily, chosen.budget_monthly)
    try:
        with beside(places.own(chosen).home / FILE) as database:
            if database is not None:
                return spending(database, budget, now=round(now * 1000), zone=None)
        return _of_store(chosen, now)
    except StoreUnavailable:
        return []


def _of_store(chosen: Settings, now: float) -> list[Spending]:
    from pi_opensync.cli.booked import used
    from pi_opensync.dashboard.db.budget import Spending
    from pi_opensync.model import SLOT_MS

    midnight = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    asked = (
        ("today", midnight, chosen.budget_daily),
        ("this month", midnight.replace(day=1), chosen.budget_monthly),
    )
    since = _ms(midnight.replace(day=1)) - SLOT_MS
    everything = used([place.state for place in places.kept(chosen)], since)
    return [
        Spending(name, sum(one.cost for one in everything if one.at >= _ms(begin)), limit)
        for name, begin, limit in asked
        if limit is not None and everything
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def watched(chosen: Settings) -> Callable[[], Sequence[Passed]] | None:
    """Says which are passed, for a daemon to ask; None where none is set."""
    is_set = chosen.budget_daily is not None or chosen.budget_monthly is not None
    return partial(_passed, chosen) if is_set else None


def _passed(chosen: Settings) -> list[Passed]:
    from pi_opensync.daemon.notices import Passed

    return [
        Passed(each.time, each.spent, each.limit) for each in spent(chosen, time.time()) if each.is_passed
    ]
