"""What the daemon hands over within this process: the same as over the wire, without one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from pi_opensync.dashboard.db import listing
from pi_opensync.dashboard.db.bookings import rebook
from pi_opensync.dashboard.db.connections import Connections, damaged, next_revision
from pi_opensync.dashboard.db.upsert import put
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.dashboard.parts import to_json
from pi_opensync.dashboard.web import received
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.opensync.outcomes import Outcome, Verdict, judge
from pi_opensync.sqlite import Damaged, Database, StoreUnavailable

_OK, _REFUSED, _FAILED = 200, 400, 500
_FAILURE = {"error": "The request failed."}


class Handed:
    """The dashboard of one's own, for `deliver.inside`. `now` gives ms."""

    def __init__(self, connections: Connections, *, now: Callable[[], int]) -> None:
        self._connections = connections
        self._now = now

    @contextmanager
    def taking(self) -> Iterator["_Taking"]:
        try:
            with self._connections.write() as database:
                taking = _Taking(database, self._now(), next_revision(database))
                yield taking
                rebook(database, taking.touched)
        except Damaged as error:
            if error.message.startswith(str(self._connections.path)):
                raise damaged(self._connections.path, error) from None
            raise  # the daemon's state, which is written within the block

    def rest(self) -> None:
        self._connections.empty_log()


class _Taking:
    """One transaction, in which each thing that is taken succeeds or fails alone."""

    def __init__(self, database: Database, now: int, revision: int) -> None:
        self._database = database
        self._now = now
        self._revision = revision
        self.touched: set[int] = set()

    def session(self, payload: bytes) -> Outcome:
        def take() -> dict[str, Any]:
            session = received.session_from(msgspec.json.decode(payload))
            return {"sessionId": str(self._put([session], [])[0])}

        return self._outcome(take)

    def messages(self, payloads: Sequence[bytes]) -> Outcome:
        def take() -> dict[str, Any]:
            messages = [
                received.message_from(msgspec.json.decode(payload), f"messages[{index}]")
                for index, payload in enumerate(payloads)
            ]
            self._put([], messages)
            return {"messages": len(messages)}

        return self._outcome(take)

    def session_ids(self) -> Outcome:
        return self._outcome(lambda: {"sessionIds": listing.external_ids(self._database)})

    def _put(self, sessions: Sequence[SessionIn], messages: Sequence[MessageIn]) -> list[int]:
        saved = put(self._database, sessions, messages, self._now, self._revision)
        self.touched |= saved.touched
        return saved.session_ids

    def _outcome(self, take: Callable[[], dict[str, Any]]) -> Outcome:
        """The same as over the wire: a fault in one of them must not end the daemon, nor hold the others."""
        seconds = self._now / 1000
        try:
            with self._database.transaction():
                body = take()
        except PayloadError as error:
            answer = {"error": str(error), "field": error.field}
            return judge(_REFUSED, {}, to_json(answer).encode(), now=seconds)
        except (StoreUnavailable, Damaged):
            raise
        except Exception:  # noqa: BLE001 - what a server answers with a 500
            return judge(_FAILED, {}, to_json(_FAILURE).encode(), now=seconds)
        # Without a time: this dashboard passes no update over, whenever it comes.
        return Outcome(Verdict.DELIVERED, body={"ok": True, **body}, status=_OK)
