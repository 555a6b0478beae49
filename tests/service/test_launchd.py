"""The agent of launchd, with a `launchctl` that only notes what it was asked."""

import plistlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pi_opensync.errors import ConfigurationError
from pi_opensync.service import launched
from pi_opensync.service.commands import Completed, run
from pi_opensync.service.launchd import Launchd
from pi_opensync.service.manager import choose
from pi_opensync.service.state import NoUserSession, ServiceFailed
from pi_opensync.service.systemd import Systemd
from pi_opensync.service.units import LAUNCHD_TEMPLATE, WATCH_LOCAL, Plan, launchd_plist, template
from tests.service.conftest import Fake, tree

DOMAIN = "gui/501"
TARGET = f"{DOMAIN}/dev.opensync.pi"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def agent(fake: Fake, home: Path) -> Launchd:
    def with_fake(command: Sequence[str]) -> Completed:
        done = subprocess.run(
            [str(fake.bin / command[0]), *command[1:]],
            env=fake.variables | {"HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr)

    return Launchd(with_fake, home, {}, uid=501)


@pytest.fixture
def plan(home: Path) -> Plan:
    return Plan(
        interpreter=Path(sys.executable),
        state=home / "state",
        roots=(home / "sessions",),
        logs=home / "Library/Logs/pi-opensync",
        home=home,
    )


def test_the_agent_runs_what_was_planned(plan: Plan) -> None:
    local = replace(plan, command=WATCH_LOCAL)
    for wanted in (plan, local):
        words = plistlib.loads(launchd_plist(template(LAUNCHD_TEMPLATE), wanted))["ProgramArguments"]
        assert words[3:] == [str(plan.logs / "pi-opensync.log"), *wanted.command]


def test_install_loads_the_agent(agent: Launchd, plan: Plan, fake: Fake) -> None:
    agent.require(plan)
    agent.install(plan)
    assert fake.calls[-2:] == [f"enable {TARGET}", f"bootstrap {DOMAIN} {agent.path}"]
    state = agent.state()
    assert (state.installed, state.running, state.pid) == (True, True, 4242)
    assert state.interpreter == Path(sys.executable)


def test_install_again_unloads_it_first(agent: Launchd, plan: Plan, fake: Fake) -> None:
    agent.install(plan)
    agent.install(plan)
    assert f"bootout {TARGET}" in fake.calls
    assert agent.state().running


def test_stop_unloads_it_so_that_it_is_not_kept_alive(agent: Launchd, plan: Plan) -> None:
    agent.install(plan)
    agent.stop()
    state = agent.state()
    assert (state.installed, state.running, state.starts_by_itself) == (True, False, False)
    agent.start()
    assert agent.state().running


def test_start_of_a_loaded_agent_runs_it(agent: Launchd, plan: Plan, fake: Fake) -> None:
    agent.install(plan)
    agent.start()
    assert fake.calls[-1] == f"kickstart {TARGET}"


def test_uninstall_leaves_nothing(agent: Launchd, plan: Plan, home: Path) -> None:
    agent.install(plan)
    (plan.logs / "pi-opensync.log.1").write_text("old")
    (plan.logs / "launchd.log").write_text("")
    assert agent.uninstall()
    assert tree(home) <= {"Library"}
    assert not agent.uninstall()


def test_without_a_session_it_says_how_to_go_on(agent: Launchd, plan: Plan, fake: Fake) -> None:
    fake.note("no-session")
    with pytest.raises(NoUserSession) as raised:
        agent.require(plan)
    assert "watch --once" in (raised.value.hint or "")


def test_an_agent_that_is_refused_is_told(agent: Launchd, plan: Plan, fake: Fake) -> None:
    fake.note("refuse")
    with pytest.raises(ServiceFailed, match="Input/output error"):
        agent.install(plan)


def test_logs_are_those_of_the_rotating_file(agent: Launchd, plan: Plan) -> None:
    assert agent.logs_command(follow=True) == ["tail", "-n", "200", "-F", f"{plan.logs}/pi-opensync.log"]


def test_the_manager_is_that_of_the_platform(home: Path) -> None:
    assert isinstance(choose("linux", home, {}, run), Systemd)
    assert isinstance(choose("darwin", home, {}, run), Launchd)
    with pytest.raises(ConfigurationError, match="freebsd14"):
        choose("freebsd14", home, {}, run)


def test_a_command_that_is_not_there_is_told_by_its_code() -> None:
    assert run(["no-such-command-anywhere"]).code == 127


def test_the_log_file_moves_aside_before_it_grows_over_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "logs/pi-opensync.log"
    log = launched.RotatingFile(path, max_bytes=30, kept=2)
    for number in range(9):
        print(f"line {number} of ten", file=log)
    log.close()
    assert sorted(item.name for item in path.parent.iterdir()) == [
        "pi-opensync.log",
        "pi-opensync.log.1",
        "pi-opensync.log.2",
    ]
    assert all(item.stat().st_size <= 30 for item in path.parent.iterdir())
    assert path.read_text().endswith("line 8 of ten\n")


def test_an_exit_code_that_no_restart_mends_is_a_good_end_for_launchd(home: Path) -> None:
    log = home / "logs/pi-opensync.log"
    command = [sys.executable, "-m", "pi_opensync.service.launched", str(log)]
    done = subprocess.run(command, env={"HOME": str(home)}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no OpenSync URL and no key" in log.read_text()
