"""What messages cost, which tools they ran and which files they touched, summed up as they come in.

Usage is counted by session, model and quarter of an hour, the finest step that time zones differ by. What a
fork copied was paid for by its parent: it is counted apart, and of its tools nothing is.
"""

from collections.abc import Mapping
from typing import Any

from pi_opensync.dashboard.db.contents import StoredContent, unpack
from pi_opensync.dashboard.runs import Run, files_touched
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database, Row

_IS_COPY = (
    "sessions.is_dated AND messages.created_at < sessions.created_at "
    "AND (sessions.parent_external_id IS NOT NULL OR sessions.fork_prefix IS NOT NULL)"
)
_SUMS = (
    "count(*), sum(coalesce(prompt_tokens, 0)), sum(coalesce(completion_tokens, 0)), "
    "sum(coalesce(cache_read_tokens, 0)), sum(coalesce(cache_write_tokens, 0)), "
    "sum(CASE WHEN cache_read_tokens IS NULL THEN 0 ELSE coalesce(prompt_tokens, 0) END), "
    "total(cost)"
)


def recount(database: Database, session_id: int) -> None:
    """Count all of a session's messages anew, since what is a copy among them has changed."""
    database.run("DELETE FROM usage WHERE session_id = ?", (session_id,))
    database.run(
        f"INSERT INTO usage SELECT session_id, created_at / {SLOT_MS}, coalesce(model, ''), is_copy, {_SUMS} "
        f"FROM (SELECT messages.*, {_IS_COPY} AS is_copy FROM messages "
        "JOIN sessions ON sessions.id = messages.session_id WHERE messages.session_id = ?) "
        "GROUP BY 1, 2, 3, 4",
        (session_id,),
    )
    database.run("DELETE FROM tools WHERE session_id = ?", (session_id,))
    database.run("DELETE FROM touched WHERE session_id = ?", (session_id,))
    own = database.each(
        "SELECT messages.created_at, body FROM messages JOIN sessions ON sessions.id = messages.session_id "
        f"WHERE messages.session_id = ? AND NOT ({_IS_COPY})",
        (session_id,),
    )
    found = Counts()
    for created_at, body in own:
        found.runs(session_id, created_at, unpack(body))
    found.write(database)


def is_copy(session: Mapping[str, Any] | Row, created_at: int) -> bool:
    """Whether a message is older than the fork that it stands in."""
    is_fork = session["parent_external_id"] is not None or session["fork_prefix"] is not None
    return is_fork and bool(session["is_dated"]) and created_at < session["created_at"]


class Counts:
    """What messages took and did, added up until `write`."""

    def __init__(self) -> None:
        self._usage: dict[tuple[int, int, str, int], list[float]] = {}
        self._tools: dict[tuple[int, int, str], list[int]] = {}
        self._touched: dict[tuple[str, int], int] = {}
        self._lowered: set[int] = set()

    def usage(self, message: Mapping[str, Any], *, copied: bool, sign: int = 1) -> None:
        """Add what a message took, or with `sign` -1 take it away."""
        session_id = message["session_id"]
        key = (session_id, message["created_at"] // SLOT_MS, message["model"] or "", int(copied))
        prompt = message["prompt_tokens"] or 0
        took = (
            1,
            prompt,
            message["completion_tokens"] or 0,
            message["cache_read_tokens"] or 0,
            message["cache_write_tokens"] or 0,
            0 if message["cache_read_tokens"] is None else prompt,
            message["cost"] or 0.0,
        )
        before = self._usage.get(key, [0, 0, 0, 0, 0, 0, 0.0])
        self._usage[key] = [a + sign * b for a, b in zip(before, took, strict=True)]
        if sign < 0:
            self._lowered.add(session_id)

    def runs(self, session_id: int, created_at: int, content: StoredContent, *, sign: int = 1) -> None:
        """Add the tools that ran in a message and the files they touched; files are never taken away."""
        runs = content.runs
        if not runs:
            return
        slot = created_at // SLOT_MS
        for tool, numbers in _by_tool(runs).items():
            before = self._tools.get((session_id, slot, tool), [0, 0, 0, 0])
            self._tools[session_id, slot, tool] = [a + sign * b for a, b in zip(before, numbers, strict=True)]
        if sign > 0:
            for path, touch in files_touched(runs).items():
                self._touched[path, session_id] = self._touched.get((path, session_id), 0) | int(touch)

    def write(self, database: Database) -> None:
        database.run_many(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "messages = messages + excluded.messages, "
            "prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
            "completion_tokens = completion_tokens + excluded.completion_tokens, "
            "cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens, "
            "cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, "
            "cache_known_tokens = cache_known_tokens + excluded.cache_known_tokens, "
            "cost = cost + excluded.cost",
            [(*key, *sums) for key, sums in self._usage.items()],
        )
        for session_id in self._lowered:
            database.run("DELETE FROM usage WHERE session_id = ? AND messages <= 0", (session_id,))
        database.run_many(
            "INSERT INTO tools VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "calls = calls + excluded.calls, failures = failures + excluded.failures, "
            "timed = timed + excluded.timed, duration_ms = duration_ms + excluded.duration_ms",
            [(*key, *sums) for key, sums in self._tools.items()],
        )
        database.run_many(
            "INSERT INTO touched VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET kinds = kinds | excluded.kinds",
            [(*key, kinds) for key, kinds in self._touched.items()],
        )


def _by_tool(runs: list[Run]) -> dict[str, tuple[int, int, int, int]]:
    """Calls, failures, calls whose time is known, and that time in ms."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for run in runs:
        calls, failures, timed, ms = found.get(run.call.name, (0, 0, 0, 0))
        ran = run.duration_ms
        found[run.call.name] = (
            calls + 1,
            failures + bool(run.failed),
            timed + (ran is not None),
            ms + (ran or 0),
        )
    return found
