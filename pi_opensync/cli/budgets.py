"""What was spent of the budgets that are set, as far as one's own dashboard knows."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from pi_opensync.daemon import places
from pi_opensync.sqlite import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi_opensync.daemon.notices import Passed
    from pi_opensync.dashboard.db.budget import Spending
    from pi_opensync.settings import Settings


def spent(chosen: Settings) -> list[Spending]:
    """Empty where no budget is set, or nothing is known."""
    if chosen.budget_daily is None and chosen.budget_monthly is None:
        return []
    from pi_opensync.dashboard.db.budget import Budget, spending
    from pi_opensync.dashboard.db.connections import FILE, beside

    budget = Budget(chosen.budget_daily, chosen.budget_monthly)
    try:
        with beside(places.own(chosen).home / FILE) as database:
            if database is None:
                return []
            return spending(database, budget, now=round(time.time() * 1000), zone=None)
    except StoreUnavailable:
        return []


def watched(chosen: Settings) -> Callable[[], Sequence[Passed]] | None:
    """Says which are passed, for a daemon to ask; None where none is set."""
    is_set = chosen.budget_daily is not None or chosen.budget_monthly is not None
    return partial(_passed, chosen) if is_set else None


def _passed(chosen: Settings) -> list[Passed]:
    from pi_opensync.daemon.notices import Passed

    return [Passed(each.time, each.spent, each.limit) for each in spent(chosen) if each.is_passed]
