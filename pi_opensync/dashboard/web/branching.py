"""What is shown of a session with branches: one of them, whole, and where the others leave it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pi_opensync.dashboard.db import readback
from pi_opensync.dashboard.db.branches import Branch, branches
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.readback import Window
from pi_opensync.sqlite import Database, Row


@dataclass(frozen=True, slots=True)
class Shown:
    """The messages of one branch from the session's begin on.

    `number` is its place among `every` one, 0 for the active one. `leaving` are the others, by the message
    after which they leave; 0 for those that begin the session.
    """

    number: int
    every: Sequence[Branch]
    ids: tuple[int, ...]
    leaving: dict[int, list[tuple[int, Branch]]]


def shown(
    store: Connections, database: Database, session: Row, number: int, around: int | None
) -> Shown | None:
    """Return the branch with a number, or the one that holds a message; None where nothing was branched."""
    every: list[Branch] = store.remembered.of(
        ("branches", session["id"]), session["revision"], lambda: branches(database, session["id"])
    )
    if len(every) < 2:  # noqa: PLR2004 - one alone is the session
        return None
    number = number if number < len(every) else 0
    ids = _path(every, number)
    if around is not None and around not in ids:
        number = next((place for place, branch in enumerate(every) if around in branch.ids), number)
        ids = _path(every, number)
    on_it = set(ids)
    leaving: dict[int, list[tuple[int, Branch]]] = {}
    for place, branch in enumerate(every):
        if place != number and branch.ids[-1] not in on_it:
            start = _last_shared(_path(every, place), on_it)
            leaving.setdefault(start, []).append((place, branch))
    return Shown(number, every, ids, leaving)


def window(
    database: Database,
    ids: Sequence[int],
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    at_end: bool = False,
) -> Window:
    """Read up to `limit` messages of a branch, as `reading.window` does of a session."""
    fitting = [each for each in ids if (after is None or each > after) and (before is None or each < before)]
    chosen = fitting[-limit:] if before is not None or at_end else fitting[:limit]
    if not chosen:
        return Window([], before=after is not None, after=before is not None)
    messages = [readback.load(database, each) for each in chosen]
    return Window(messages, before=chosen[0] != ids[0], after=chosen[-1] != ids[-1])


def _path(every: Sequence[Branch], number: int) -> tuple[int, ...]:
    branch = every[number]
    if branch.leaves is None or number == 0:
        return branch.ids
    parent = next(place for place, other in enumerate(every) if branch.leaves in other.ids)
    stem = _path(every, parent)
    return (*stem[: stem.index(branch.leaves) + 1], *branch.ids)


def _last_shared(path: Sequence[int], on_it: set[int]) -> int:
    shared = [each for each in path if each in on_it]
    return shared[-1] if shared else 0
