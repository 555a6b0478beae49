"""What a run has delivered in all, in place of a line for each session while there is much to send."""

from collections.abc import Callable
from typing import Any

from pi_opensync.daemon.events import LogEvents, names
from pi_opensync.store.sessions import SyncState
from pi_opensync.texts import counted


class Totals(LogEvents):
    """A line a session only at the level of debugging, until what was there at the start is delivered."""

    def __init__(self, log: Any, *, now: Callable[[], float]) -> None:
        super().__init__(log, now=now)
        self._all = log
        self.messages = 0
        self.sessions: set[str] = set()
        self.is_up_to_date = False

    def delivered(self, session: SyncState, messages: int) -> None:
        self.messages += messages
        self.sessions.add(session.external_id)
        if self.is_up_to_date:
            super().delivered(session, messages)
        else:
            self._all.debug("delivered", messages=messages, **names(session))

    def __str__(self) -> str:
        return f"{counted(self.messages, 'message')} of {counted(len(self.sessions), 'session')}"
