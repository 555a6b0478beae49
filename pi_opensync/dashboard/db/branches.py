"""The branches of one session, as pi's `/tree` leaves them: every one was really said and paid for."""

from collections.abc import Sequence
from dataclasses import dataclass

from pi_opensync.sqlite import Database, Row


@dataclass(frozen=True, slots=True)
class Branch:
    """Messages one after another, by their ids.

    `leaves` is the message after which it leaves another branch, None for one that begins the session.
    `cost` is in US dollars, `last_at` in ms. `is_active`: the session went on here last.
    """

    ids: tuple[int, ...]
    leaves: int | None
    cost: float
    tokens: int
    last_at: int
    is_active: bool


def branches(database: Database, session_id: int) -> list[Branch]:
    """Return the active branch, whole, then the parts of others that are not on it, in order of time.

    One alone where nothing was branched, or where nobody told what follows what.
    """
    rows = database.rows(
        "SELECT id, entry_id, parent_entry_id, cost, prompt_tokens, completion_tokens, created_at "
        "FROM messages WHERE session_id = ? ORDER BY id",
        (session_id,),
    )
    if not rows:
        return []
    parents = _parents(rows)
    children: dict[int | None, list[int]] = {}
    for place, parent in enumerate(parents):
        children.setdefault(parent, []).append(place)
    active = _path(parents, len(rows) - 1)
    on_it = set(active)
    found = [_branch(rows, active, None, is_active=True)]
    waiting = [place for place in range(len(rows)) if place not in on_it and parents[place] in {None, *on_it}]
    while waiting:
        start = waiting.pop(0)
        path = [start]
        while following := children.get(path[-1]):
            waiting += following[:-1]
            path.append(following[-1])
        found.append(_branch(rows, path, parents[start], is_active=False))
    return [found[0], *sorted(found[1:], key=lambda branch: branch.ids[0])]


def _parents(rows: Sequence[Row]) -> list[int | None]:
    """The place of each message's parent; the one before it where none is named."""
    places = {row["entry_id"]: place for place, row in enumerate(rows) if row["entry_id"] is not None}
    found: list[int | None] = []
    for place, row in enumerate(rows):
        named = places.get(row["parent_entry_id"]) if row["parent_entry_id"] is not None else None
        if named is not None and named < place:
            found.append(named)
        elif row["entry_id"] is not None and row["parent_entry_id"] is None and place:
            found.append(None)  # another beginning
        else:
            found.append(place - 1 if place else None)
    return found


def _path(parents: Sequence[int | None], end: int) -> list[int]:
    path = [end]
    while (parent := parents[path[-1]]) is not None:
        path.append(parent)
    return path[::-1]


def _branch(rows: Sequence[Row], places: Sequence[int], leaves: int | None, *, is_active: bool) -> Branch:
    of_it = [rows[place] for place in places]
    return Branch(
        ids=tuple(row["id"] for row in of_it),
        leaves=None if leaves is None else rows[leaves]["id"],
        cost=sum(row["cost"] or 0.0 for row in of_it),
        tokens=sum((row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0) for row in of_it),
        last_at=max(row["created_at"] for row in of_it),
        is_active=is_active,
    )
