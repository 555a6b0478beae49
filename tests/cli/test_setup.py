"""`setup`: without a terminal the options say what is done; with one, the answers."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Cli, new_key, wait_until
from tests.harness import header, line, said
from tests.service.conftest import Fake, fake
from tests.standin.backend import OpenSync
from tests.standin.server import Server

__all__ = ["fake"]

UNIT = ".config/systemd/user/pi-opensync.service"
CONFIG = ".config/pi-opensync/config.json"
HOUR = 3600.0


@pytest.fixture
def home(fresh_cli: Cli, fake: Fake, opensync: OpenSync) -> Cli:
    """Nothing is configured; pi has one session of each of two projects."""
    if sys.platform != "linux":
        pytest.skip("the fake commands are those of Linux")
    fresh_cli.keys.append(opensync.key)
    fresh_cli.variables |= fake.variables | {"PI_OPENSYNC_STATE_DIR": ""}
    sessions = fresh_cli.home / ".pi/agent/sessions"
    sessions.mkdir(parents=True)
    begun = time.time() - HOUR
    for name in ("webapp", "client"):
        entries = [
            header(name, begun, cwd=f"/home/user/{name}"),
            said("user", f"a question about {name}", begun),
            said("assistant", "an answer", begun + 1),
        ]
        (sessions / f"{name}.jsonl").write_bytes(b"".join(map(line, entries)))
    return fresh_cli


def test_every_step_has_its_option(home: Cli, server: Server, opensync: OpenSync) -> None:
    done = home(
        *("setup", "--url", server.url, "--key-stdin", "--exclude", "/home/user/client", "--history"),
        "--service",
        stdin=opensync.key + "\n",
    )
    assert done.code == 0, done.err
    assert json.loads((home.home / CONFIG).read_text())["exclude"] == ["/home/user/client"]
    assert [row.project_name for row in opensync.sessions.values()] == ["webapp"]
    assert (home.home / UNIT).exists()


def test_without_a_terminal_nothing_is_asked_and_nothing_done_that_no_option_says(
    home: Cli, server: Server, opensync: OpenSync
) -> None:
    done = home("setup", "--url", server.url, "--key-stdin", stdin=opensync.key + "\n")
    assert done.code == 0, done.err
    assert opensync.sessions == {}
    assert not (home.home / UNIT).exists()
    for hint in ("pi-opensync sync", "pi-opensync service install"):
        assert hint in done.out


def test_without_a_terminal_and_a_login_it_says_which_options_to_use(home: Cli) -> None:
    done = home("setup")
    assert done.code == 6
    assert "--key-stdin" in done.err


def test_a_login_that_is_there_is_kept(home: Cli, server: Server, opensync: OpenSync) -> None:
    home("login", "--url", server.url, "--key-stdin", stdin=opensync.key + "\n")
    done = home("setup", "--no-history", "--no-service")
    assert done.code == 0
    assert f"logged in to {server.url}" in done.out


def test_what_is_no_pattern_is_refused_and_not_written(home: Cli, server: Server, opensync: OpenSync) -> None:
    options = ("--url", server.url, "--key-stdin", "--exclude", "!")
    assert home("setup", *options, stdin=opensync.key + "\n").code == 6
    assert "exclude" not in json.loads((home.home / CONFIG).read_text())


def test_the_walk_asks_step_by_step(home: Cli, server: Server, opensync: OpenSync, tmp_path: Path) -> None:
    answers = [
        ("Which one?", "2"),
        ("URL of your OpenSync", "nowhere.invalid"),
        ("URL of your OpenSync", f"{server.url.removeprefix('http://')}/dashboard"),
        ("API key", opensync.key),
        ("A project to leave out", "/home/user/client"),
        ("A project to leave out", ""),
        ("Send them? [y/N, p for a preview]", "p"),
        ("Send them? [y/N]", "y"),
        ("Install and start the service?", ""),
    ]
    screen = converse(home, answers, tmp_path)
    assert opensync.key not in screen
    assert "1 session since" in screen
    assert "Nothing was sent." in screen  # of the preview
    assert [row.project_name for row in opensync.sessions.values()] == ["webapp"]
    assert (home.home / UNIT).exists()


def test_no_is_the_answer_to_history_unless_the_user_says_yes(
    home: Cli, server: Server, opensync: OpenSync, tmp_path: Path
) -> None:
    home("login", "--url", server.url, "--key-stdin", stdin=opensync.key + "\n")
    converse(home, [("leave out", ""), ("Send them?", ""), ("service?", "n")], tmp_path)
    assert opensync.sessions == {}
    assert not (home.home / UNIT).exists()


def test_only_on_this_machine_is_the_first_offer(home: Cli, opensync: OpenSync, tmp_path: Path) -> None:
    answers = [("Which one? [1]", "3"), ("Which one? [1]", ""), ("leave out", "!"), ("leave out", "")]
    answers += [("service?", "maybe"), ("service?", "n")]
    screen = converse(home, answers, tmp_path)
    assert opensync.counters.requests == {}
    assert "pi-opensync watch --local" in screen.partition("What was done")[2]


def test_a_service_that_can_not_be_installed_is_not_offered(home: Cli, fake: Fake, tmp_path: Path) -> None:
    fake.note("no-bus")
    screen = converse(home, [("Which one? [1]", "1"), ("leave out", "")], tmp_path)
    assert "Install and start" not in screen
    done = screen.partition("What was done")[2]
    assert "no service: no systemd runs for this user" in " ".join(done.split())
    assert "pi-opensync watch --local --open" in " ".join(done.split())


def test_a_key_that_is_refused_is_asked_for_again(
    home: Cli, server: Server, opensync: OpenSync, tmp_path: Path
) -> None:
    wrong = new_key()
    answers = [
        *(("Which one?", "2"), ("URL of", server.url), ("API key (osk_", "none")),
        *(("API key (osk_", wrong), ("API key (osk_", opensync.key)),
        *(("leave out", ""), ("Send them?", ""), ("service?", "n")),
    ]
    screen = converse(home, answers, tmp_path)
    assert "begins with osk_" in screen
    assert "does not accept this key" in screen
    assert f"logged in to {server.url}" in screen


def converse(cli: Cli, answers: list[tuple[str, str]], folder: Path) -> str:
    """Run `setup` on a terminal and give each answer when its question is there; returns the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pi_opensync", "setup"],
        cwd=folder,
        env=cli.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = bytearray()
    seen = 0

    def asked(question: str) -> bool:
        _take_in(ours, screen)
        return question in screen[seen:].decode("utf-8", "replace")

    try:
        for question, answer in answers:
            wait_until(lambda question=question: asked(question), f"{question!r} in {screen.decode()!r}")  # type: ignore[misc]
            seen = len(screen)
            os.write(ours, answer.encode() + b"\n")
        wait_until(lambda: asked("\0") or process.poll() is not None, "its end")
        _take_in(ours, screen)
        assert process.returncode == 0, screen.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return screen.decode("utf-8", "replace")


def _take_in(descriptor: int, screen: bytearray) -> None:
    while select.select([descriptor], [], [], 0)[0]:
        try:
            data = os.read(descriptor, 65536)
        except OSError:  # the other side is closed
            return
        if not data:
            return
        screen.extend(data)
