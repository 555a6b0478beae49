"""What each session used, by model and quarter of an hour, as it was folded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pi_opensync.model import Booked, Usage
from pi_opensync.opensync.summary import Summary, summary
from pi_opensync.store.database import StateDatabase


@dataclass(frozen=True, slots=True)
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
        else "AND (s.id IN (SELECT session_id FROM usage WHERE at > :since) "
        "OR s.id NOT IN (SELECT session_id FROM usage)) "
    )
    rows = database.rows(
        "SELECT s.id, s.wanted, u.at, u.model, u.messages, u.prompt, u.completion, u.cost, u.cache_read, "
        "u.cache_write FROM sessions s LEFT JOIN usage u ON u.session_id = s.id "
        f"WHERE s.excluded IS NULL {narrow}ORDER BY s.id",
        {} if since is None else {"since": since},
    )
    for _session_id, group in groupby(rows, key=lambda row: row[0]):
        of_it = list(group)
        booked = [Booked(row[2], row[3], row[4], Usage(*row[5:])) for row in of_it if row[2] is not None]
        yield SessionUsage(summary(of_it[0][1]), booked)
