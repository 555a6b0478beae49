"""What delivery does, as log lines: one a happening, repeated failures at most every 30 s with a count."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from pi_opensync.store.sessions import Session
from pi_opensync.texts import shown

QUIET = 30.0  # seconds between two lines about the same trouble


class LogEvents:
    """`deliver.courier.Events` as log lines. Names of sessions and projects, never content."""

    def __init__(self, log: Any, *, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._last: dict[str, tuple[float, int]] = {}
        self._trouble: tuple[float, str] | None = None

    def delivered(self, session: Session, messages: int) -> None:
        self._log.info("delivered", messages=messages, **names(session))

    def parked(self, session: Session, external_id: str, reason: str) -> None:
        what = "session" if external_id == session.external_id else "message"
        self._log.error(
            "parked",
            what=what,
            id=shown(external_id),
            reason=reason,
            hint="see `pi-opensync status`",
            **names(session),
        )

    def failed(self, session: Session, reason: str) -> None:
        self._seldom("failed, will be tried again", reason, **names(session))

    def away(self, kind: str, reason: str, seconds: float) -> None:
        if kind == "key refused":
            self._seldom(
                "delivery pauses",
                reason,
                hint="make a new key and run `pi-opensync login`",
                next_try_s=round(seconds),
            )
        else:
            self._seldom("delivery pauses", reason, next_try_s=round(seconds, 1))

    def trouble(self, error: sqlite3.OperationalError) -> None:
        """The store can not be written: a full disk, most often."""
        self._trouble = self._now(), str(error)
        self._seldom(
            "the state can not be written, waiting",
            str(error),
            hint="free some disk space; nothing is lost",
        )

    def trouble_of_late(self) -> str | None:
        """Why the store could not be written, if that was a moment ago."""
        if self._trouble is None or self._now() - self._trouble[0] > QUIET:
            return None
        return self._trouble[1]

    def back(self, seconds: float) -> None:
        self._last.clear()
        self._log.info("recovered", away_s=round(seconds))

    def _seldom(self, event: str, reason: str, **values: object) -> None:
        said_at, held_back = self._last.get(reason, (float("-inf"), 0))
        now = self._now()
        if 0 <= now - said_at < QUIET:
            self._last[reason] = (said_at, held_back + 1)
            return
        self._last[reason] = (now, 0)
        if held_back:
            values["repeated"] = held_back
        self._log.warning(event, reason=reason, **values)


def names(session: Session) -> dict[str, str]:
    """A session's short id and its project's name."""
    payload = json.loads(session.wanted)
    return {"session": shown(session.external_id[:8]), "project": shown(str(payload.get("projectName", "-")))}
