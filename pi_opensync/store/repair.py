"""Wants again what a look at the server found missing or different."""

from collections.abc import Sequence

from pi_opensync.store.database import StateDatabase


def want_session_again(state: StateDatabase, external_id: str, *, is_there: bool, now: float) -> None:
    """`is_there`: the server has the session, in another version. To be called in a transaction."""
    state.run(
        "UPDATE sessions SET acked_digest = CASE WHEN ? THEN x'' END, "
        "acked_key = CASE WHEN ? THEN acked_key END, parked = NULL, due = ? WHERE external_id = ?",
        (is_there, is_there, now, external_id),
    )


def want_search_again(state: StateDatabase, external_id: str, *, now: float) -> None:
    """Have the session's words found by the server's search. To be called in a transaction."""
    state.run("UPDATE sessions SET retitled = 1, due = ? WHERE external_id = ?", (now, external_id))
    state.run(
        "UPDATE messages SET unfound = 1 WHERE session_id = (SELECT id FROM sessions WHERE external_id = ?)",
        (external_id,),
    )


def want_messages_again(
    state: StateDatabase,
    session: str,
    external_ids: Sequence[str],
    wanted: StateDatabase,
    *,
    is_there: bool,
    now: float,
) -> int:
    """Messages of a session, as a dry store wants them; returns how many. To be called in a transaction."""
    count = 0
    for external_id in external_ids:
        payload = wanted.one("SELECT wanted FROM messages WHERE external_id = ?", external_id)
        count += state.run(
            "UPDATE messages SET wanted = ?, parked = NULL, failures = 0, next_try = 0, "
            "acked_digest = CASE WHEN ? THEN x'' END WHERE external_id = ?",
            (payload, is_there, external_id),
        )
    state.run("UPDATE sessions SET due = ? WHERE external_id = ?", (now, session))
    return count
