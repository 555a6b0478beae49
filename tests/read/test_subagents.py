"""Sessions that an agent began for a part of its work: shown as what they are, paid for once."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import World, header, line, result, said, session_id, usage
from tests.read.settled import THEN, put, settled

PARENT = f"2026-11-20T10-00-00-000Z_{session_id('parent')}"
CHILD = f"{PARENT}/ab12cd34/run-0/session.jsonl"
TASK = "Task: find the login page\n\n---\n**Output:**\nWrite your findings."


def parent(world: World, *children: str, total: float | None = 0.05) -> list[bytes]:
    """A session that asked subagents, whose results name their transcripts and what they spent."""
    each = usage(100, 10, (total or 0.0) / max(1, len(children)))
    results = [
        {"sessionFile": str(world.path(child)), "usage": {**each, "cost": each["cost"]["total"]}}
        for child in children
    ]
    spent: dict[str, Any] = {} if total is None else {"usage": usage(100, 10, total)}
    return [
        line(header("parent", THEN)),
        line(said("user", "go", THEN + 1, "u1")),
        line(
            said("assistant", "asking", THEN + 2, "a1", calls=[("c1", "subagent")], usage=usage(1, 1, 0.01))
        ),
        line(result("c1", "done", THEN + 30, details={"results": results}, **spent)),
        line(said("assistant", "all done", THEN + 31, "a2", usage=usage(1, 1, 0.01))),
    ]


def child(dollars: float = 0.05, name: str = "child", **fields: Any) -> list[bytes]:
    return [
        line(header(name, THEN + 5, **fields)),
        line(
            {
                "type": "session_info",
                "id": "i1",
                "timestamp": "2026-11-20T10:00:00.000Z",
                "name": "subagent-scout-ab12cd34-1",
            }
        ),
        line(said("user", TASK, THEN + 6, "cu1")),
        line(said("assistant", "seen", THEN + 7, "ca1", usage=usage(100, 10, dollars))),
    ]


def total(world: World) -> float:
    return sum(float(session["cost"]) for session in world.snapshot()["sessions"].values())


@pytest.mark.parametrize("order", ["parent first", "child first"])
@pytest.mark.parametrize("names_its_parent", [False, True])
def test_a_subagent_is_paid_once_and_linked(
    world: World, elsewhere: Path, order: str, *, names_its_parent: bool
) -> None:
    fields: dict[str, Any] = {"parentSession": str(world.path(f"{PARENT}.jsonl"))} if names_its_parent else {}
    files = {f"{PARENT}.jsonl": parent(world, CHILD), CHILD: child(**fields)}
    for name in sorted(files, reverse=order == "child first"):
        put(world, name, *files[name])
        world.sync()
    settled(world, elsewhere)
    assert total(world) == pytest.approx(0.07)
    assert world.titles()[session_id("child")] == (
        f"[Subagent::{session_id('parent')[:8]}] find the login page"
    )


def test_one_without_a_file_of_its_own_is_paid_by_its_parent(world: World, elsewhere: Path) -> None:
    put(world, f"{PARENT}.jsonl", *parent(world, CHILD))
    settled(world, elsewhere)
    assert total(world) == pytest.approx(0.07)


def test_of_several_those_count_that_have_no_session(world: World, elsewhere: Path) -> None:
    second = f"{PARENT}/ab12cd34/run-1/session.jsonl"
    put(world, f"{PARENT}.jsonl", *parent(world, CHILD, second, total=0.08))
    world.sync()
    put(world, CHILD, *child(0.04))
    settled(world, elsewhere)
    assert total(world) == pytest.approx(0.10)
    put(world, second, *child(0.04, "second"))
    world.sync()
    assert total(world) == pytest.approx(0.10)


def test_an_artifact_without_a_header_is_no_session_and_nothing_broken(world: World) -> None:
    put(world, "subagent-artifacts/1_transcript.jsonl", b'{"recordType":"message","role":"user"}\n' * 3)
    put(world, f"{PARENT}.jsonl", *parent(world))
    world.sync()
    assert world.tally().broken_lines == 0
    assert world.tally().transcripts_odd == 1
    assert list(world.opensync.sessions) == [session_id("parent")]


BESIDE = f"2026-11-20T10-00-05-000Z_{session_id('child')}.jsonl"


@pytest.mark.parametrize("order", ["parent first", "child first"])
@pytest.mark.parametrize("kind", ["fork", "fresh"])
@pytest.mark.parametrize("total_on_result", [0.05, None])
def test_one_whose_file_lies_beside_its_parents_is_known_by_the_result_that_names_it(
    world: World, elsewhere: Path, order: str, kind: str, total_on_result: float | None
) -> None:
    place = str(world.path(f"{PARENT}.jsonl"))
    lines = child(parentSession=place) if kind == "fork" else child()
    files = {f"{PARENT}.jsonl": parent(world, BESIDE, total=total_on_result), BESIDE: lines}
    for name in sorted(files, reverse=order == "child first"):
        put(world, name, *files[name])
        world.sync()
    settled(world, elsewhere)
    assert world.titles()[session_id("child")] == (
        f"[Subagent::{session_id('parent')[:8]}] find the login page"
    )
    assert total(world) == pytest.approx(0.07)


@pytest.mark.parametrize("order", ["a", "b"])
def test_a_tool_that_names_its_own_session_or_an_older_one_makes_no_subagent(
    world: World, elsewhere: Path, order: str
) -> None:
    older = "older.jsonl"
    files = {
        older: [line(header("older", THEN - 50)), line(said("user", "before", THEN - 40, "o1"))],
        f"{PARENT}.jsonl": parent(world, older, f"{PARENT}.jsonl"),
    }
    for name in sorted(files, reverse=order == "b"):
        put(world, name, *files[name])
        world.sync()
    settled(world, elsewhere)
    assert world.titles() == {session_id("older"): "before", session_id("parent"): "go"}
