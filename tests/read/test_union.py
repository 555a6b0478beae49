"""A session that several files hold is the union of their entries, whatever is met first."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness import Snapshot, World, header, line, said, session_id, usage
from tests.read.settled import THEN, put, settled, talk, turn, turns

A = "a.jsonl"
CONFLICT = "a.sync-conflict.jsonl"
COMMON = ("one one one", "two two two")


def answer(text: str, at: float, **fields: Any) -> bytes:
    return line(said("assistant", text, at, text.encode().hex()[:16], usage=usage(), **fields))


def question(text: str, at: float) -> bytes:
    return line(said("user", text, at, text.encode().hex()[:16]))


def cost(world: World, name: str = "a") -> float:
    return float(world.snapshot()["sessions"][session_id(name)]["cost"])


def test_two_files_that_went_their_own_ways_are_one_session(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *COMMON), question("A", THEN + 100), answer("answer A", THEN + 110))
    put(world, CONFLICT, *talk("a", *COMMON), question("B", THEN + 105), answer("answer B", THEN + 115))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == [*COMMON, "A", "B", "answer A", "answer B"]
    assert cost(world) == pytest.approx(3 * 0.5)


def test_each_of_two_files_goes_on_by_turns(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *COMMON))
    put(world, CONFLICT, *talk("a", *COMMON))
    world.sync()
    for number in range(6):
        world.append(A if number % 2 else CONFLICT, answer(f"words {number}", THEN + 100 + number))
        world.sync()
    settled(world, elsewhere)
    assert cost(world) == pytest.approx(7 * 0.5)
    ids = [request.json["externalId"] for request in world.sent("/sync/message")]
    assert len(ids) == len(set(ids)), "nothing is sent twice"


def test_what_was_written_long_ago_in_another_file_stands_in_its_place(world: World, elsewhere: Path) -> None:
    """A backup is restored beside the file; its own words are older than what is known."""
    put(world, A, *talk("a", *COMMON), answer("much later", THEN + 10_000))
    world.sync()
    put(world, "restored.jsonl", *talk("a", *COMMON), answer("in between", THEN + 5_000))
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == [*COMMON, "in between", "much later"]


def test_a_step_back_of_the_clock_stays_in_its_files_order(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *COMMON), answer("ahead", THEN + 9_000), answer("back", THEN + 50))
    put(world, CONFLICT, *talk("a", *COMMON), answer("other", THEN + 60))
    settled(world, elsewhere)


def test_an_export_counts_nothing_twice(world: World, elsewhere: Path) -> None:
    """`/export` writes the entries under a new date and without a parent; both are continued."""
    put(world, A, *talk("a", *COMMON))
    exported = [line(header("a", THEN + 500)), *turns(*COMMON, at=THEN), answer("imported", THEN + 600)]
    put(world, "session-export.jsonl", *exported)
    world.append(A, answer("at home", THEN + 700))
    settled(world, elsewhere)
    session = world.snapshot()["sessions"][session_id("a")]
    assert session["createdAt"] == round(THEN * 1000)
    assert cost(world) == pytest.approx(3 * 0.5)


@pytest.mark.parametrize("first", ["original", "export"])
def test_an_export_of_a_custom_id_is_the_same_session(world: World, elsewhere: Path, first: str) -> None:
    """The id on the dashboard is made of the header's date, and an export has another one."""
    original = [line(header("x", THEN, id="nightly")), *turns(*COMMON, at=THEN)]
    export = [line(header("x", THEN + 500, id="nightly")), *turns(*COMMON, at=THEN)]
    files = {"original": original, "export": [*export, answer("imported", THEN + 600)]}
    put(world, f"{first}.jsonl", *files.pop(first))
    world.sweep()
    world.read()
    ((name, lines),) = files.items()
    put(world, f"{name}.jsonl", *lines)
    settled(world, elsewhere)
    (session,) = world.snapshot()["sessions"].values()
    assert [message["textContent"] for message in session["messages"]] == [*COMMON, "imported"]
    assert session["cost"] == pytest.approx(2 * 0.5)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_fork_whose_header_names_no_parent_counts_its_own_alone(
    world: World, elsewhere: Path, first: str
) -> None:
    files = {
        "a": talk("a", *COMMON),
        "b": [line(header("b", THEN + 500)), *turns(*COMMON, at=THEN), answer("own", THEN + 600)],
    }
    put(world, f"{first}.jsonl", *files.pop(first))
    world.sync()
    ((name, lines),) = files.items()
    put(world, f"{name}.jsonl", *lines)
    settled(world, elsewhere)
    assert (cost(world, "a"), cost(world, "b")) == (0.5, 0.5)
    assert world.titles()[session_id("b")].startswith(f"[Fork::{session_id('a')[:8]}]")


def test_entries_of_version_1_are_known_by_what_they_say(world: World, elsewhere: Path) -> None:
    """A backup of an old file, and the same file as pi migrated it and went on."""
    old = header("old", THEN, provider="fake", modelId="fake-1")
    del old["version"]
    entries = [said("user", "uno", THEN + 1), said("assistant", "due", THEN + 2, usage=usage())]
    bare = [{k: v for k, v in one.items() if k not in ("id", "parentId")} for one in entries]
    put(world, "backup/old.jsonl", line(old), *map(line, bare))
    put(world, "old.jsonl", line({**old, "version": 3}), *map(line, entries), turn("went on", 5))
    settled(world, elsewhere)
    assert world.texts(session_id("old")) == ["uno", "due", "went on"]


Placed = list[tuple[int, int, int]]  # file, seconds, number


@st.composite
def diverged(draw: st.DrawFn) -> tuple[Placed, int, list[int]]:
    """Entries of several files behind what they share, how many they share, and the order of arrival."""
    files = draw(st.integers(2, 3))
    own = draw(st.lists(st.tuples(st.integers(0, files - 1), st.integers(0, 6)), min_size=1, max_size=8))
    placed = [(file, seconds, number) for number, (file, seconds) in enumerate(own)]
    return placed, draw(st.integers(0, 3)), draw(st.permutations(range(files)))


def written(placed: Placed, common: int, files: range) -> dict[int, list[bytes]]:
    shared = [line(header("a", THEN)), *(answer(f"shared {n}", THEN + n) for n in range(common))]
    return {
        file: shared + [answer(f"own {n}", THEN + 10 + at) for where, at, n in placed if where == file]
        for file in files
    }


def outcome(files: dict[int, list[bytes]], order: list[int], *, stepwise: bool) -> Snapshot:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        for file in order:
            put(world, f"{file}.jsonl", *files[file])
            if stepwise:
                world.sync()
        world.sync()
        assert world.side_effects() == {}
        shown = world.snapshot()
    for session in shown["sessions"].values():
        # Messages of one moment stand on the server in the order in which they came.
        session["messages"].sort(key=lambda message: (message["createdAt"], message["externalId"]))
    return shown


@settings(max_examples=25)
@given(diverged())
def test_the_union_is_the_same_in_whatever_order_its_files_are_met(
    drawn: tuple[Placed, int, list[int]],
) -> None:
    placed, common, order = drawn
    files = written(placed, common, range(len(order)))
    together = outcome(files, sorted(order), stepwise=False)
    assert outcome(files, order, stepwise=True) == together
    (session,) = together["sessions"].values()
    assert session["cost"] == pytest.approx(0.5 * (common + len(placed)))
    assert session["messageCount"] == common + len(placed)


def test_a_copy_that_can_not_be_read_holds_back_no_other(world: World, elsewhere: Path) -> None:
    put(world, A, *talk("a", *COMMON), answer("much later", THEN + 10_000))
    world.sync()
    hidden = put(world, CONFLICT, *talk("a", *COMMON), answer("in between", THEN + 5_000))
    world.sweep()
    world.engine.follow.read_next()  # it is found to be older than what is known: both are read again
    aside = hidden.with_suffix(".aside")
    hidden.rename(aside)
    hidden.mkdir()  # stands for a file that can not be read, also by root
    world.sync()
    assert world.texts(session_id("a")) == [*COMMON, "much later"]
    hidden.rmdir()
    aside.rename(hidden)
    settled(world, elsewhere)
    assert world.texts(session_id("a")) == [*COMMON, "in between", "much later"]


def test_a_file_that_holds_a_fork_of_itself_is_read_to_its_end_at_once(tmp_path: Path) -> None:
    name = f"{session_id('parent')}.jsonl"
    with World(tmp_path) as world:
        world.append(
            f"copied/webapp/{name}",  # deeper than parents are looked for
            header("parent", THEN),
            said("user", "a question", THEN + 1),
            header("child", THEN + 2, parentSession=f"/home/ada/.pi/agent/sessions/webapp/{name}"),
            said("user", "another", THEN + 3),
        )
        world.sync()
        assert world.tally().bytes_behind == 0
        assert set(world.titles().values()) == {"a question", f"[Fork::{session_id('parent')[:8]}] another"}
