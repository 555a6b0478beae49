"""One process a state folder; commands that only look work beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pi_opensync.cli import queue, status, sync, verify
from pi_opensync.daemon import lock
from pi_opensync.errors import AlreadyRunning
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import open_beside, open_database
from tests.harness import TRANSCRIPTS, session_id
from tests.machine.daemon import Commands
from tests.machine.test_database import run_watch
from tests.read.settled import put, talk, turn
from tests.standin.backend import OpenSync
from tests.standin.server import Server, running

pytestmark = pytest.mark.slow

PATIENCE = 120.0  # seconds that a real process may take for what takes it one, also beside others


def run_sync() -> None:
    sync.run(Wanted(), dry_run=False, yes=True, log_format="json", debug=None)


@pytest.mark.parametrize("first", ["watch", "sync"])
@pytest.mark.parametrize(
    "second",
    [run_watch, run_sync, lambda: verify.run(repair=True, session=None, as_json=False)],
    ids=["watch", "sync", "verify --repair"],
)
def test_a_second_one_is_refused_and_names_the_first(
    commands: Commands, first: str, second: Callable[[], None]
) -> None:
    put(commands.world, "a.jsonl", *talk("a", "one", "two"))
    asked = len(commands.world.transport.log)
    with (
        lock.held(commands.world.state, first, 1.0),
        pytest.raises(AlreadyRunning) as refused,
    ):
        second()
    assert refused.value.exit_code == 7
    assert f"`pi-opensync {first}`" in refused.value.message
    assert str(os.getpid()) in refused.value.message
    assert len(commands.world.transport.log) == asked


def test_the_lock_is_free_when_the_first_has_ended(commands: Commands) -> None:
    put(commands.world, "a.jsonl", *talk("a", "one", "two"))
    with lock.held(commands.world.state, "watch", 1.0):
        pass
    run_watch(backfill=True)
    assert commands.world.texts(session_id("a")) == ["one", "two"]
    assert lock.holder(commands.world.state) is None


def test_looking_at_the_holder_does_not_keep_others_out(commands: Commands) -> None:
    """`status` asks for the lock to learn whether somebody has it."""
    with lock.held(commands.world.state, "watch", 1.0):
        assert lock.holder(commands.world.state) is not None
    for _ in range(3):
        assert lock.holder(commands.world.state) is None
        with lock.held(commands.world.state, "sync", 2.0):
            holder = lock.holder(commands.world.state)
            assert holder is not None
            assert (holder.command, holder.pid, holder.since) == ("sync", os.getpid(), 2.0)


def test_a_lock_file_that_says_nothing_still_holds(commands: Commands) -> None:
    with lock.held(commands.world.state, "watch", 1.0):
        (commands.world.state / lock.FILE).write_text("")
        assert lock.holder(commands.world.state) is not None
        with pytest.raises(AlreadyRunning, match="another pi-opensync"):
            run_watch()


def test_looking_does_not_wait_for_a_transaction(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon is in the middle of writing."""
    put(commands.world, "a.jsonl", *talk("a", "one", "two"))
    run_watch(backfill=True)
    capsys.readouterr()
    database = open_database(commands.folder)
    with lock.held(commands.world.state, "watch", 1.0), database.transaction():
        database.run("UPDATE messages SET failures = 7")
        status.run(as_json=True)
        report = json.loads(capsys.readouterr().out)
        queue.list_parked(as_json=True)
        assert json.loads(capsys.readouterr().out) == []
        verify.run(repair=False, session=None, as_json=True)
    database.close()
    assert report["running"]["command"] == "watch"
    assert report["state"]["messages_delivered"] == 2


def test_looking_makes_nothing(commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    (commands.folder / "state.sqlite3").unlink()
    before = sorted(commands.world.state.rglob("*"))
    status.run(as_json=True)
    queue.list_parked(as_json=False)
    assert "Nothing is set aside." in capsys.readouterr().out
    assert sorted(commands.world.state.rglob("*")) == before
    assert open_beside(commands.folder) is None


class Process:
    """The real command with a configuration of its own."""

    def __init__(self, folder: Path, server: Server, key: str) -> None:
        self.sessions = folder / "sessions"
        self.state = folder / "state"
        self.sessions.mkdir()
        self.environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
            "HOME": str(folder),
            "PI_OPENSYNC_CONVEX_URL": server.url,
            "PI_OPENSYNC_API_KEY": key,
            "PI_OPENSYNC_STATE_DIR": str(self.state),
            "PI_OPENSYNC_SESSIONS_DIR": str(self.sessions),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pi_opensync", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err


@pytest.fixture
def server() -> Iterator[Server]:
    key = "osk_" + os.urandom(8).hex()
    with running(OpenSync(now=time.time, key=key)) as made:
        yield made


def test_commands_beside_a_real_daemon(tmp_path: Path, server: Server) -> None:
    process = Process(tmp_path, server, server.opensync.key)
    for number, source in enumerate(sorted(TRANSCRIPTS.rglob("*.jsonl"))):
        (process.sessions / f"{number}.jsonl").write_bytes(source.read_bytes())
    daemon = process.start("watch", "--backfill", "--log-format", "json")
    try:
        assert daemon.stderr is not None
        for told in daemon.stderr:
            if json.loads(told)["event"] == "following":
                break
        code, out, err = process.run("status", "--json")
        assert (code, err) == (0, "")
        running_now = json.loads(out)["running"]
        assert (running_now["pid"], running_now["command"]) == (daemon.pid, "watch")
        for second in (("watch",), ("sync", "--yes"), ("watch", "--once")):
            code, out, err = process.run(*second)
            assert code == 7
            assert str(daemon.pid) in err
            assert "Traceback" not in err
        assert process.run("queue", "list", "--json")[:2] == (0, "[]\n")
        assert process.run("queue", "retry", "--all")[0] == 0
        assert process.run("status")[0] == 0
        assert daemon.poll() is None
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=PATIENCE)
    assert daemon.returncode == 0
    assert json.loads(process.run("status", "--json")[1])["running"] is None
    code, _out, err = process.run("watch", "--once")
    assert code == 0, err
    code, out, err = process.run("verify", "--json")
    assert (code, json.loads(out)["differences"]) == (0, 0), err
    assert server.opensync.counters.lost_parts == 0
    assert server.opensync.counters.duplicate_rows == 0


def test_a_killed_daemon_leaves_the_folder_free(tmp_path: Path, server: Server) -> None:
    process = Process(tmp_path, server, server.opensync.key)
    (process.sessions / "a.jsonl").write_bytes(b"".join([*talk("a", "one", "two"), turn("three", 2)]))
    daemon = process.start("watch", "--backfill", "--log-format", "json")
    assert daemon.stderr is not None
    for told in daemon.stderr:
        if json.loads(told)["event"] == "following":
            break
    daemon.kill()
    daemon.communicate(timeout=PATIENCE)
    assert json.loads(process.run("status", "--json")[1])["running"] is None
    code, _out, err = process.run("watch", "--once", "--backfill")
    assert code == 0, err
    assert [message.text_content for message in server.opensync.messages.values()] == ["one", "two", "three"]
