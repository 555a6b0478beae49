"""Rows as the planner sees them: a settled session, a new one, messages that wait."""

import json
from dataclasses import replace
from typing import Any

from pi_opensync.deliver.actions import (
    Action,
    Learned,
    SendBatch,
    SendEach,
    SendSession,
    Situation,
)
from pi_opensync.deliver.plan import next_action
from pi_opensync.opensync.limits import (
    update_key,
)
from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import SyncState

NOW = 1_795_168_800.0
LONG_AGO = NOW - 86_400
WANTED = {
    "title": "a",
    "model": "m",
    "projectPath": "/p",
    "promptTokens": 5,
    "completionTokens": 2,
    "cost": 0.5,
}


def encoded(**changes: Any) -> bytes:
    return json.dumps(WANTED | changes).encode()


SETTLED = SyncState(
    id=1,
    external_id="s",
    transcript_id=1,
    generation=1,
    wanted=encoded(),
    wanted_digest=b"one",
    acked_digest=b"one",
    acked_key=update_key(encoded()),
    excluded=None,
    attempted_digest=b"one",
    dates="transcript",
    origin="new",
    server_id="id",
    sent_at=LONG_AGO,
    written_at=LONG_AGO,
    failures=0,
    next_try=0.0,
    parked=None,
    project="/home/user/p",
    live=True,
)
NEW = replace(
    SETTLED,
    acked_digest=None,
    acked_key=None,
    attempted_digest=None,
    dates=None,
    origin="new",
    server_id=None,
    sent_at=None,
    written_at=None,
)


PUT = SendSession("new", "transcript")


def waiting(number: int = 1, **changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "id": number,
        "external_id": f"s-user-{number}",
        "position": number,
        "created_at": round(LONG_AGO * 1000),
        "wanted": b"{}",
        "wanted_digest": b"new",
        "acked_digest": None,
        "acked_at": None,
        "attempted_digest": None,
        "failures": 0,
        "next_try": 0.0,
        "checked": False,
    }
    return Waiting(**(fields | changes))


def some(count: int, **changes: Any) -> list[Waiting]:
    return [waiting(number, **changes) for number in range(1, count + 1)]


def do(
    session: SyncState = SETTLED,
    fresh: list[Waiting] | None = None,
    updates: list[Waiting] | None = None,
    *,
    skew: float = 0.0,
    may_batch: bool = False,
    now: float = NOW,
) -> Action:
    batch = Learned(keeps_dates=may_batch, at=now)
    if may_batch and session is SETTLED:
        session = replace(session, written_at=now + skew)  # a batch is for what is being sent just now
    return next_action(session, fresh or [], updates or [], Situation(now, skew, batch=batch))


def numbers(action: Action) -> list[int]:
    assert isinstance(action, SendEach | SendBatch)
    return [message.id for message in action.messages]
