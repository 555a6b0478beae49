"""What delivery does, as log lines: one a happening, repeated failures at most every 30 s with a count."""

from collections.abc import Callable
from typing import Any

from pi_opensync.deliver.actions import Pause
from pi_opensync.deliver.changes import Report
from pi_opensync.deliver.schedule import Round
from pi_opensync.opensync.summary import summary
from pi_opensync.sqlite import StoreUnavailable
from pi_opensync.store.sessions import SyncState
from pi_opensync.texts import shown

QUIET = 30.0  # seconds between two lines about the same trouble
NAMED = 13  # characters of an id: those of pi begin with the time, eight of them with the minute


class LogEvents:
    """Rounds of delivery as log lines. Names of sessions and projects, never content."""

    def __init__(self, log: Any, *, now: Callable[[], float]) -> None:
        self._log = log
        self._now = now
        self._last: dict[str, tuple[float, int]] = {}
        self._trouble: tuple[float, str] | None = None

    def tell(self, came: Round) -> None:
        """Say what came of a round."""
        for report in came.reports:
            self._tell(report)
        if came.trouble is not None:
            self.trouble(came.trouble)

    def _tell(self, report: Report) -> None:
        session = report.session
        if report.back_after is not None:
            self._last.clear()
            self._log.info("recovered", away_s=round(report.back_after))
        for external_id, reason in report.parked:
            what = "session" if external_id == session.external_id else "message"
            self._log.error(
                "set aside",
                what=what,
                id=shown(external_id),
                reason=reason,
                hint="see `pi-opensync queue list`",
                **names(session),
            )
        for reason in report.failed:
            self._seldom("failed, will be tried again", reason, **names(session))
        if report.delivered:
            self.delivered(session, report.delivered)
        if report.away is not None:
            self._away(report.away)

    def delivered(self, session: SyncState, messages: int) -> None:
        self._log.info("delivered", messages=messages, **names(session))

    def _away(self, pause: Pause) -> None:
        seconds = pause.until - self._now()
        if pause.kind == "key refused":
            self._seldom(
                "delivery pauses",
                pause.reason,
                hint="make a new key and run `pi-opensync login`",
                next_try_s=round(seconds),
            )
        else:
            self._seldom("delivery pauses", pause.reason, next_try_s=round(seconds, 1))

    def trouble(self, error: StoreUnavailable) -> None:
        """The store can not be written: a full disk, most often."""
        self._trouble = self._now(), str(error)
        self._seldom(
            "the state can not be written, waiting",
            str(error),
            hint=error.hint,
        )

    def trouble_of_late(self) -> str | None:
        """Why the store could not be written, if that was a moment ago."""
        if self._trouble is None or self._now() - self._trouble[0] > QUIET:
            return None
        return self._trouble[1]

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


def names(session: SyncState) -> dict[str, str]:
    """The beginning of a session's id, and its project's name."""
    project = summary(session.wanted).project or "-"
    return {"session": shown(session.external_id[:NAMED]), "project": shown(project)}
