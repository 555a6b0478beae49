"""`pause` and `resume`: nothing is sent, reading goes on, also across restarts."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi_opensync.cli import pause
from pi_opensync.errors import UsageError
from pi_opensync.privacy import pauses as pausing
from tests.conftest import Cli
from tests.harness import World, header, line, said, session_id
from tests.read.settled import put, talk, turn
from tests.standin.backend import OpenSync

ID = session_id("a")
HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        put(made, "a.jsonl", *talk("a", "one", "two"))
        yield made


def test_nothing_is_sent_and_all_is_read(world: World) -> None:
    pausing.pause(world.state, None)
    world.step()
    world.append("a.jsonl", turn("three", 2))
    world.clock.move(30 * 86_400)
    world.step()
    assert world.transport.log == []
    assert world.tally().messages_waiting == 3


def test_it_holds_across_restarts_until_resumed(world: World) -> None:
    pausing.pause(world.state, None)
    world.step()
    world.restart()
    world.step()
    assert world.transport.log == []
    assert pausing.resume(world.state)
    world.restart()
    world.sync()
    assert world.texts(ID) == ["one", "two"]
    assert not pausing.resume(world.state)


def test_it_ends_by_the_clock(world: World) -> None:
    begun = world.clock.now()
    pausing.pause(world.state, begun + 2 * HOUR)
    world.step()
    world.clock.move_to(begun + 2 * HOUR - 1)
    world.restart()
    world.step()
    assert world.transport.log == []
    world.clock.move_to(begun + 2 * HOUR)
    world.sync()
    assert world.texts(ID) == ["one", "two"]


def test_a_pause_begun_between_two_requests_holds_for_the_next_visit(world: World) -> None:
    put(world, "b.jsonl", *talk("b", "uno"))
    world.sync()
    pausing.pause(world.state, None)
    asked = len(world.transport.log)
    world.append("b.jsonl", turn("due", 1))
    world.step()
    assert len(world.transport.log) == asked


@pytest.mark.parametrize("text", ["", "{", "[]", '{"until": "soon"}', '{"until": true}', "null", "\0"])
def test_a_file_that_can_not_be_understood_pauses(tmp_path: Path, text: str) -> None:
    (tmp_path / pausing.FILE).write_text(text)
    assert pausing.asked(tmp_path, 0.0) == pausing.PauseAsked(None)


def write(cli: Cli) -> None:
    lines = (header("a", 1.7e9), said("user", "one", 1.7e9 + 1))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))


def test_status_says_so_and_what_runs_to_its_end_does_not_wait_for_it(cli: Cli, opensync: OpenSync) -> None:
    write(cli)
    assert "2h" not in cli("status").out
    assert cli("pause", "--for", "2h").code == 0
    assert cli("pause", "3h", "--for", "2h").code == 2
    done = cli("pause", "2h")
    assert done.code == 0
    assert "Paused until 20" in done.out
    assert "paused" in cli("status").out
    until = json.loads(cli("status", "--json").out)["paused"]["until"]
    assert isinstance(until, float)
    with cli.running("watch", "--once", "--backfill") as run:
        assert run.process.wait(5) != 0, "it must say that something is left"
    assert opensync.counters.requests.get("/sync/message", 0) == 0
    with cli.running("sync", "--yes") as run:
        assert run.process.wait(5) != 0
        assert "paus" in run.err.read_text().lower()
    assert opensync.counters.requests.get("/sync/message", 0) == 0


def test_resume_lets_it_go_on(cli: Cli, opensync: OpenSync) -> None:
    write(cli)
    assert cli("pause").code == 0
    assert "Resumed" in cli("resume").out
    assert "not paused" in cli("resume").out
    assert cli("sync", "--yes").code == 0
    assert len(opensync.messages) == 1
    assert stat.S_IMODE((cli.home / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("span", ["soon", "", "-1h", "2", "h", "1e3s", "999999w"])
def test_a_span_that_is_none_is_a_mistake_of_usage_and_pauses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: str
) -> None:
    monkeypatch.setenv("PI_OPENSYNC_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PI_OPENSYNC_CONFIG", str(tmp_path / "none.json"))
    with pytest.raises(UsageError):
        pause.run(span)
    assert pausing.asked(tmp_path, 0.0) is None
