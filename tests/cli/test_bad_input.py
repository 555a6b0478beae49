"""What a user is told, with which exit code, when something is not as it should be; nothing is lost by it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cli, Done, new_key
from tests.harness import START, TRANSCRIPTS, header, line, said
from tests.standin.backend import OpenSync
from tests.standin.faults import CutBefore, Fault, Html, no_faults
from tests.standin.server import Server

SYNC = ("sync", "--yes")
WATCH_ONCE = ("watch", "--once", "--backfill")
EITHER = pytest.mark.parametrize("command", [SYNC, WATCH_ONCE], ids=["sync", "watch"])
OLD = TRANSCRIPTS / "pi-0.30.2"
OLD_MESSAGES = 42


def sessions(cli: Cli) -> Path:
    return Path(cli.variables["PI_OPENSYNC_SESSIONS_DIR"])


def place_good_session(cli: Cli) -> None:
    """A session that must arrive whatever lies beside it."""
    lines = header("good", START - 99), said("user", "Hello", START - 99), said("assistant", "Hi", START - 98)
    (sessions(cli) / "good.jsonl").write_bytes(b"".join(map(line, lines)))


def unprivileged() -> tuple[str, ...]:
    """What makes a command heed file permissions: root is stripped of the right to pass over them."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    assert setpriv is not None, "tests that run as root need setpriv (util-linux)"
    rights = "-dac_override,-dac_read_search"
    return (setpriv, f"--inh-caps={rights}", f"--bounding-set={rights}")


@EITHER
def test_a_missing_root_is_named(cli: Cli, command: tuple[str, ...]) -> None:
    gone = str(cli.home / "gone")
    done = cli(*command, PI_OPENSYNC_SESSIONS_DIR=gone)
    code, problem = (6, "no sessions folder") if command is SYNC else (8, "can not be read")
    assert done.code == code
    assert gone in done.line_with(problem)


@EITHER
def test_a_missing_root_beside_another_is_named_and_holds_back_nothing(
    cli: Cli, opensync: OpenSync, command: tuple[str, ...]
) -> None:
    gone = cli.home / "gone"
    done = cli(*command, PI_OPENSYNC_SESSIONS_DIR=f"{OLD}{os.pathsep}{gone}")
    assert done.code == 8
    assert len([said_line for said_line in done.said if "can not be read" in said_line]) == 1
    assert str(gone) in done.line_with("can not be read")
    assert len(opensync.messages) == OLD_MESSAGES


@EITHER
def test_an_unreadable_file_is_named_and_holds_back_nothing(
    cli: Cli, opensync: OpenSync, command: tuple[str, ...]
) -> None:
    place_good_session(cli)
    secret = sessions(cli) / "secret.jsonl"
    secret.write_bytes(line(header("secret", START)) + line(said("user", "later", START)))
    secret.chmod(0)
    cli.prefix = unprivileged()
    done = cli(*command)
    assert done.code == 8
    assert str(secret) in done.line_with("can not be read")
    assert "Permission denied" in done.line_with("can not be read")
    assert len(opensync.messages) == 2

    secret.chmod(0o600)
    assert cli(*command).code == 0
    assert len(opensync.messages) == 3


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@EITHER
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(Path.touch, id="empty"),
        pytest.param(lambda path: path.write_bytes(bytes(range(256)) * 40 + b"\n"), id="garbage"),
        pytest.param(lambda path: path.write_bytes(b'"no transcript"\n[1, 2]\n{"a": 1}\n'), id="other-json"),
        pytest.param(link_to_itself, id="loop"),
    ],
)
def test_what_is_no_transcript_gets_one_line_and_holds_back_nothing(
    cli: Cli, opensync: OpenSync, command: tuple[str, ...], make: Callable[[Path], object]
) -> None:
    place_good_session(cli)
    odd = sessions(cli) / "odd.jsonl"
    make(odd)
    done = cli(*command)
    assert done.code in (0, 8)
    assert [len(opensync.sessions), len(opensync.messages)] == [1, 2]
    assert str(odd) in done.line_with("odd.jsonl")


def test_a_folder_named_like_a_transcript_is_looked_into(cli: Cli, opensync: OpenSync) -> None:
    place_good_session(cli)
    (sessions(cli) / "x.jsonl").mkdir()
    (sessions(cli) / "good.jsonl").rename(sessions(cli) / "x.jsonl/good.jsonl")
    assert cli(*SYNC).code == 0
    assert len(opensync.messages) == 2


def test_a_file_that_holds_no_session_is_not_announced_as_one(cli: Cli) -> None:
    (sessions(cli) / "empty.jsonl").touch()
    assert "1 session" not in cli(*SYNC).err


@pytest.mark.parametrize("command", [SYNC, ("watch",)], ids=["sync", "watch"])
def test_without_configuration_it_says_how_to_log_in(fresh_cli: Cli, command: tuple[str, ...]) -> None:
    done = fresh_cli(*command, PI_OPENSYNC_SESSIONS_DIR=str(OLD))
    assert done.code == 6
    assert done.out == ""
    assert "pi-opensync login" in done.err
    assert len(done.said) == 2


@EITHER
def test_a_wrong_key_ends_it_and_the_right_one_loses_nothing(
    cli: Cli, opensync: OpenSync, command: tuple[str, ...]
) -> None:
    wrong = new_key()
    cli.keys.append(wrong)
    done = cli(*command, PI_OPENSYNC_SESSIONS_DIR=str(OLD), PI_OPENSYNC_API_KEY=wrong)
    assert done.code == 5
    assert "pi-opensync login" in done.said[-1]
    assert opensync.messages == {}
    assert opensync.counters.requests["/sync/sessions/list"] <= 2

    done = cli(*command, PI_OPENSYNC_SESSIONS_DIR=str(OLD))
    assert (done.code, len(opensync.messages)) == (0, OLD_MESSAGES), done.err


@pytest.mark.slow
@EITHER
def test_a_server_that_is_down_ends_it_and_nothing_is_lost(
    cli: Cli, opensync: OpenSync, free_port: int, command: tuple[str, ...]
) -> None:
    url = cli.variables["PI_OPENSYNC_CONVEX_URL"]
    nowhere = f"http://127.0.0.1:{free_port}"
    cli.variables |= {"PI_OPENSYNC_SESSIONS_DIR": str(OLD), "PI_OPENSYNC_CONVEX_URL": nowhere}
    done = cli(*command)
    assert done.code == 4
    assert str(free_port) in done.line_with("pi-opensync: ")
    assert "nothing is lost" in done.said[-1]

    assert cli(*command, PI_OPENSYNC_CONVEX_URL=url).code == 0
    assert len(opensync.messages) == OLD_MESSAGES


@pytest.mark.slow
@EITHER
@pytest.mark.parametrize("fault", [CutBefore(), Html()], ids=["cut", "portal"])
def test_after_an_outage_the_next_run_delivers_everything(
    cli: Cli, opensync: OpenSync, server: Server, command: tuple[str, ...], fault: Fault
) -> None:
    cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(OLD)
    server.faults = lambda _method, _path: fault
    assert cli(*command).code == 4
    assert opensync.messages == {}

    server.faults = no_faults
    done = cli(*command)
    assert (done.code, len(opensync.messages)) == (0, OLD_MESSAGES), done.err


@pytest.mark.slow
@EITHER
def test_an_outage_in_the_middle_is_never_told_as_done(
    cli: Cli, opensync: OpenSync, server: Server, command: tuple[str, ...]
) -> None:
    cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(OLD)
    server.faults = lambda _method, _path: Html() if len(opensync.messages) >= 20 else None
    assert cli(*command).code == 4

    server.faults = no_faults
    done = cli(*command)
    assert (done.code, len(opensync.messages)) == (0, OLD_MESSAGES), done.err
    assert opensync.counters.lost_parts == 0


def is_one_complaint(done: Done, source: str) -> bool:
    return done.code == 6 and source in done.said[0] and len(done.said) <= 2 and done.out == ""


def test_a_wrong_value_in_the_environment_is_named_with_its_source(cli: Cli) -> None:
    wrong = {"PI_OPENSYNC_AUTO_SYNC": "perhaps", "PI_OPENSYNC_API_KEY": "x", "PI_OPENSYNC_CONVEX_URL": "x"}
    for name, value in wrong.items():
        done = cli(*SYNC, **{name: value})
        assert is_one_complaint(done, name), done


@pytest.mark.parametrize("beneath", ["a-file", "/proc"])
def test_a_state_folder_that_can_not_be_made_is_named(cli: Cli, beneath: str) -> None:
    (cli.home / "a-file").touch()
    place_good_session(cli)
    folder = cli.home / beneath / "state"
    for command in (SYNC, WATCH_ONCE):
        done = cli(*command, PI_OPENSYNC_STATE_DIR=str(folder))
        assert done.code == 6
        assert str(folder) in done.err
        assert "PI_OPENSYNC_STATE_DIR" in done.err


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\udcff"])
def test_a_broken_configuration_file_is_named(fresh_cli: Cli, text: str) -> None:
    path = fresh_cli.home / "config.json"
    path.write_text(text, errors="surrogateescape")
    done = fresh_cli(*SYNC, PI_OPENSYNC_CONFIG=str(path))
    assert is_one_complaint(done, str(path)), done
