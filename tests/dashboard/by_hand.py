"""Counts transcripts as a person would with a list of rules beside them, with nothing of pi-opensync's.

A session's own entries are those that are not older than its header, where that names a parent; an entry that
was met counts once; each usage counts where it stands, an answer's at the time its request began.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


@dataclass
class Session:
    """`used` are (day, model, tokens, US dollars) of what is its own; `copied` dollars of what is not.

    `parent` is the name of the parent's file; `answers` are the costs of answers by their entries' ids.
    """

    id: str
    project: str
    parent: str | None
    begun: str
    model: str = ""
    used: list[tuple[str, str, int, float]] = field(default_factory=list)
    copied: float = 0.0
    seen: set[str] = field(default_factory=set)
    above: dict[str, str | None] = field(default_factory=dict)
    answers: dict[str, float] = field(default_factory=dict)


def sessions(folder: Path) -> dict[str, Session]:
    """The sessions of all files below a folder, by their ids."""
    found: dict[str, Session] = {}
    for path in sorted(folder.rglob("*.jsonl")):
        current: Session | None = None
        for entry in _entries(path):
            if entry["type"] == "session":
                parent = entry.get("parentSession")
                current = found.setdefault(
                    entry["id"],
                    Session(
                        entry["id"], entry.get("cwd", ""), parent and Path(parent).name, entry["timestamp"]
                    ),
                )
            elif current is not None:
                _take(current, entry)
    return found


def _entries(path: Path) -> Iterator[Entry]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _take(session: Session, entry: Entry) -> None:
    key = entry.get("id") or json.dumps(entry, sort_keys=True)
    if key in session.seen:
        return
    session.seen.add(key)
    message = entry.get("message") or {}
    if "id" in entry:
        session.above[entry["id"]] = entry.get("parentId")
    if message.get("role") == "assistant":
        session.answers[key] = message["usage"]["cost"]["total"]
        session.model = message.get("responseModel") or message.get("model") or session.model
    elif entry["type"] == "model_change":
        session.model = entry["modelId"]
    usage = message.get("usage") or entry.get("usage")
    if not usage:
        return
    cost = usage["cost"]["total"]
    if session.parent is not None and entry["timestamp"] < session.begun:
        session.copied += cost
        return
    tokens = sum(usage.get(name, 0) for name in ("input", "output", "cacheRead", "cacheWrite"))
    session.used.append((_day(entry, message), entry.get("model") or session.model, tokens, cost))


def _day(entry: Entry, message: Entry) -> str:
    if message.get("role") == "assistant" and message.get("timestamp"):
        return f"{datetime.fromtimestamp(message['timestamp'] / 1000, UTC):%Y-%m-%d}"
    return str(entry["timestamp"])[:10]


def by(counted: Iterable[Session], which: str) -> dict[str, tuple[int, float]]:
    """Tokens and US dollars by `day`, `model` or `project`."""
    sums: defaultdict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for session in counted:
        for day, model, tokens, cost in session.used:
            key = {"day": day, "model": model, "project": session.project}[which]
            before = sums[key]
            sums[key] = before[0] + tokens, before[1] + cost
    return dict(sums)


def by_day_and_model(counted: Iterable[Session]) -> dict[tuple[str, str], tuple[int, float]]:
    """Tokens and US dollars of each model on each day."""
    sums: defaultdict[tuple[str, str], tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for session in counted:
        for day, model, tokens, cost in session.used:
            before = sums[day, model]
            sums[day, model] = before[0] + tokens, before[1] + cost
    return dict(sums)


def families(folder: Path, counted: dict[str, Session]) -> dict[str, float]:
    """US dollars of each family of more than one session, by the id of its first."""
    ids = {path.name: next(_entries(path))["id"] for path in folder.rglob("*.jsonl")}
    roots: defaultdict[str, list[Session]] = defaultdict(list)
    for session in counted.values():
        root = session
        while root.parent is not None:
            root = counted[ids[root.parent]]
        roots[root.id].append(session)
    return {
        root: sum(dollars for one in members for *_, dollars in one.used)
        for root, members in roots.items()
        if len(members) > 1
    }


def branches(session: Session) -> tuple[float, float]:
    """US dollars of the answers on the branch that the last entry is on, and of those on no more."""
    on_it = set()
    entry = next(reversed(session.above), None)
    while entry is not None:
        on_it.add(entry)
        entry = session.above.get(entry)
    active = sum(cost for entry, cost in session.answers.items() if entry in on_it)
    return active, sum(session.answers.values()) - active
