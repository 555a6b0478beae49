"""`service` under a user's real systemd: started, confined, watched, killed, brought back, taken away."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi_opensync import __version__
from tests.conftest import Cli, wait_until
from tests.harness import header, line, said
from tests.service.user_manager import HOME, UID, asked, user_manager, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

UNIT = "pi-opensync.service"
SAMPLES = Path(__file__).parents[2] / "pi_opensync/samples"
# Only waits are shorter than they are for a user.
SOON = "RestartSec=100ms"
WATCHED = 6  # seconds


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's, with sessions of pi's."""
    folder = tmp_path / "home"
    shutil.copytree(SAMPLES, folder / ".pi/agent/sessions")
    change(folder, SOON)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, UID, UID)
    return folder


@pytest.fixture
def user(home: Path) -> Iterator[Cli]:
    with user_manager(home, journal_on_disk=True) as cli:
        yield cli


def change(home: Path, line: str) -> None:
    """Let the unit be another in this."""
    folder = home / f".config/systemd/user/{UNIT}.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{line.partition('=')[0]}.conf").write_text(f"[Service]\n{line}\n")


def say(home: Path, name: str, text: str) -> None:
    """pi writes a line, in a session of its own if that is new."""
    path = home / f".pi/agent/sessions/{name}.jsonl"
    new = [] if path.exists() else [header(name, time.time())]
    with path.open("ab") as file:
        file.writelines(map(line, [*new, said("user", text, time.time(), secrets.token_hex(4))]))


def shown(user: Cli, name: str) -> str:
    return asked(user, "systemctl", "--user", "show", UNIT, f"--property={name}", "--value")


def is_up_to_date(user: Cli) -> bool:
    report = json.loads(user("status", "--json").out)
    state, running = report["state"], report["running"]
    return bool(state and running) and state["sessions_delivered"] == len(list(SAMPLES.glob("*.jsonl")))


def wait_for_another(user: Cli, pid: str) -> str:
    """The process that systemd started in the place of `pid`, once it is ready."""

    def came() -> bool:
        return shown(user, "MainPID") not in (pid, "0") and shown(user, "ActiveState") == "active"

    wait_until(came, "another process")
    return shown(user, "MainPID")


def test_a_service_is_started_confined_and_taken_away(user: Cli, home: Path) -> None:
    done = user("service", "install", "--local")
    assert (done.code, done.err) == (0, "")  # above all: no remark that it runs with less protection
    told = user("service", "status")
    assert told.code == 0, told.out + told.err
    for word in ("active (running)", "starts   with your login", f"version  {__version__}"):
        assert word in told.out
    wait_until(lambda: is_up_to_date(user), "its sessions")
    wait_until(lambda: shown(user, "StatusText") == "19 messages delivered, 0 waiting", "how it goes")
    process = asked(user, "cat", f"/proc/{shown(user, 'MainPID')}/status")
    for held in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"):
        assert held in process
    mounts = asked(user, "cat", f"/proc/{shown(user, 'MainPID')}/mountinfo").splitlines()
    options = {mount.split()[4]: mount.split()[5].split(",")[0] for mount in mounts}
    assert (options["/"], options[HOME]) == ("ro", "ro")
    assert options[f"{HOME}/.local/state/pi-opensync"] == "rw"
    doctor = user("doctor", "--json")
    checks = {check["name"]: check["verdict"] for check in json.loads(doctor.out)["checks"]}
    assert {checks[name] for name in ("service", "interpreter", "version", "progress")} == {"ok"}
    assert user("service", "uninstall", "--purge").code == 0
    assert shown(user, "LoadState") == "not-found"
    assert not (home / f".config/systemd/user/{UNIT}").exists()
    assert (home / ".local/state/pi-opensync/local/opensync.sqlite3").exists()


def test_what_is_killed_is_started_again(user: Cli) -> None:
    assert user("service", "install", "--local").code == 0
    asked(user, "kill", "-KILL", first := shown(user, "MainPID"))
    wait_for_another(user, first)
    assert shown(user, "NRestarts") == "1"
    wait_until(lambda: is_up_to_date(user), "its sessions")


def test_it_lives_while_its_loops_go_round_and_not_when_it_hangs(user: Cli, home: Path) -> None:
    change(home, f"WatchdogSec={WATCHED}")
    change(home, "TimeoutAbortSec=1")  # what is stopped dies of no signal but the last
    assert user("service", "install", "--local").code == 0
    first, begun = shown(user, "MainPID"), last_sign(user)

    def gives_signs() -> bool:
        say(home, "busy", f"at {time.time()}")
        return last_sign(user) > begun + WATCHED + 1

    wait_until(gives_signs, "signs of life for longer than it could live without")
    assert (shown(user, "MainPID"), shown(user, "NRestarts")) == (first, "0")
    asked(user, "kill", "-STOP", first)
    wait_for_another(user, first)
    assert shown(user, "NRestarts") == "1"


def last_sign(user: Cli) -> float:
    """Of life, in seconds since the start of the machine."""
    return int(shown(user, "WatchdogTimestampMonotonic")) / 1e6


def test_stop_start_restart_and_the_log(user: Cli) -> None:
    assert user("service", "install", "--local").code == 0
    assert user("service", "stop").code == 0
    stopped = user("service", "status")
    assert (stopped.code, "inactive (dead)\n" in stopped.out) == (3, True)
    assert "service start" in stopped.err
    assert shown(user, "Result") == "success"
    assert user("service", "start").code == 0
    first = shown(user, "MainPID")
    assert user("service", "restart").code == 0
    assert shown(user, "MainPID") != first
    assert user("service", "status").code == 0
    wait_until(lambda: "up to date" in user("service", "logs").out, "its log")
    assert "pi-opensync[" in user("service", "logs").out
    assert "login?token=" not in user("service", "logs").out


def test_settings_that_no_restart_mends_end_it(user: Cli, home: Path) -> None:
    assert user("service", "install", "--local").code == 0
    settings = home / ".config/pi-opensync/config.json"
    settings.parent.mkdir()
    settings.write_text("not JSON")
    asked(user, "kill", "-KILL", shown(user, "MainPID"))
    wait_until(lambda: shown(user, "ActiveState") == "failed", "its end")
    assert (shown(user, "ExecMainStatus"), shown(user, "NRestarts")) == ("6", "1")
    assert str(settings.name) in user("service", "logs").out


def test_where_the_journal_is_not_the_users_to_read_it_is_said_how(home: Path) -> None:
    with user_manager(home, journal_on_disk=False) as user:
        assert user("service", "install", "--local").code == 0
        done = user("service", "logs")
        assert (done.code, "sudo journalctl --user-unit" in done.err) == (1, True)
