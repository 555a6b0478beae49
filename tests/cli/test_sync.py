"""`sync` and `status` as processes, against the stand-in as a real server."""

import json
import os
import re
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest

from pi_opensync.daemon import lock
from tests.conftest import PATIENCE, Cli, wait_until
from tests.harness import TRANSCRIPTS, World, header, line, said, session_id
from tests.standin.backend import OpenSync
from tests.standin.server import Server, running
from tests.terminals import on_a_terminal

DAY = 86_400.0


def test_sync_delivers_everything_once_and_changes_nothing_when_its_state_was_deleted(
    cli: Cli, opensync: OpenSync, tmp_path: Path
) -> None:
    cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(TRANSCRIPTS)
    assert cli("sync", "--yes").code == 0
    with World(tmp_path) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        wanted = world.snapshot()
    assert opensync.snapshot() == wanted

    messages = opensync.counters.requests["/sync/message"]
    assert cli("sync", "--yes").code == 0
    assert opensync.counters.requests["/sync/message"] == messages

    shutil.rmtree(cli.home / "state")
    assert cli("sync", "--yes").code == 0
    assert opensync.snapshot() == wanted
    assert opensync.counters.lost_parts == opensync.counters.dropped_message_updates == 0

    report = json.loads(cli("status", "--json").out)
    assert report["server"] == cli.variables["PI_OPENSYNC_CONVEX_URL"]
    assert report["running"] is None
    assert report["roots"] == [{"path": str(TRANSCRIPTS), "exists": True}]
    assert report["state"]["messages_delivered"] == len(opensync.messages)
    assert report["state"]["sessions_delivered"] == len(opensync.sessions)
    assert report["state"]["bytes_behind"] == report["state"]["messages_waiting"] == 0
    text = cli("status").out
    assert f"{len(opensync.messages)} delivered, 0 waiting, 0 set aside" in text
    assert stat.S_IMODE((cli.home / "state").stat().st_mode) == 0o700
    for file in (cli.home / "state").rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600)


def test_a_dry_run_needs_no_server_and_sends_and_keeps_nothing(fresh_cli: Cli) -> None:
    done = fresh_cli("sync", "--dry-run", PI_OPENSYNC_SESSIONS_DIR=str(TRANSCRIPTS))
    assert (done.code, done.err) == (0, "")
    assert "25 sessions, 548 messages" in done.out
    assert "[Fork::" in done.out
    assert not (fresh_cli.home / "state").exists()


@pytest.fixture
def three_sessions(cli: Cli) -> Path:
    """Give the folder of sessions that were begun 40, 10 and 1 days ago, each an hour long."""
    folder = Path(cli.variables["PI_OPENSYNC_SESSIONS_DIR"])
    projects = {"old": "/src/shop", "middle": "/src/webapp/api", "new": "/src/webapp"}
    for name, days in (("old", 40), ("middle", 10), ("new", 1)):
        begun = time.time() - days * DAY
        lines = (header(name, begun, cwd=projects[name]), said("user", f"About {name}", begun + 3600))
        (folder / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    return folder


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--since", "30d"], "middle new"),
        (["--since", "2000-01-01"], "old middle new"),
        (["--until", "30d"], "old"),
        (["--since", "20d", "--until", "5d"], "middle"),
        (["--project", "/src/webapp"], "middle new"),
        (["--project", "/src/web"], ""),
        (["--session", session_id("old")], "old"),
        (["--session", session_id("old")[:8]], "old"),
        (["--session", "sessions/middle.jsonl"], "middle"),
        (["--limit", "2"], "middle new"),
    ],
)
def test_a_dry_run_shows_what_the_options_choose(
    cli: Cli, three_sessions: Path, options: list[str], wanted: str
) -> None:
    done = cli("sync", "--dry-run", *options)
    assert three_sessions.is_dir()
    assert done.code == 0
    assert [name for name in ("old", "middle", "new") if f"About {name}" in done.out] == wanted.split()


def test_sync_sends_only_what_was_chosen(cli: Cli, opensync: OpenSync, three_sessions: Path) -> None:
    assert len(list(three_sessions.iterdir())) == 3
    assert cli("sync", "--yes", "--project", "/src/shop").code == 0
    assert list(opensync.sessions) == [session_id("old")]


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_is_none_is_a_mistake_of_usage(cli: Cli, option: str) -> None:
    done = cli("sync", option, "the other day")
    assert done.code == 2
    assert option in done.said[0]
    assert "30d" in done.err


def test_on_a_terminal_sync_says_what_it_would_upload_and_asks(
    cli: Cli, opensync: OpenSync, server: Server, three_sessions: Path
) -> None:
    assert three_sessions.is_dir()
    said_so_far = b""
    with on_a_terminal(cli, ("sync",)) as (process, ours):
        while b"[y/N]" not in said_so_far:
            said_so_far += os.read(ours, 4096)
        os.write(ours, b"n\n")
        assert process.wait(PATIENCE) == 0
    assert b"3 sessions" in said_so_far
    assert server.url.encode() in said_so_far
    assert opensync.counters.requests == {}


def test_version_and_help_are_quick_and_need_nothing(fresh_cli: Cli) -> None:
    done = fresh_cli("--version")
    assert done.code == 0
    assert done.out.startswith("pi-opensync ")
    assert not (fresh_cli.home / "state").exists()


def test_status_before_anything_was_set_up_says_what_to_do(fresh_cli: Cli) -> None:
    done = fresh_cli("status")
    assert done.code == 0
    assert "pi-opensync login" in done.out
    assert json.loads(fresh_cli("status", "--json").out)["server"] is None


def test_sync_ends_with_a_sentence(cli: Cli, three_sessions: Path) -> None:
    assert three_sessions.is_dir()
    assert re.fullmatch(r"3 messages of 3 sessions sent in \d+ s\.\n", cli("sync", "--yes").out)
    assert cli("sync", "--yes").out == "Nothing to send: all of it is there.\n"


def test_on_a_terminal_only_what_is_not_there_is_asked_about(cli: Cli, three_sessions: Path) -> None:
    assert cli("sync", "--yes").code == 0
    screen, code = converse(cli, ("sync",), [])
    assert (code, "[y/N]" in screen, "Nothing to send" in screen) == (0, False, True)
    with (three_sessions / "new.jsonl").open("ab") as file:
        file.write(line(said("user", "one more", time.time())))
    screen, code = converse(cli, ("sync",), [("Upload them? [y/N]", "y")])
    assert (code, "1 session since" in screen) == (0, True)
    assert "1 message of 1 session sent" in screen


@pytest.mark.slow
def test_interrupted_it_says_how_far_it_came_and_that_it_goes_on(cli: Cli, opensync: OpenSync) -> None:
    begun = time.time() - 60
    lines = [header("s", begun), *(said("user", f"s {n}", begun + n) for n in range(40))]
    (cli.home / "sessions" / "s.jsonl").write_bytes(b"".join(map(line, lines)))
    with running(opensync, delay=0.25) as slow:
        cli.variables["PI_OPENSYNC_CONVEX_URL"] = slow.url
        with cli.running("sync", "--yes") as sync:
            wait_until(lambda: len(opensync.messages) > 3, "some messages")
            sync.process.send_signal(signal.SIGINT)
            wait_until(lambda: "Interrupted: " in sync.out.read_text(), "the word", 2)
            assert "Running it again goes on." in sync.out.read_text()
            assert sync.process.wait(PATIENCE) == 8


def test_a_beginning_of_several_ids_is_refused_and_they_are_shown(cli: Cli, opensync: OpenSync) -> None:
    begun = time.time() - 60
    ids = ("01a1f87e-3ed9-7190-b3c8-0e0df3b8e876", "01a1f87e-3eb2-7190-b3c8-0e0b6ce11db9")
    for number, key in enumerate(ids):
        lines = (header("s", begun) | {"id": key}, said("user", f"About {number}", begun + number))
        (cli.home / "sessions" / f"{number}.jsonl").write_bytes(b"".join(map(line, lines)))
    for words in (("sync", "--yes", "--session"), ("preview",), ("verify", "--session")):
        done = cli(*words, "01a1f87e")
        assert (done.code, "01a1f87e-3ed" in done.err, "01a1f87e-3eb" in done.err) == (2, True, True)
    assert opensync.messages == {}
    listed = {row["id"]: row["short"] for row in json.loads(cli("list", "--json").out)["sessions"]}
    assert listed == {ids[0]: "01a1f87e-3ed", ids[1]: "01a1f87e-3eb"}
    assert cli("sync", "--yes", "--session", listed[ids[0]]).code == 0
    assert list(opensync.sessions) == [ids[0]]


def converse(cli: Cli, words: tuple[str, ...], answers: list[tuple[str, str]]) -> tuple[str, int]:
    """What a command says on a terminal where the questions are answered, and its exit code."""
    said_so_far = b""
    with on_a_terminal(cli, words) as (process, ours):
        while True:
            try:
                said_so_far += os.read(ours, 4096)
            except OSError:  # the other side is closed
                return said_so_far.decode(), process.wait(PATIENCE)
            if answers and answers[0][0].encode() in said_so_far:
                os.write(ours, answers.pop(0)[1].encode() + b"\n")


def test_ones_own_dashboard_is_not_sent_to_by_hand(fresh_cli: Cli) -> None:
    (fresh_cli.home / ".pi/agent/sessions").mkdir(parents=True)
    assert fresh_cli("watch", "--local", "--once").code == 0
    done = fresh_cli("sync")
    assert (done.code, "watch --local --once" in done.err) == (6, True)


def test_beside_a_daemon_that_one_sends_the_sessions_of_before(cli: Cli, opensync: OpenSync) -> None:
    for name in ("a", "b"):
        path = cli.home / "sessions" / f"{name}.jsonl"
        path.write_bytes(b"".join(map(line, (header(name, 1.7e9), said("user", name, 1.7e9 + 1)))))
        os.utime(path, (1.7e9, 1.7e9))
    with cli.running("watch") as running:
        running.wait_for("up to date")
        assert opensync.messages == {}
        done = cli("sync", "--yes", "--session", session_id("a"))
        assert (done.code, "is at work, and sends them: 1 session." in done.out) == (0, True)
        wait_until(lambda: len(opensync.messages) == 1, "the session of before")
        report = json.loads(cli("status", "--json").out)
        assert report["state"]["transcripts_left_alone"] == 1
    with cli.running("watch") as running:  # what is asked for holds until it was read
        running.wait_for("up to date")
        assert cli("sync", "--yes").code == 0
        assert cli("sync", "--yes", "--session", session_id("a")).code == 7, "there is nothing to hand over"
        assert running.stop(signal.SIGKILL) != 0
    with cli.running("watch"):
        wait_until(lambda: len(opensync.messages) == 2, "the other")


def test_beside_another_version_nothing_is_handed_over(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cli.home / "sessions" / "a.jsonl"
    path.write_bytes(b"".join(map(line, (header("a", 1.7e9), said("user", "one", 1.7e9 + 1)))))
    os.utime(path, (1.7e9, 1.7e9))
    assert cli("watch", "--once").code == 0
    monkeypatch.setattr(lock, "__version__", "0.0.9")
    with lock.held(cli.home / "state", "watch", time.time()):
        assert cli("sync", "--yes").code == 7
