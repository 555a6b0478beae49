"""`service` as a user runs it on Linux: installed, upgraded, taken away, in a home of its own."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from pi_opensync import __version__
from pi_opensync.daemon import lock
from pi_opensync.store.database import open_database
from tests.conftest import Cli
from tests.service.conftest import Fake, tree
from tests.standin.backend import OpenSync
from tests.standin.server import Server

UNIT = ".config/systemd/user/pi-opensync.service"
WANTED = ".config/systemd/user/default.target.wants/pi-opensync.service"
STATE = ".local/state/pi-opensync"


def test_print_shows_the_unit_and_installs_nothing(logged_in: Cli, fake: Fake) -> None:
    before = tree(logged_in.home)
    done = logged_in("service", "install", "--print")
    assert done.code == 0
    assert f'ExecStart="{sys.executable}" -m pi_opensync watch' in done.out
    assert tree(logged_in.home) == before
    assert fake.calls == ["--version"]


def test_install_writes_enables_and_starts(logged_in: Cli, fake: Fake) -> None:
    done = logged_in("service", "install")
    assert done.code == 0, done.err
    unit = logged_in.home / UNIT
    assert stat.S_IMODE(unit.stat().st_mode) == 0o600
    assert (logged_in.home / WANTED).is_symlink()
    assert (logged_in.home / STATE).is_dir()
    asked = [call.removeprefix("--user ") for call in fake.calls]
    steps = ["daemon-reload", "enable pi-opensync.service", "restart pi-opensync.service"]
    assert [call for call in asked if call in steps] == steps
    shown = logged_in("service", "status")
    assert shown.code == 0
    assert "active (running), nothing waits, process 4242" in shown.out
    assert sys.executable in shown.out


def test_a_dashboard_of_ones_own_is_a_service_without_an_account(fresh_cli: Cli, fake: Fake) -> None:
    fresh_cli.variables |= fake.variables | {"PI_OPENSYNC_STATE_DIR": ""}
    refused = fresh_cli("service", "install")
    assert (refused.code, "--local" in refused.err) == (6, True)
    done = fresh_cli("service", "install", "--local")
    assert done.code == 0, done.err
    assert "serve --open" in done.out
    unit = (fresh_cli.home / UNIT).read_text()
    assert f'ExecStart="{sys.executable}" -m pi_opensync watch --local --no-link\n' in unit
    with lock.held(fresh_cli.home / STATE / "local", "watch --local", time.time()):
        shown = fresh_cli("service", "status")
        assert (shown.code, f"version  {__version__}" in shown.out) == (0, True)


def test_install_again_is_an_upgrade_that_restarts(logged_in: Cli, fake: Fake) -> None:
    logged_in("service", "install")
    unit = logged_in.home / UNIT
    unit.write_text(unit.read_text().replace("Nice=10", "Nice=3"))
    assert logged_in("service", "install").code == 0
    assert "Nice=10" in unit.read_text()
    assert sum("restart" in call for call in fake.calls) == 2


def test_uninstall_leaves_what_was_there_before(logged_in: Cli) -> None:
    before = tree(logged_in.home)
    logged_in("service", "install")
    assert tree(logged_in.home) - before
    assert logged_in("service", "uninstall").code == 0
    left = tree(logged_in.home) - before
    assert left == {".local", ".local/state", STATE}  # the state is for --purge


def test_uninstall_and_purge_leave_nothing(logged_in: Cli) -> None:
    logged_in("service", "install")
    state = logged_in.home / STATE
    with lock.held(state, "watch", time.time()):
        open_database(state / ("0123456789ab")).close()
    (state / "pulse.json").write_text("{}")
    done = logged_in("service", "uninstall", "--purge")
    assert done.code == 0, done.err
    left = {name for name in tree(logged_in.home) if not name.startswith(".pi")}
    assert left <= {".config", ".local", ".local/state"}


def test_purge_keeps_what_is_not_ours(logged_in: Cli) -> None:
    state = logged_in.home / STATE
    (state / "local").mkdir(parents=True)
    (state / "letters.txt").write_text("a")
    done = logged_in("service", "uninstall", "--purge")
    assert done.code == 0
    assert str(state / "local") in done.out
    assert {path.name for path in state.iterdir()} == {"local", "letters.txt"}


def test_purge_beside_a_daemon_is_refused(logged_in: Cli) -> None:
    state = logged_in.home / STATE
    with lock.held(state, "watch", time.time()):
        done = logged_in("service", "uninstall", "--purge")
    assert done.code == 7
    assert (logged_in.home / ".config/pi-opensync/config.json").exists()


def test_purge_names_what_it_removed_and_nothing_else(fresh_cli: Cli, fake: Fake) -> None:
    fresh_cli.variables |= fake.variables | {"PI_OPENSYNC_STATE_DIR": ""}
    assert fresh_cli("service", "install", "--local").code == 0
    done = fresh_cli("service", "uninstall", "--purge")
    assert f"Removed {fresh_cli.home / STATE}.\n" in done.out
    again = fresh_cli("service", "uninstall", "--purge")
    assert "There were no state and no settings." in again.out


def test_uninstall_of_nothing_says_so(logged_in: Cli) -> None:
    done = logged_in("service", "uninstall")
    assert done.code == 0
    assert "No service was installed" in done.out


@pytest.mark.parametrize("command", ["start", "stop", "restart", "logs", "status"])
def test_without_a_service_each_command_says_how_to_install_one(logged_in: Cli, command: str) -> None:
    done = logged_in("service", command)
    assert done.code == 3
    assert "service install" in done.err


def test_stop_and_start(logged_in: Cli) -> None:
    logged_in("service", "install")
    assert logged_in("service", "stop").code == 0
    assert logged_in("service", "status").code == 3
    assert logged_in("service", "start").code == 0
    assert logged_in("service", "status").code == 0
    assert logged_in("service", "restart").code == 0


def test_logs_are_the_journals(logged_in: Cli, fake: Fake) -> None:
    logged_in("service", "install")
    assert logged_in("service", "logs").out == "a line of the journal\n"
    logged_in("service", "logs", "-f")
    assert fake.calls[-1].endswith("--follow")


def test_after_an_upgrade_status_says_that_the_old_version_runs(
    logged_in: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in("service", "install")
    monkeypatch.setattr("pi_opensync.daemon.lock.__version__", "0.0.9")
    with lock.held(logged_in.home / STATE, "watch", time.time()):
        done = logged_in("service", "status")
    assert "0.0.9 still runs" in done.out
    assert "service restart" in done.out


def test_a_service_that_does_not_start_is_told(logged_in: Cli, fake: Fake) -> None:
    fake.note("refuse-6")
    done = logged_in("service", "install")
    assert done.code == 1
    assert "does not start" in done.err
    assert "service logs" in done.err


def test_where_users_get_no_namespaces_it_runs_with_less_protection(logged_in: Cli, fake: Fake) -> None:
    fake.note("refuse-226")
    done = logged_in("service", "install")
    assert done.code == 0, done.err
    assert "less protection" in done.err
    unit = (logged_in.home / UNIT).read_text()
    assert "PrivateUsers" not in unit
    assert "NoNewPrivileges=yes" in unit


def test_without_a_session_bus_it_says_how_to_go_on(logged_in: Cli, fake: Fake) -> None:
    fake.note("no-bus")
    before = tree(logged_in.home)
    done = logged_in("service", "install")
    assert done.code == 1
    for way in ("enable-linger", "container", "watch --once"):
        assert way in done.err
    assert tree(logged_in.home) == before


def test_without_systemd_it_says_how_to_go_on(logged_in: Cli, fake: Fake, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = logged_in("service", "install", PATH=str(empty))
    assert done.code == 1
    assert "no systemd here" in done.err
    assert "enable-linger" not in done.err
    assert fake.calls == []


def test_settings_of_the_environment_alone_are_refused_by_name(logged_in: Cli) -> None:
    done = logged_in("service", "install", PI_OPENSYNC_THINKING="true", PI_OPENSYNC_TOOL_CALLS="false")
    assert done.code == 6
    assert "PI_OPENSYNC_THINKING" in done.err
    assert "PI_OPENSYNC_TOOL_CALLS" not in done.err  # the file says the same
    assert "--write-settings" in done.err
    assert not (logged_in.home / UNIT).exists()


def test_settings_of_the_environment_are_written_on_demand(
    fresh_cli: Cli, fake: Fake, server: Server, opensync: OpenSync
) -> None:
    sessions = fresh_cli.home / "sessions"
    fresh_cli.keys.append(opensync.key)
    fresh_cli.variables |= fake.variables | {
        "PI_OPENSYNC_CONVEX_URL": server.url,
        "PI_OPENSYNC_API_KEY": opensync.key,
        "PI_OPENSYNC_SESSIONS_DIR": os.pathsep.join([str(sessions), "/srv/pi"]),
        "PI_OPENSYNC_REDACT_EMAILS": "yes",
    }
    done = fresh_cli("service", "install", "--write-settings")
    assert done.code == 0, done.err
    path = fresh_cli.home / ".config/pi-opensync/config.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "convexUrl": server.url,
        "apiKey": opensync.key,
        "redactEmails": True,
        "sessionsDir": [str(sessions), "/srv/pi"],
        "stateDir": str(fresh_cli.home / "state"),
    }


def test_pis_own_variables_count_as_settings_of_the_environment(logged_in: Cli) -> None:
    agent = logged_in.home / "elsewhere"
    refused = logged_in("service", "install", PI_CODING_AGENT_DIR=str(agent))
    assert refused.code == 6
    assert "PI_CODING_AGENT_DIR" in refused.err
    assert logged_in("service", "install", "--write-settings", PI_CODING_AGENT_DIR=str(agent)).code == 0
    stored = json.loads((logged_in.home / ".config/pi-opensync/config.json").read_text())
    assert stored["sessionsDir"] == [str(agent / "sessions")]


def test_the_way_out_and_to_the_configuration_goes_into_the_unit(logged_in: Cli) -> None:
    config = logged_in.home / "other.json"
    config.write_text((logged_in.home / ".config/pi-opensync/config.json").read_text())
    config.chmod(0o600)
    variables = {"PI_OPENSYNC_CONFIG": str(config), "HTTPS_PROXY": "http://proxy.test:3128"}
    done = logged_in("service", "install", "--print", **variables)
    assert done.code == 0, done.err
    for name, value in variables.items():
        assert f'Environment="{name}={value}"' in done.out


def test_without_a_login_nothing_is_installed(fresh_cli: Cli, fake: Fake) -> None:
    done = fresh_cli("service", "install", **fake.variables)
    assert done.code == 6
    assert "pi-opensync login" in done.err
    assert fake.calls == []


def test_with_auto_sync_off_there_is_nothing_for_a_service(logged_in: Cli) -> None:
    path = logged_in.home / ".config/pi-opensync/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"autoSync": False}))
    assert logged_in("service", "install").code == 6
