"""What each session used, by model and quarter of an hour, as it was folded."""

from collections.abc import Iterable
from typing import Any

from pi_opensync.model import Booked, Usage
from pi_opensync.opensync.summary import Summary, summary
from pi_opensync.store.database import StateDatabase


class UsageRows:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def add(self, session_id: int, booked: Iterable[Booked]) -> None:
        """Add what was folded. To be called in the transaction that moves the cursor."""
        sums: dict[tuple[int, str], tuple[int, Usage]] = {}
        for one in booked:
            messages, usage = sums.get((one.at, one.model), (0, Usage()))
            sums[one.at, one.model] = messages + one.messages, usage + one.usage
        self._database.run_many(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "messages = messages + excluded.messages, prompt = prompt + excluded.prompt, "
            "completion = completion + excluded.completion, cost = cost + excluded.cost, "
            "cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write",
            [
                (
                    session_id,
                    at,
                    model,
                    messages,
                    usage.prompt,
                    usage.completion,
                    usage.cost,
                    usage.cache_read,
                    usage.cache_write,
                )
                for (at, model), (messages, usage) in sums.items()
            ],
        )


def known(database: StateDatabase) -> int:
    """How many sessions there are that do not stay on this machine."""
    return int(database.one("SELECT count(*) FROM sessions WHERE excluded IS NULL"))


def sessions(database: StateDatabase, since: int | None = None) -> dict[int, Summary]:
    """Those that do not stay on this machine; with `since` (ms) those that used something since."""
    narrow = (
        ""
        if since is None
        else "AND (id IN (SELECT session_id FROM usage WHERE at > :since) "
        "OR id NOT IN (SELECT session_id FROM usage))"
    )
    rows = database.rows(f"SELECT id, wanted FROM sessions WHERE excluded IS NULL {narrow}", _since(since))
    return {session_id: summary(wanted) for session_id, wanted in rows}


def sums(database: StateDatabase, since: int | None = None) -> Iterable[tuple[int, float, float, float]]:
    """What is booked of each session in all: prompt, completion, cost. Excluded ones are among them."""
    return database.rows(
        "SELECT session_id, sum(prompt), sum(completion), sum(cost) "
        f"FROM usage {_of_some(since)}GROUP BY session_id",
        _since(since),
    )


def booked(database: StateDatabase, since: int | None = None) -> Iterable[tuple[Any, ...]]:
    """The rows: session, quarter of an hour, model, messages, prompt, completion, cost."""
    return database.rows(
        f"SELECT session_id, at, model, messages, prompt, completion, cost FROM usage {_of_some(since)}",
        _since(since),
    )


def _of_some(since: int | None) -> str:
    of_them = "WHERE session_id IN (SELECT session_id FROM usage WHERE at > :since) "
    return "" if since is None else of_them


def _since(since: int | None) -> dict[str, int]:
    return {} if since is None else {"since": since}
