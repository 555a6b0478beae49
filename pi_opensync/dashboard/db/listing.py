"""The list of sessions: families of forks, filtered, the one last active first."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from pi_opensync.dashboard.project_names import labels
from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Database, Row

# A project is a path, that of a repository with all its worktrees; a name alone may stand for several.
IN_PROJECT = "? IN (project, repository)"
_NAMED = "project IN (SELECT project FROM sessions WHERE project_name = ?)"


@dataclass(frozen=True, slots=True)
class Filters:
    """Each is exact; `since` and `until` bound the time of what was said, in ms, `until` not included.

    `model` is one that a session used, its last or another; in one of the quarters of an hour that are
    `slots` something was said; `has` is one of `HAVING`.
    """

    source: str | None = None
    project: str | None = None
    model: str | None = None
    since: int | None = None
    until: int | None = None
    has: str | None = None
    tag: str | None = None
    machine: str | None = None
    slots: tuple[int, ...] | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in astuple(self))


# What a session can be asked to have.
HAVING = {
    "errors": "id IN (SELECT session_id FROM tools WHERE failures > 0)",
    "star": "id IN (SELECT session_id FROM noted WHERE is_starred)",
    "note": "id IN (SELECT session_id FROM noted WHERE note != '')",
    "copied": "id IN (SELECT session_id FROM usage WHERE is_copied)",
    "hidden": "id IN (SELECT session_id FROM noted WHERE is_hidden)",
}
_TAGGED = "id IN (SELECT session_id FROM noted, json_each(noted.tags) WHERE value = ?)"
_NOT_HIDDEN = "id NOT IN (SELECT session_id FROM noted WHERE is_hidden)"

# What a family of forks is sorted by, the largest first; its title is that of its root.
ORDERS = {
    "active": "max(active_at) DESC",
    "cost": "max(cost) DESC",
    "tokens": "max(prompt_tokens + completion_tokens) DESC",
    "messages": "max(message_count) DESC",
    "title": "min(CASE WHEN id = root_id THEN title END) COLLATE NOCASE",
}


@dataclass(frozen=True, slots=True)
class ListTotals:
    """Sums over all that fits the filters: US dollars, tokens."""

    sessions: int
    messages: int
    tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in the list: how deep below its root it stands, and whether the filters found it itself."""

    session: Row
    depth: int
    found: bool


def families(
    database: Database,
    filters: Filters,
    *,
    limit: int,
    before: tuple[int, int] | None = None,
    order: str = "active",
    skip: int = 0,
) -> tuple[list[Listed], tuple[int, int] | None]:
    """Return a page of families in one of the `ORDERS`, each parent followed by its forks.

    `before` is what the page before returned; the second value leads to the next page, None at the end. In
    another order than by activity, `skip` families before the page.
    """
    if filters or order != "active":
        roots = _roots(database, filters, order, before, (limit + 1, skip))
    else:
        roots = _last_active(database, before, limit + 1)
    page = roots[:limit]
    members = database.rows(
        f"SELECT * FROM sessions WHERE root_id IN ({_marks(page)}) ORDER BY created_at, id",
        [row["root_id"] for row in page],
    )
    found: set[int] = {row["id"] for row in members}
    if filters:
        where, values = _conditions(filters)
        fitting = database.rows(
            f"SELECT id FROM sessions {where} AND root_id IN ({_marks(page)})",
            (*values, *(row["root_id"] for row in page)),
        )
        found = {row["id"] for row in fitting}
    rows = _as_tree(members, [row["root_id"] for row in page], found)
    more = (page[-1]["last"], page[-1]["root_id"]) if len(roots) > limit else None
    return rows, more


def _roots(
    database: Database,
    filters: Filters,
    order: str,
    before: tuple[int, int] | None,
    bounds: tuple[int, int],
) -> list[Row]:
    where, values = _conditions(filters)
    having = ""
    if before is not None:
        having = "HAVING (max(active_at), root_id) < (?, ?)"
        values += before
    return database.rows(
        f"SELECT root_id, max(active_at) AS last FROM sessions {where} GROUP BY root_id {having} "
        f"ORDER BY {ORDERS[order]}, root_id DESC LIMIT ? OFFSET ?",
        (*values, *bounds),
    )


def _last_active(database: Database, before: tuple[int, int] | None, limit: int) -> list[Row]:
    """All families, the one last active first, without looking at more than are wanted."""
    bound = "" if before is None else "AND one.active_at <= ? AND (one.active_at, one.root_id) < (?, ?)"
    values = () if before is None else (before[0], *before)
    return database.rows(
        "SELECT one.root_id, one.active_at AS last FROM sessions AS one "
        "WHERE NOT EXISTS (SELECT 1 FROM sessions AS other WHERE other.root_id = one.root_id "
        f"  AND (other.active_at, other.id) > (one.active_at, one.id)) {bound} "
        "ORDER BY one.active_at DESC, one.root_id DESC LIMIT ?",
        (*values, limit),
    )


def family(database: Database, root_id: int) -> list[Listed]:
    """Return a session with all that was forked from it, and from these, as a tree."""
    members = database.rows("SELECT * FROM sessions WHERE root_id = ? ORDER BY created_at, id", (root_id,))
    return _as_tree(members, [root_id], {row["id"] for row in members})


def totals(database: Database, filters: Filters) -> ListTotals:
    where, values = _conditions(filters)
    row = database.row(
        "SELECT count(*), total(message_count), total(prompt_tokens + completion_tokens), total(cost) "
        f"FROM sessions {where}",
        values,
    )
    return ListTotals(row[0], int(row[1]), int(row[2]), row[3])


def _as_tree(members: Sequence[Row], roots: Sequence[int], found: set[int]) -> list[Listed]:
    children: dict[int | None, list[Row]] = {}
    by_id = {row["id"]: row for row in members}
    for row in members:
        children.setdefault(row["parent_id"], []).append(row)
    rows = []
    for root in roots:
        stack = [(by_id[root], 0)]
        while stack:
            session, depth = stack.pop()
            rows.append(Listed(session, depth, session["id"] in found))
            stack += [(child, depth + 1) for child in children.get(session["id"], [])]
    return rows


def choices(database: Database) -> dict[str, list[str]]:
    """Return the sources, projects, models and machines there are, the most used first, for the filters."""
    columns = {name: [name] for name in ("source", "project", "model", "machine")}
    columns["project"].append("repository")

    def used(names: list[str]) -> list[str]:
        values = " UNION ALL ".join(f"SELECT {name} AS value FROM sessions" for name in names)
        rows = database.rows(
            f"SELECT value FROM ({values}) WHERE value != '' GROUP BY value ORDER BY count(*) DESC LIMIT 200"
        )
        return [row[0] for row in rows]

    return {name: used(names) for name, names in columns.items()}


def oldest(database: Database) -> int:
    """Return when the first session began, in ms; 0 where there is none."""
    return database.one("SELECT min(created_at) FROM sessions") or 0


def has_worktrees(database: Database) -> bool:
    return bool(database.rows("SELECT 1 FROM sessions WHERE repository IS NOT NULL LIMIT 1"))


def project_labels(database: Database) -> dict[str, str]:
    """Return the projects by their keys, each named by the shortest end of its path that no other has."""
    keys = database.rows("SELECT project FROM sessions UNION SELECT repository FROM sessions")
    return labels(row[0] for row in keys if row[0])


def external_ids(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT external_id FROM sessions ORDER BY id")]


def newest_sessions(database: Database, limit: int) -> list[Row]:
    return database.rows("SELECT * FROM sessions ORDER BY updated_at DESC, id DESC LIMIT ?", (limit,))


def _conditions(filters: Filters) -> tuple[str, list[str | int]]:
    tests: list[tuple[str, str | int | None]] = [
        ("source = ?", filters.source),
        (_NAMED if filters.project and "/" not in filters.project else IN_PROJECT, filters.project),
        ("active_at >= ?", filters.since),
        (_TAGGED, filters.tag),
        ("machine = ?", filters.machine),
    ]
    given = [(test, value) for test, value in tests if value is not None]
    having = [HAVING[filters.has]] if filters.has else []
    used, models = _used(filters)
    if used:
        having.append(used)
    if filters.has != "hidden":
        having.append(_NOT_HIDDEN)
    tests_of_all = [*(test for test, _ in given), *having]
    return f"WHERE {' AND '.join(tests_of_all)}", [*(value for _, value in given), *models]


def _used(filters: Filters) -> tuple[str, list[str]]:
    """Whether something was said or spent in a session when and on what is asked for; empty if neither is."""
    of_messages, of_others, of_begin = [], [], ["message_count = 0"]
    since, until, model = filters.since or 0, filters.until, filters.model
    if until is not None:
        of_messages.append(f"slot >= {since // SLOT_MS} AND slot < {-(-until // SLOT_MS)}")
        of_others.append(f"at >= {since} AND at < {until}")
        of_begin.append(f"created_at >= {since} AND created_at < {until}")
    if filters.slots is not None:
        # The plus: a session has few rows, and looking each slot up in them took ten times as long.
        of_messages.append(f"messages > 0 AND +slot IN ({','.join(map(str, filters.slots))})")
        of_others.append("0")
        of_begin.append("0")
    if model is not None:
        of_messages.append("coalesce(nullif(usage.model, ''), sessions.model, 'unknown') = ?")
        of_others.append("coalesce(nullif(spent.model, ''), sessions.model, 'unknown') = ?")
        of_begin.append("coalesce(model, 'unknown') = ?")
    if not of_messages:
        return "", []
    if filters.has != "copied":
        of_messages.append("NOT is_copied")
    return (
        "(EXISTS (SELECT 1 FROM usage WHERE usage.session_id = sessions.id "
        f"AND {' AND '.join(of_messages)}) "
        "OR EXISTS (SELECT 1 FROM spent WHERE spent.session_id = sessions.id "
        f"AND {' AND '.join(of_others)}) "
        f"OR ({' AND '.join(of_begin)}))"
    ), [model] * 3 if model is not None else []


def _marks(rows: Sequence[object]) -> str:
    return ",".join("?" * len(rows))
