"""`queue`: what was refused is kept with its reason until somebody decides."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.cli import queue, status, watch
from pi_opensync.errors import PiOpensyncError, UsageError
from tests.harness import session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.read.settled import put, talk, turn
from tests.standin.faults import ErrorBefore, Fault, no_faults
from tests.standin.transport import Request

A = "a.jsonl"
ID = session_id("a")
TEXTS = ("one one one", "two two two", "three three", "four four four")
TOO_LARGE = ErrorBefore(500, b'{"error":"Error: Value is too large (1.2 MiB > maximum size 1 MiB)"}')
SILENT = ErrorBefore(500, b'{"error":"Server Error"}')
Show = Callable[[], Any]


def watch_once() -> None:
    watch.run(backfill=True, once=True, log_format="json", debug=None)


class Picky:
    """Refuses messages with one of these texts, and sessions with one of these titles."""

    def __init__(self, world: DaemonWorld, *texts: str, fault: Fault = TOO_LARGE) -> None:
        self._world = world
        self.texts = set(texts)
        self.fault = fault
        world.transport.gate = self.look

    async def look(self, request: Request) -> None:
        sent = request.json or {}
        items = [sent, *sent.get("messages", [])]
        bad = any({item.get("textContent"), item.get("title")} & self.texts for item in items)
        self._world.transport.faults = (lambda _method, _path: self.fault) if bad else no_faults


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonWorld]:
    with DaemonWorld(tmp_path / "world", monkeypatch) as made:
        put(made, A, *talk("a", *TEXTS))
        put(made, "b.jsonl", *talk("b", "uno", "due"))
        Commands(made, monkeypatch)
        yield made


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> Show:
    def run() -> Any:
        capsys.readouterr()
        queue.list_parked(as_json=True)
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def state(capsys: pytest.CaptureFixture[str]) -> Show:
    def run() -> Any:
        capsys.readouterr()
        status.run(as_json=True)
        return json.loads(capsys.readouterr().out)["state"]

    return run


def texts(world: DaemonWorld) -> list[str]:
    return world.texts(ID)


def test_a_refused_message_stands_alone_with_its_reason(
    world: DaemonWorld, listed: Show, state: Show
) -> None:
    Picky(world, "two two two")
    watch_once()
    assert texts(world) == ["one one one", "three three", "four four four"]
    assert world.texts(session_id("b")) == ["uno", "due"]
    (row,) = listed()
    assert (row["kind"], row["session"], row["reason"]) == ("message", ID, "too large")
    assert row["id"].startswith(f"{ID}-assistant-")
    assert row["bytes"] > 0
    assert (state()["messages_parked"], state()["messages_waiting"]) == (1, 0)
    assert world.side_effects() == {}


def test_what_is_parked_is_not_tried_again_by_itself(world: DaemonWorld, listed: Show) -> None:
    Picky(world, "two two two")
    watch_once()
    world.transport.log.clear()
    world.append(A, turn("five", 4))
    watch_once()
    assert [request.json["textContent"] for request in world.sent("/sync/message")] == ["five"]
    assert len(listed()) == 1


def test_a_reason_that_is_none_is_passing_five_times(world: DaemonWorld, listed: Show) -> None:
    Picky(world, "two two two", fault=SILENT)
    watch_once()
    tries = [request for request in world.sent("/sync/message") if request.json["textContent"] == TEXTS[1]]
    assert len(tries) == 5
    assert len(listed()) == 1
    assert "without a reason" in listed()[0]["reason"]


@pytest.mark.parametrize("every", [True, False], ids=["--all", "ID"])
def test_retry_sends_it_once_the_server_takes_it(
    world: DaemonWorld, listed: Show, state: Show, every: bool
) -> None:
    picky = Picky(world, "two two two")
    watch_once()
    picky.texts.clear()
    queue.retry_parked(None if every else listed()[0]["id"], every=every)
    assert listed() == []
    watch_once()
    assert texts(world) == list(TEXTS)
    assert (state()["messages_parked"], state()["messages_delivered"]) == (0, 6)
    assert world.side_effects() == {}


def test_retry_of_one_leaves_the_others(world: DaemonWorld, listed: Show) -> None:
    picky = Picky(world, "two two two", "four four four")
    watch_once()
    first, second = listed()
    picky.texts.clear()
    queue.retry_parked(first["id"], every=False)
    assert [row["id"] for row in listed()] == [second["id"]]
    watch_once()
    assert len(texts(world)) == 3
    assert [row["id"] for row in listed()] == [second["id"]]


def test_retry_that_is_refused_again_is_parked_again(world: DaemonWorld, listed: Show) -> None:
    Picky(world, "two two two")
    watch_once()
    before = listed()
    queue.retry_parked(None, every=True)
    watch_once()
    assert listed() == before


def test_drop_gives_up_for_good(world: DaemonWorld, listed: Show, state: Show) -> None:
    picky = Picky(world, "two two two")
    watch_once()
    queue.drop_parked(listed()[0]["id"])
    picky.texts.clear()
    queue.retry_parked(None, every=True)
    watch_once()
    assert TEXTS[1] not in texts(world)
    assert (state()["messages_parked"], state()["messages_dropped"]) == (0, 1), "nothing is silent"


def test_what_was_dropped_is_wanted_again_when_it_is_another(world: DaemonWorld, listed: Show) -> None:
    picky = Picky(world, "two two two")
    watch_once()
    queue.drop_parked(listed()[0]["id"])
    picky.texts.clear()
    put(world, A, *talk("a", "one one one", "two and another", *TEXTS[2:]))
    watch_once()
    assert texts(world)[1] == "two and another"


def test_a_file_read_again_does_not_unpark_what_is_the_same(world: DaemonWorld, listed: Show) -> None:
    Picky(world, "two two two")
    watch_once()
    before = listed()
    world.transport.log.clear()
    put(world, A, *talk("a", *TEXTS[:2], "THREE THREE THREE", *TEXTS[3:]))
    watch_once()
    assert listed() == before
    assert [request.json["textContent"] for request in world.sent("/sync/message")] == ["THREE THREE THREE"]


def test_a_refused_session_holds_back_only_itself(world: DaemonWorld, listed: Show, state: Show) -> None:
    picky = Picky(world, "one one one")
    watch_once()
    assert set(world.opensync.sessions) == {session_id("b")}
    (row,) = listed()
    assert (row["kind"], row["id"]) == ("session", ID)
    assert state()["sessions_parked"] == 1
    picky.texts.clear()
    queue.retry_parked(ID, every=False)
    watch_once()
    assert texts(world) == list(TEXTS)
    assert world.side_effects() == {}


def test_a_dropped_session_takes_its_unsent_messages_along(world: DaemonWorld, state: Show) -> None:
    picky = Picky(world, "one one one")
    watch_once()
    queue.drop_parked(ID)
    picky.texts.clear()
    queue.retry_parked(None, every=True)
    watch_once()
    assert set(world.opensync.sessions) == {session_id("b")}
    assert (state()["messages_waiting"], state()["messages_dropped"]) == (0, 4)


@pytest.mark.parametrize(
    "command",
    [lambda name: queue.retry_parked(name, every=False), queue.drop_parked],
    ids=["retry", "drop"],
)
@pytest.mark.usefixtures("world")
def test_an_id_that_is_not_parked_is_said(command: Callable[[str], None]) -> None:
    watch_once()
    with pytest.raises(PiOpensyncError, match="nothing of that id is set aside") as error:
        command("nothing")
    assert error.value.exit_code == 1
    assert error.value.hint


@pytest.mark.parametrize(("external_id", "every"), [(None, False), ("x", True)])
@pytest.mark.usefixtures("world")
def test_retry_wants_one_id_or_all(external_id: str | None, every: bool) -> None:
    watch_once()
    with pytest.raises(UsageError):
        queue.retry_parked(external_id, every=every)


def test_for_people_it_is_a_line_each(world: DaemonWorld, capsys: pytest.CaptureFixture[str]) -> None:
    queue.list_parked(as_json=False)
    assert capsys.readouterr().out == "Nothing is set aside.\n"
    Picky(world, "two two two")
    watch_once()
    capsys.readouterr()
    queue.list_parked(as_json=False)
    shown = capsys.readouterr().out
    assert shown.startswith(f"message  {ID}-assistant-")
    assert shown.endswith("too large\n")
    assert "two two two" not in shown, "content is never shown"
