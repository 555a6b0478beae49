"""The dashboard held against the transcripts: what is missing, different, there twice, or not of pi's."""

from collections.abc import AsyncIterator, Iterable, Mapping
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any

from pi_opensync.errors import KeyRefused, NetworkError
from pi_opensync.opensync import answers
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.differences import Differences, compare, of_deleted, unreadable, words_to_find
from pi_opensync.opensync.limits import LISTABLE
from pi_opensync.opensync.outcomes import Outcome, Verdict
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.repair import want_messages_again, want_search_again, want_session_again
from pi_opensync.store.views import wanted_rows

FOUND_AMONG = 100  # sessions that a search is to name the wanted one among


async def differences(
    client: Client,
    wanted: StateDatabase,
    *,
    only: str | None,
    server_dated: AbstractSet[str],
    server_ids: Mapping[str, str],
) -> AsyncIterator[Differences]:
    """Compare every session of the store `wanted` (or those whose id begins with `only`).

    `server_dated` are the sessions whose dates are the server's own, `server_ids` its own ids as far as they
    are known. What can not be read back is said of that session, and the others go on. Raises
    `NetworkError`, `KeyRefused`.
    """
    listing, is_whole, deleted = await _listing(client)
    there = {**server_ids, **listing}
    for row in wanted_rows(wanted):
        if only is not None and not row.external_id.startswith(only):
            continue
        if row.external_id in deleted:
            yield of_deleted(row.payload)
            continue
        server_id = there.get(row.external_id)
        bodies = [body for body, _leaves in row.messages]
        if server_id is None and not is_whole:
            yield unreadable(row.payload, bodies)  # there are more sessions than the server can list
            continue
        stored = None if server_id is None else await _read(client, server_id)
        if stored is CAN_NOT:
            yield unreadable(row.payload, bodies)
            continue
        found = compare(row.payload, bodies, stored, server_dates=row.external_id in server_dated)
        words = None if found.session_missing else words_to_find(row.payload, bodies)
        if words is not None:
            found.unfound = not await _is_found(client, row.external_id, words)
        yield found


CAN_NOT: dict[str, Any] = {}  # be read back


async def _listing(client: Client) -> tuple[dict[str, str], bool, AbstractSet[str]]:
    """The server's own ids of the sessions that it wrote last, by ours, and whether those are all.

    And the external ids of those that were deleted there.
    """
    for limit in LISTABLE:
        outcome = await client.sessions(limit)
        _raise_for_all(outcome, client)
        listing = answers.server_ids(outcome)
        if listing is not None:
            return listing, len(outcome.body["sessions"]) < limit, answers.deleted(outcome)
    return {}, False, frozenset()


async def _read(client: Client, server_id: str) -> dict[str, Any] | None:
    """The session; None where the server does not have it, `CAN_NOT` where it fails to say."""
    outcome = await client.read_session(server_id)
    _raise_for_all(outcome, client)
    if outcome.verdict is Verdict.DELIVERED:
        return outcome.body
    return None if outcome.status == HTTPStatus.NOT_FOUND else CAN_NOT


async def _is_found(client: Client, external_id: str, words: str) -> bool:
    """Also where the search does not say: it fails, or knows too many of these words."""
    outcome = await client.search(words, FOUND_AMONG)
    _raise_for_all(outcome, client)
    found = answers.found(outcome)
    return found is None or external_id in found or len(found) >= FOUND_AMONG


def want_again(state: StateDatabase, wanted: StateDatabase, found: Iterable[Differences], now: float) -> int:
    """Put what is missing or different back into the outbox; returns how many messages."""
    count = 0
    with state.transaction():
        for item in found:
            if item.session_missing or item.session_different:
                want_session_again(state, item.external_id, is_there=not item.session_missing, now=now)
            if item.unfound:
                want_search_again(state, item.external_id, now=now)
            for ids, is_there in ((item.missing, False), (item.different, True)):
                count += want_messages_again(state, item.external_id, ids, wanted, is_there=is_there, now=now)
    return count


def _raise_for_all(outcome: Outcome, client: Client) -> None:
    if outcome.verdict is Verdict.KEY_REFUSED:
        raise KeyRefused(outcome.reason, hint="make a new key and run `pi-opensync login`")
    if outcome.verdict is Verdict.AWAY:
        raise NetworkError(f"{client.host}: {outcome.reason}", hint="try again when it can be reached")
