"""A dashboard in the same process is handed what was read: the same as over the wire, and as safe."""

import shutil
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from pi_opensync.dashboard.db import upsert
from pi_opensync.dashboard.db.connections import FILE
from pi_opensync.dashboard.db.contents import StoredContent, pack
from pi_opensync.deliver.wishes import Wishes
from pi_opensync.privacy.judge import Judge
from pi_opensync.sqlite import Damaged, StoreUnavailable
from tests.daemon.own import OwnWorld
from tests.daemon.test_reading import FullAtCommit
from tests.harness import START, TRANSCRIPTS, header, result, said, session_id, usage
from tests.privacy.traces import written
from tests.storm.steps import Steps

TALK = [
    header("s", START),
    said("user", "first", START + 1, "a1"),
    said("assistant", "second", START + 2, "a2", usage=usage(), calls=[("c1", "ls")]),
    result("c1", "files", START + 3),
    said("assistant", "third", START + 4, "a4", usage=usage()),
]


class Ended(Exception):  # noqa: N818 - the process, in its place
    """Stands for the end of the process."""


def test_what_is_handed_over_is_what_the_wire_brings(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    shutil.copytree(TRANSCRIPTS, sessions)
    with OwnWorld(tmp_path / "wire", is_inside=False, sessions=sessions) as wire:
        wire.sync()
        expected = wire.shown()
        assert wire.requests
    with OwnWorld(tmp_path / "hand", sessions=sessions) as world:
        world.sync()
        assert world.shown() == expected
        assert world.requests == []
        assert world.tally().messages_waiting == 0


def test_a_body_that_is_handed_over_never_reaches_the_state(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK[:2], said("assistant", "unmistakable words", START + 2))
        world.sync()
        assert b"unmistakable" not in written(tmp_path / "state" / "state.sqlite3")
        assert _texts(world, "s") == ["first", "unmistakable words"]


def test_a_message_that_waits_for_a_result_is_kept_on_disk_until_it_comes(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", header("s", START), said("user", "first", START + 1))
        call = said("assistant", "asks", START + 2, usage=usage(), calls=[("c1", "ls")])
        world.clock.move_to(START + 2)
        world.write("s.jsonl", call)
        world.engine.follow.compare(world.engine.follow.list_files())
        world.read_next()
        assert world.tally().messages_waiting == 1
        world.stop()
        world.start()
        world.sync()
        assert _texts(world, "s") == ["first", "asks"]
        world.write("s.jsonl", result("c1", "files", START + 60))
        world.sync()
        (answer,) = [one for one in world.shown()[session_id("s")]["messages"] if one["text"] == "asks"]
        assert [part.type for part in answer["parts"]] == ["text", "tool-call", "tool-result"]


def test_a_result_that_comes_after_a_restart_goes_behind_its_call(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK[:3])
        world.clock.move_to(START + 2)
        world.engine.follow.compare(world.engine.follow.list_files())
        world.read_next()
        world.stop()
        world.start()
        world.write("s.jsonl", TALK[3])
        world.sync()
        answer = world.shown()[session_id("s")]["messages"][1]
        assert [part.type for part in answer["parts"]] == ["text", "tool-call", "tool-result"]


def test_what_is_read_in_a_pause_is_handed_over_when_it_ends_in_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi_opensync.deliver.inside.ENOUGH", 1)
    monkeypatch.setattr(Wishes, "is_held", lambda _self: True)
    with OwnWorld(tmp_path) as world:
        for name in "abc":
            world.write(f"{name}.jsonl", header(name, START), said("user", f"words of {name}", START + 1))
        world.engine.follow.compare(world.engine.follow.list_files())
        world.read_next()
        assert world.shown() == {}
        assert world.tally().messages_waiting == 3
        monkeypatch.setattr(Wishes, "is_held", lambda _self: False)
        world.sync()
        assert [_texts(world, name) for name in "abc"] == [[f"words of {name}"] for name in "abc"]
        assert world.requests == []


def test_what_the_state_could_not_keep_is_read_and_handed_over_again_once(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK)
        world.engine.follow.compare(world.engine.follow.list_files())
        database = world.engine.database
        database.connection = cast("apsw.Connection", FullAtCommit(database.connection))
        with pytest.raises(StoreUnavailable, match="disk is full"):
            world.read_next()
        assert world.tally().transcripts == 0
        assert world.engine.follow.has_more
        world.sync()
        assert _texts(world, "s") == ["first", "second", "third"]


def test_what_the_dashboard_could_not_keep_counts_as_not_read(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK)
        world.engine.follow.compare(world.engine.follow.list_files())
        with world.connections.write() as writer:
            pass
        writer.connection = cast("apsw.Connection", FullAtCommit(writer.connection))
        with pytest.raises(StoreUnavailable, match="disk is full"):
            world.read_next()
        assert world.tally().transcripts == 0
        assert world.shown() == {}
        world.sync()
        assert _texts(world, "s") == ["first", "second", "third"]


def test_a_dashboard_that_is_damaged_says_so_and_how_it_is_mended(tmp_path: Path) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK)
        world.engine.follow.compare(world.engine.follow.list_files())
        with world.connections.write() as writer:
            root = writer.one("SELECT rootpage FROM sqlite_master WHERE name = 'sessions'")
            size = writer.one("PRAGMA page_size")
        world.connections.empty_log()
        with (tmp_path / "own" / FILE).open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        world.stop()
        world.start()
        world.engine.follow.compare(world.engine.follow.list_files())
        with pytest.raises(Damaged, match=FILE) as raised:
            world.read_next()
        assert "what others sent is lost" in (raised.value.hint or "")
        assert world.tally().transcripts == 0


def test_one_message_that_can_not_be_stored_holds_back_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(content: StoredContent) -> bytes:
        if content.text == "second":
            raise ZeroDivisionError
        return pack(content)

    monkeypatch.setattr(upsert, "pack", fails)
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK)
        world.write("other.jsonl", header("other", START), said("user", "elsewhere", START + 1))
        world.sync()
        assert _texts(world, "s") == ["first", "third"]
        assert _texts(world, "other") == ["elsewhere"]
        assert world.tally().messages_parked == 1


def test_nothing_is_handed_over_of_a_project_that_was_excluded_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OwnWorld(tmp_path) as world:
        world.write("s.jsonl", *TALK)
        world.sync()
        monkeypatch.setattr(Judge, "reason", lambda _self, _project: "excluded")
        world.write("s.jsonl", said("user", "not for the dashboard", START + 60, "a5"))
        world.sync()
        assert _texts(world, "s") == ["first", "second", "third"]


@pytest.mark.parametrize("which", ["state", "dashboard"])
def test_an_end_at_any_statement_loses_and_doubles_nothing(tmp_path: Path, which: str) -> None:
    sessions = tmp_path / "sessions"
    with OwnWorld(tmp_path / "calm", sessions=sessions) as calm:
        calm.write("one.jsonl", *TALK)
        calm.write("old.jsonl", header("old", START), *(said("user", text, START + 20) for text in "ab"))
        fork = header("f", START + 10, parentSession=str(sessions / "one.jsonl"))
        calm.write("two.jsonl", fork, *TALK[1:], said("user", "forked", START + 11, "b1"))
        total = _ended_at(calm, which, None)
        expected = calm.shown()
    assert len(expected) == 3
    for number in range(1, total, 1 + total // 15):
        with OwnWorld(tmp_path / str(number), sessions=sessions) as world:
            _ended_at(world, which, number)
            world.sync()
            assert world.shown() == expected, number
            assert world.tally().messages_waiting == 0


def _ended_at(world: OwnWorld, which: str, number: int | None) -> int:
    """Sync until that step, where the process ends, and start again; how many steps it took."""

    def at(step: int) -> None:
        if step == number:
            raise Ended

    steps = Steps(at)
    with world.connections.write() as writer:
        pass
    database = world.engine.database if which == "state" else writer
    try:
        with steps.counted(cast("Any", database), files=False):
            world.sync()
    except Ended as error:
        raised: BaseException | None = error
        while raised is not None:
            raised.__traceback__ = None  # its frames hold statements that are half read
            raised = raised.__context__
        for one in (world.engine.database, writer):
            one._roll_back()
        world.stop()
        world.start()
    return steps.taken


def _texts(world: OwnWorld, name: str) -> list[str]:
    return [message["text"] for message in world.shown()[session_id(name)]["messages"]]
