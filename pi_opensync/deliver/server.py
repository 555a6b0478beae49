"""Facts of one server, kept in the store's meta table so that they survive a restart."""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace

from pi_opensync.deliver.actions import Learned, Pause, ServerListing, Streak
from pi_opensync.deliver.width import Width
from pi_opensync.opensync.outcomes import Outcome
from pi_opensync.store.database import StateDatabase


class Server:
    """Its clock, whether its batch keeps dates, whether it is away, which sessions it had before us."""

    def __init__(self, database: StateDatabase, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self.skew = float(database.meta("skew") or 0.0)  # its clock minus ours, in seconds
        self._heard_at: float | None = None
        # Not kept on disk: asked, or met, anew by every run.
        self.listed: ServerListing | None = None
        self.ids: Mapping[str, str] | None = None
        self.ids_tries = 0  # how often they were asked for in vain
        self.rows = Streak()
        self.messages = Streak()
        self.width = Width()

    def heard(self, outcome: Outcome) -> None:
        """Take the server's clock from its answer."""
        if outcome.server_time is not None:
            self._heard_at = self._now()
            self.skew = outcome.server_time - self._heard_at

    @property
    def pause(self) -> Pause | None:
        return read_pause(self._database)

    def set_pause(self, pause: Pause | None) -> None:
        """To be called in a transaction."""
        self._database.set_meta("pause", None if pause is None else json.dumps(astuple(pause)))
        if pause is not None:
            self.note_error(pause.reason)

    @property
    def batch(self) -> Learned | None:
        """What was learned of its batch; None where it was never asked."""
        kept = self._database.meta("batch_keeps_dates")
        asked_at = self._database.meta("batch_asked_at")
        return None if kept is None else Learned(bool(kept), float(asked_at or 0.0))

    def learned_batch(self, learned: Learned) -> None:
        """To be called in a transaction."""
        self._database.set_meta("batch_keeps_dates", int(learned.keeps_dates))
        self._database.set_meta("batch_asked_at", learned.at)

    def clock_was_set(self, *, horizon: float, back_by: float = 0.0, within: float = 0.0) -> None:
        """Let no pause end later than `horizon` seconds from now: its end was told by another clock.

        It was set back in the last `within` seconds: what the server's clock was since may be right already.
        """
        if self.listed is not None and self.listed.sessions is None:
            self.listed = None
        pause = self.pause
        latest = self._now() + horizon
        if pause is not None and pause.until > latest:
            with self._database.transaction():
                self.set_pause(replace(pause, until=latest))
        if self._heard_at is None or not 0 <= self._now() - self._heard_at <= within:
            self.skew += back_by

    def try_now(self) -> None:
        """Forget a pause of an earlier run: somebody waits for this one."""
        if self.pause is not None:
            with self._database.transaction():
                self.set_pause(None)

    def note_success(self) -> None:
        """To be called in a transaction."""
        self._database.set_meta("last_success_at", self._now())
        self._database.set_meta("skew", self.skew)

    def note_error(self, reason: str) -> None:
        """To be called in a transaction."""
        self._database.set_meta("last_error", reason)
        self._database.set_meta("last_error_at", self._now())


def read_pause(database: StateDatabase) -> Pause | None:
    """The pause that the daemon noted, whether it is over or not."""
    stored = database.meta("pause")
    return None if stored is None else Pause(*json.loads(stored))
