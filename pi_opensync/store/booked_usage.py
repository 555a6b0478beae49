"""What each session used, by model and quarter of an hour, as it was folded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pi_opensync.model import Booked, Usage
from pi_opensync.opensync.summary import Summary, summary
from pi_opensync.store.database import StateDatabase


@dataclass(slots=True)
class SessionUsage:
    """A session with what is booked of it; its own sums may hold more, as of subagents."""

    said: Summary
    booked: Sequence[Booked]


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


def used(database: StateDatabase, since: int | None = None) -> Iterator[SessionUsage]:
    """Each session that does not stay on this machine; with `since` (ms) those that used something since."""
    narrow = (
        ""
        if since is None
        else "AND (id IN (SELECT session_id FROM usage WHERE at > :since) "
        "OR id NOT IN (SELECT session_id FROM usage))"
    )
    values = {} if since is None else {"since": since}
    sessions = database.rows(f"SELECT id, wanted FROM sessions WHERE excluded IS NULL {narrow}", values)
    few = "" if since is None else "WHERE session_id IN (SELECT session_id FROM usage WHERE at > :since)"
    booked: dict[int, list[Booked]] = {}
    for session_id, at, model, messages, *usage in database.rows(
        "SELECT session_id, at, model, messages, prompt, completion, cost, cache_read, cache_write "
        f"FROM usage {few}",
        values,
    ):
        booked.setdefault(session_id, []).append(Booked(at, model, messages, Usage(*usage)))
    return (SessionUsage(summary(wanted), booked.get(session_id, ())) for session_id, wanted in sessions)
