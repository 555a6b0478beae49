"""What pi counted for a request: its `usage`, and how much of it is a subagent's."""

from collections.abc import Iterator
from typing import Any

from pi_opensync import texts
from pi_opensync.model import Delegation, Usage

SUFFIX = ".jsonl"
MOST_DOLLARS = 1e9  # a price beyond a billion is no price
_FILE = "sessionFile"  # where a tool's details name a subagent's transcript
_DEPTH = 6  # levels of a tool's details that are searched


def usage_of(value: object) -> Usage | None:
    """Pi's `usage`, or None. The prompt is what was sent, cached or not."""
    if not isinstance(value, dict):
        return None
    cost = value.get("cost")
    return _usage(value, cost.get("total") if isinstance(cost, dict) else None)


def _usage(value: object, dollars: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    return Usage(
        prompt=sum(_count(value.get(name)) for name in ("input", "cacheRead", "cacheWrite")),
        completion=_count(value.get("output")),
        cost=_dollars(dollars),
        cache_read=_count(value.get("cacheRead")),
        cache_write=_count(value.get("cacheWrite")),
    )


def split(message: dict[str, Any], usage: Usage | None) -> tuple[Usage | None, tuple[Delegation, ...]]:
    """A tool result's usage: what is its own, and what the transcripts of subagents that it names say too.

    Together they are what the result says, however little that is; a result without usage only names them.
    """
    named = list(_subagents(message.get("details"), 0))
    if not named:
        return usage, ()
    if usage is None:
        return None, tuple(Delegation(file, Usage()) for file, _used in named)
    if not any(used for _file, used in named):
        return Usage(), (Delegation(named[0][0], usage),)
    rest = usage
    delegations: list[Delegation] = []
    for file, used in named:
        left = rest if used is None else _less(rest, used)
        delegations.append(Delegation(file, _less(rest, left)))
        rest = left
    return rest, tuple(delegations)


def _subagents(value: object, depth: int) -> Iterator[tuple[str, Usage | None]]:
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        file = value.get(_FILE)
        if isinstance(file, str) and file.endswith(SUFFIX):
            used = value.get("usage")
            yield file, _usage(used, used.get("cost") if isinstance(used, dict) else None)
            return
        for inner in value.values():
            yield from _subagents(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _subagents(inner, depth + 1)


def _less(whole: Usage, part: Usage) -> Usage:
    return Usage(
        max(0, whole.prompt - part.prompt),
        max(0, whole.completion - part.completion),
        max(0.0, whole.cost - part.cost),
        max(0, whole.cache_read - part.cache_read),
        max(0, whole.cache_write - part.cache_write),
    )


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return round(value) if 0 < value <= texts.MAX_SAFE_INTEGER else 0


def _dollars(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < MOST_DOLLARS else 0.0
