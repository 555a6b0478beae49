"""What was spent today and this month, beside what the user wants to spend."""

from dataclasses import dataclass
from datetime import tzinfo

from pi_opensync.dashboard.db.numbers import spent_since
from pi_opensync.dashboard.times import at
from pi_opensync.sqlite import Database


@dataclass(frozen=True, slots=True)
class Budget:
    """US dollars; None where nothing is set."""

    daily: float | None = None
    monthly: float | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """US dollars; `time` is `today` or `this month`."""

    time: str
    spent: float
    limit: float

    @property
    def is_passed(self) -> bool:
        return self.spent > self.limit


def spending(database: Database, budget: Budget, *, now: int, zone: tzinfo | None) -> list[Spending]:
    """Return what is spent of each budget that is set."""
    today = at(now, zone).date()
    asked = (("today", today, budget.daily), ("this month", today.replace(day=1), budget.monthly))
    return [
        Spending(time, spent_since(database, first, zone), limit)
        for time, first, limit in asked
        if limit is not None
    ]
