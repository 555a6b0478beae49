"""What is known of the server: its clock, whether its batch keeps dates, whether it is away."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from pi_opensync.deliver.backoff import delay
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.store.database import Database

ASK_AGAIN = 24 * 3600.0  # seconds until a server is asked again whether its batch keeps dates
KEY_PAUSE = 600.0  # seconds until a refused key is tried again

Away = Literal["reachable", "away", "key refused"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is sent, and until when."""

    kind: Away
    reason: str
    failures: int
    until: float
    since: float


class Server:
    """Facts of one server, kept in the store's meta table so that they survive a restart."""

    def __init__(self, database: Database, *, now: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._jitter = jitter
        self.skew = float(database.meta("skew") or 0.0)
        self.pause = read_pause(database)

    def heard(self, outcome: Outcome) -> None:
        if outcome.server_time is not None:
            self.skew = outcome.server_time - self._now()

    def time(self) -> float:
        return self._now() + self.skew

    def batch_keeps_dates(self) -> bool | None:
        """None where it was not asked for a day."""
        kept = self._database.meta("batch_keeps_dates")
        asked_at = self._database.meta("batch_asked_at") or 0.0
        if kept is None or not 0 <= self._now() - asked_at < ASK_AGAIN:
            return None
        return bool(kept)

    def learned_batch(self, *, keeps_dates: bool) -> None:
        with self._database.transaction():
            self._database.set_meta("batch_keeps_dates", int(keeps_dates))
            self._database.set_meta("batch_asked_at", self._now())

    def went_away(self, outcome: Outcome) -> Pause:
        """Stop sending for a while: longer with every failure in a row, or as the server asked."""
        now = self._now()
        if self.pause is not None and self.pause.until > now:
            return self.pause  # one of several requests that were under way
        failures = (self.pause.failures if self.pause else 0) + 1
        since = self.pause.since if self.pause else now
        if outcome.verdict is Verdict.KEY_REFUSED:
            kind: Away = "key refused"
            until = now + KEY_PAUSE
        else:
            kind = "away"
            until = now + delay(failures, self._jitter(), retry_after=outcome.retry_after)
        self.pause = Pause(kind, outcome.reason, failures, until, since)
        with self._database.transaction():
            self._database.set_meta("pause", json.dumps([kind, outcome.reason, failures, until, since]))
            self.note_error(outcome.reason)
        return self.pause

    def came_back(self) -> Pause | None:
        """Forget the pause; returns the one that ended."""
        ended = self.pause
        if ended is not None:
            with self._database.transaction():
                self._database.set_meta("pause", None)
            self.pause = None
        return ended

    def clock_was_set(self, *, horizon: float, back_by: float = 0.0) -> None:
        """End a pause whose end was told by another clock: nothing waits longer than `horizon` seconds."""
        self.skew += back_by
        if self.pause is not None:
            self.pause = replace(self.pause, until=min(self.pause.until, self._now() + horizon))

    def try_now(self) -> None:
        """Forget a pause of an earlier run: somebody waits for this one."""
        self.came_back()

    def note_success(self) -> None:
        """To be called in a transaction."""
        self._database.set_meta("last_success_at", self._now())
        self._database.set_meta("skew", self.skew)

    def note_error(self, reason: str) -> None:
        """To be called in a transaction."""
        self._database.set_meta("last_error", reason)
        self._database.set_meta("last_error_at", self._now())


def read_pause(database: Database) -> Pause | None:
    stored = database.meta("pause")
    return None if stored is None else Pause(*json.loads(stored))
