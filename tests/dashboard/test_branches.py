"""The branches of a session: the one that was last active, and what left it."""

from collections.abc import Sequence

import pytest

from pi_opensync.dashboard.db.branches import branches
from tests.dashboard.conftest import START, Local


def put(local: Local, links: Sequence[tuple[str, str | None]]) -> int:
    for place, (entry, parent) in enumerate(links):
        fields = {"entryId": entry} | ({"parentEntryId": parent} if parent else {})
        local.message("s", entry, textContent=entry, createdAt=START + place, cost=1.0, **fields)
    return int(local.session("s"))


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ([("a", None), ("b", "a"), ("c", "b")], ["abc"]),
        ([("a", None), ("b", "a"), ("c", "b"), ("d", "a")], ["ad", "a>bc"]),
        ([("a", None), ("b", "a"), ("c", "a"), ("d", "c"), ("e", "c")], ["ace", "a>b", "c>d"]),
        ([("a", None), ("b", "a"), ("c", "b"), ("d", "b"), ("e", "a")], ["ae", "a>bd", "b>c"]),
        ([("a", None), ("b", "a"), ("c", None)], ["c", ">ab"]),
        ([("a", None), ("b", "gone"), ("c", "b")], ["abc"]),
    ],
)
def test_branches(local: Local, links: Sequence[tuple[str, str | None]], expected: list[str]) -> None:
    session = put(local, links)
    with local.store.read() as database:
        rows = database.rows("SELECT id, entry_id FROM messages")
        found = branches(database, session)
    names = {row["id"]: row["entry_id"] for row in rows}

    def drawn(ids: tuple[int, ...], leaves: int | None) -> str:
        return ("" if leaves is None else f"{names[leaves]}>") + "".join(names[each] for each in ids)

    assert [each.is_active for each in found] == [True] + [False] * (len(found) - 1)
    assert [drawn(found[0].ids, None)] + [
        drawn(each.ids, each.leaves) if each.leaves is not None else f">{drawn(each.ids, None)}"
        for each in found[1:]
    ] == expected
    assert sum(each.cost for each in found) == len(links)


def test_messages_that_name_no_entries_are_one_branch(local: Local) -> None:
    for name in "abc":
        local.message("s", name, textContent=name)
    with local.store.read() as database:
        (only,) = branches(database, 1)
        assert branches(database, 2) == []
    assert (len(only.ids), only.leaves, only.is_active) == (3, None, True)
