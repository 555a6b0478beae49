"""`sync` and `status` as processes, against the stand-in as a real server."""

import json
import os
import pty
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, Cli
from tests.harness import TRANSCRIPTS, World, header, line, said, session_id
from tests.standin.backend import OpenSync
from tests.standin.server import Server

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
    assert f"{len(opensync.messages)} delivered, 0 waiting, 0 parked" in text
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
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        cli._command(("sync",)),
        cwd=cli.home,
        env=cli.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said_so_far = b""
    while b"[y/N]" not in said_so_far:
        said_so_far += os.read(ours, 4096)
    os.write(ours, b"n\n")
    assert process.wait(PATIENCE) == 0
    os.close(ours)
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
