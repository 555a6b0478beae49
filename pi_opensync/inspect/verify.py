"""The dashboard held against the transcripts: what is missing, different, there twice, or not of pi's."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from pi_opensync.errors import KeyRefused, NetworkError
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.differences import Differences, compare, server_ids
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.store.database import Database
from pi_opensync.store.repair import want_messages_again, want_session_again
from pi_opensync.store.views import wanted_rows

ALL = 1_000_000  # more sessions than a dashboard has


async def differences(
    client: Client, wanted: Database, *, only: str | None, server_dated: set[str]
) -> AsyncIterator[Differences]:
    """Compare every session of the store `wanted` (or those whose id begins with `only`).

    `server_dated` are the sessions whose dates are the server's own. Raises `NetworkError`, `KeyRefused`.
    """
    there = server_ids(_body(await client.sessions(ALL), client))
    for row in wanted_rows(wanted):
        if only is not None and not row.external_id.startswith(only):
            continue
        stored: dict[str, Any] | None = None
        if row.external_id in there:
            stored = _body(await client.read_session(there[row.external_id]), client)
        yield compare(
            row.payload,
            (body for body, _leaves in row.messages),
            stored,
            server_dates=row.external_id in server_dated,
        )


def want_again(state: Database, wanted: Database, found: Iterable[Differences], now: float) -> int:
    """Put what is missing or different back into the outbox; returns how many messages."""
    count = 0
    with state.transaction():
        for item in found:
            if item.session_missing or item.session_different:
                want_session_again(state, item.external_id, is_there=not item.session_missing, now=now)
            for ids, is_there in ((item.missing, False), (item.different, True)):
                count += want_messages_again(state, item.external_id, ids, wanted, is_there=is_there, now=now)
    return count


def _body(outcome: Outcome, client: Client) -> dict[str, Any]:
    if outcome.verdict is Verdict.KEY_REFUSED:
        raise KeyRefused(outcome.reason, hint="make a new key and run `pi-opensync login`")
    if outcome.verdict is not Verdict.DELIVERED:
        raise NetworkError(f"{client.host}: {outcome.reason}", hint="try again when it can be reached")
    return outcome.body
