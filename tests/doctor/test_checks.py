"""Each check of `doctor`, with values that make it say each of its verdicts."""

import json
import sys
from importlib import metadata
from pathlib import Path

import apsw
import pytest

from pi_opensync.daemon.lock import Holder
from pi_opensync.daemon.pulse import Pulse
from pi_opensync.doctor import configured, environment, installed, machine, plugin, session_folders
from pi_opensync.pi import discover
from pi_opensync.privacy import pauses as pausing
from pi_opensync.service.commands import Completed, run
from pi_opensync.service.state import State
from pi_opensync.settings import Secret, Settings
from pi_opensync.store.database import FILE, open_database
from tests.conftest import new_key

HOLDER = Holder(7, "watch", "0.1.0", 0.0)
PLUGIN = "npm:pi-opensync-plugin@0.2.0"


# environment


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 11, 0), "ok"), ((3, 10, 9), "fail"), ((4, 0, 0), "ok")]
)
def test_an_old_python_fails(version: tuple[int, ...], verdict: str) -> None:
    assert environment.python(version, "/usr/bin/python").verdict == verdict


def versions(**there: str) -> environment.VersionOf:
    def version_of(name: str) -> str:
        if name not in there:
            raise metadata.PackageNotFoundError(name)
        return there[name]

    return version_of


def test_packages_that_are_missing_or_old_fail() -> None:
    required = ["httpx>=0.28.1", "typer[all]>=0.15", 'pytest>=8; extra == "dev"']
    assert environment.packages(required, versions(httpx="0.28.1", typer="0.29.1")).verdict == "ok"
    old = environment.packages(required, versions(httpx="0.9.9", typer="0.29.1"))
    assert (old.verdict, old.detail) == ("fail", "httpx 0.9.9 is older than 0.28.1")
    missing = environment.packages(required, versions(httpx="1.0"))
    assert (missing.verdict, missing.detail) == ("fail", "typer is missing")
    assert environment.packages([], versions()).verdict == "warn"


# configuration


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    (home / ".config/pi-opensync").mkdir(parents=True)
    return {"HOME": str(home)}


def write(env: dict[str, str], mode: int = 0o600, **values: object) -> Path:
    path = Path(env["HOME"]) / ".config/pi-opensync/config.json"
    path.write_text(json.dumps(values))
    path.chmod(mode)
    return path


def test_a_configuration_that_can_not_be_understood_fails(env: dict[str, str]) -> None:
    assert configured.readable(env)[0].verdict == "ok"
    for wrong in ({"debug": "perhaps"}, {"redactPatterns": ["("]}, {"exclude": ["!"]}):
        write(env, **wrong)
        check, chosen = configured.readable(env)
        assert (check.verdict, chosen) == ("fail", None)


def test_a_file_that_others_can_read_fails(env: dict[str, str]) -> None:
    assert configured.permissions(env).verdict == "ok"
    path = write(env, 0o640)
    check = configured.permissions(env)
    assert (check.verdict, check.mend) == ("fail", f"chmod 600 '{path}'")
    path.chmod(0o600)
    assert configured.permissions(env).verdict == "ok"


def test_without_url_or_key_login_fails_and_no_check_shows_the_key(tmp_path: Path) -> None:
    key = new_key()
    assert configured.login(Settings(state_dir=tmp_path), has_own=False).mend == "pi-opensync setup"
    half = Settings(state_dir=tmp_path, convex_url="https://otter.test")
    assert configured.login(half, has_own=False).mend == "pi-opensync login"
    check = configured.login(Settings(convex_url="https://otter.test", api_key=Secret(key)), has_own=False)
    assert check.verdict == "ok"
    assert key not in repr(check)


def test_without_url_or_key_a_dashboard_of_ones_own_is_enough(tmp_path: Path) -> None:
    assert configured.login(Settings(state_dir=tmp_path), has_own=True).verdict == "ok"
    half = Settings(state_dir=tmp_path, convex_url="https://otter.test")
    assert configured.login(half, has_own=True).verdict == "fail"


def test_a_pause_and_auto_sync_off_are_told(tmp_path: Path) -> None:
    assert configured.automatic(Settings(), tmp_path, 0.0).verdict == "ok"
    assert configured.automatic(Settings(auto_sync=False), tmp_path, 0.0).verdict == "warn"
    pausing.pause(tmp_path, None)
    assert configured.automatic(Settings(), tmp_path, 0.0).mend == "pi-opensync resume"


def test_settings_of_the_shell_alone_are_named_without_their_values(env: dict[str, str]) -> None:
    key = new_key()
    home = Path(env["HOME"])
    assert configured.environment(env, home).verdict == "ok"
    check = configured.environment(env | {"PI_OPENSYNC_API_KEY": key}, home)
    assert check.verdict == "warn"
    assert "PI_OPENSYNC_API_KEY" in check.detail
    assert key not in repr(check)


# transcripts


def listing(*folders: Path) -> list[discover.Item]:
    return list(discover.transcripts(folders))


def test_roots_that_are_missing_fail_and_empty_ones_warn(tmp_path: Path) -> None:
    root = tmp_path / "sessions"
    assert session_folders.roots((root,), listing(root)).verdict == "fail"
    root.mkdir()
    assert session_folders.roots((root,), listing(root)).verdict == "warn"
    (root / "a.jsonl").write_text("")
    assert session_folders.roots((root,), listing(root)).detail == f"1 in {root}"


def test_what_can_not_be_read_fails(tmp_path: Path) -> None:
    assert session_folders.unreadable(listing(tmp_path)).verdict == "ok"
    closed = discover.Unreadable(b"/srv/pi/closed", "Permission denied")
    check = session_folders.unreadable(
        [closed, discover.Unreadable(b"/srv/pi/none", "No such file or directory")]
    )
    assert (check.verdict, check.mend) == ("fail", "ls -ld '/srv/pi/closed'")


def test_a_folder_that_pi_writes_to_and_nobody_follows_is_told(env: dict[str, str], tmp_path: Path) -> None:
    agent = Path(env["HOME"]) / ".pi/agent"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (agent / "sessions").mkdir(parents=True)
    (agent / "settings.json").write_text(json.dumps({"sessionDir": str(elsewhere)}))
    followed = discover.roots((), env, tmp_path)
    assert session_folders.pi_settings(followed, env, tmp_path).verdict == "ok"
    check = session_folders.pi_settings((agent / "sessions",), env, tmp_path)
    assert check.verdict == "warn"
    assert str(elsewhere) in check.detail
    assert (
        session_folders.pi_settings((agent,), env | {"PI_CODING_AGENT_DIR": ""}, tmp_path).verdict == "warn"
    )


# machine


def test_inotify_limits_that_are_too_low_are_told(tmp_path: Path) -> None:
    limits = tmp_path / "inotify"
    assert machine.inotify((tmp_path,), limits).verdict == "ok"
    limits.mkdir()
    (limits / "max_user_watches").write_text("2\n")
    (tmp_path / "a").mkdir()
    assert "max_user_watches" in str(machine.inotify((tmp_path,), limits).mend)
    (limits / "max_user_watches").write_text("8192\n")
    assert machine.inotify((tmp_path,), limits).verdict == "ok"
    (limits / "max_user_instances").write_text("2\n")
    assert "max_user_instances" in str(machine.inotify((tmp_path,), limits).mend)


def test_network_folders_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "net share"
    folder.mkdir()
    point = str(folder).replace(" ", "\\040")
    mounts = (
        f"36 35 98:0 / {point} rw,noatime master:1 - nfs4 server:/export rw\n21 1 8:1 / / rw - ext4 x rw\n"
    )
    local = tmp_path / "state"
    assert machine.network([tmp_path], local, mounts).verdict == "ok"
    assert machine.network([folder / "sessions"], local, mounts).verdict == "warn"
    assert machine.network([tmp_path], folder / "state", mounts).verdict == "fail"
    assert machine.network([tmp_path], local, "").verdict == "ok"


@pytest.mark.parametrize(("free", "verdict"), [(5 << 30, "ok"), (500 << 20, "warn"), (1 << 20, "fail")])
def test_little_disk_space_is_told(tmp_path: Path, free: int, verdict: str) -> None:
    assert machine.disk(tmp_path / "not" / "yet", lambda _folder: free).verdict == verdict


def test_a_state_folder_that_can_not_be_written_fails(tmp_path: Path) -> None:
    assert machine.writable(tmp_path / "state").verdict == "ok"
    assert machine.writable(Path("/proc/sys/state")).verdict == "fail"


def test_a_damaged_state_fails(tmp_path: Path) -> None:
    assert machine.database(tmp_path)[0].detail == "nothing is kept yet"
    opened = open_database(tmp_path)
    opened.set_meta("batch_keeps_dates", 0)
    opened.close()
    check, kept = machine.database(tmp_path)
    assert (check.verdict, kept) == ("ok", 0)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert machine.database(tmp_path)[0].verdict == "fail"
    (tmp_path / FILE).write_bytes(b"not a database, whatever its length may be" * 100)
    assert machine.database(tmp_path)[0].verdict == "fail"


def test_a_state_of_a_newer_version_fails(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("INSERT INTO migrations VALUES ('a_step_of_the_future')")
    connection.close()
    check, _kept = machine.database(tmp_path)
    assert check.verdict == "fail"
    assert "newer version" in check.detail


def test_parked_messages_are_told(tmp_path: Path) -> None:
    opened = open_database(tmp_path)
    opened.run(
        "INSERT INTO messages(session_id, external_id, generation, position, created_at, bytes,"
        " wanted_digest, parked) VALUES (1, 'a', 1, 1, 1, 1, x'00', 'too large')"
    )
    opened.close()
    check, _kept = machine.database(tmp_path)
    assert (check.verdict, check.mend) == ("warn", "pi-opensync queue list")


# the service


@pytest.mark.parametrize(
    ("state", "holder", "verdict"),
    [
        (State(installed=False), None, "warn"),
        (State(installed=False), HOLDER, "ok"),
        (State(installed=True, detail="failed"), None, "fail"),
        (State(installed=True, running=True), HOLDER, "warn"),
        (State(installed=True, running=True, starts_by_itself=True), HOLDER, "ok"),
    ],
)
def test_a_service_that_is_missing_or_down_is_told(state: State, holder: Holder | None, verdict: str) -> None:
    assert installed.service(state, holder).verdict == verdict


def test_an_interpreter_that_is_gone_or_lost_the_package_fails(tmp_path: Path) -> None:
    assert installed.interpreter(State(installed=False), run).verdict == "ok"
    assert installed.interpreter(State(installed=True), run).verdict == "fail"
    gone = State(installed=True, interpreter=tmp_path / "python")
    assert "is gone" in installed.interpreter(gone, run).detail
    there = State(installed=True, interpreter=Path(sys.executable))
    assert installed.interpreter(there, run).verdict == "ok"
    without = installed.interpreter(there, lambda _command: Completed(1, err="ModuleNotFoundError"))
    assert "does not have pi-opensync" in without.detail


def test_an_old_version_that_still_runs_is_told() -> None:
    assert installed.version(None, "0.1.0").verdict == "ok"
    assert installed.version(HOLDER, "0.1.0").verdict == "ok"
    check = installed.version(HOLDER, "0.2.0")
    assert (check.verdict, check.mend) == ("warn", "pi-opensync service restart")


def test_a_daemon_that_does_not_move_fails() -> None:
    def pulse(pid: int) -> Pulse:
        return Pulse(pid=pid, at=1000.0, version="0.1.0", watching="events", memory=1)

    assert installed.moving(HOLDER, pulse(7), 1005.0).verdict == "ok"
    assert installed.moving(HOLDER, pulse(7), 2000.0).verdict == "fail"
    assert installed.moving(HOLDER, pulse(8), 2000.0).verdict == "ok"
    assert installed.moving(None, pulse(7), 2000.0).verdict == "ok"


# the plugin


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    folder = tmp_path / ".pi/agent"
    (folder / "extensions").mkdir(parents=True)
    return folder


def set_pi(folder: Path, **values: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(values))


def look(agent: Path, project: Path, **configuration: object) -> tuple[str, str | None]:
    check = plugin.plugin(agent, project, configuration)
    return check.verdict, check.mend


def test_pi_without_the_plugin_is_well(agent: Path, tmp_path: Path) -> None:
    assert look(agent, tmp_path) == ("ok", None)
    set_pi(agent, packages=["npm:pi-skills", 7, {"source": None}], extensions=["tools/a.ts"])
    (agent / "extensions/mine.ts").write_text("")
    assert look(agent, tmp_path) == ("ok", None)
    (agent / "settings.json").write_text("{")
    assert look(agent, tmp_path) == ("ok", None)


@pytest.mark.parametrize("package", [PLUGIN, {"source": PLUGIN}, {"source": PLUGIN, "extensions": ["src"]}])
def test_the_plugin_among_the_packages_fails(agent: Path, tmp_path: Path, package: object) -> None:
    set_pi(agent, packages=["npm:pi-skills", package])
    assert look(agent, tmp_path) == ("fail", f"pi remove {PLUGIN}")


def test_a_package_that_loads_no_extension_is_well(agent: Path, tmp_path: Path) -> None:
    set_pi(agent, packages=[{"source": PLUGIN, "extensions": []}])
    assert look(agent, tmp_path) == ("ok", None)


def test_the_plugin_in_a_project_fails(agent: Path, tmp_path: Path) -> None:
    set_pi(tmp_path / "project/.pi", packages=[PLUGIN])
    assert look(agent, tmp_path / "project") == ("fail", f"pi remove -l {PLUGIN}")


def test_the_plugin_in_an_extensions_folder_fails(agent: Path, tmp_path: Path) -> None:
    folder = agent / "extensions/pi-opensync-plugin"
    folder.mkdir()
    assert look(agent, tmp_path) == ("fail", f"rm -r '{folder}'")


def test_the_plugin_under_another_name_fails(agent: Path, tmp_path: Path) -> None:
    folder = agent / "extensions/sync"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "pi-opensync-plugin"}')
    assert look(agent, tmp_path)[0] == "fail"


def test_the_plugin_named_by_the_settings_fails(agent: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "src").mkdir(parents=True)
    (clone / "package.json").write_text('{"name": "pi-opensync-plugin"}')
    set_pi(agent, extensions=[str(clone / "src/index.ts")])
    assert look(agent, tmp_path)[0] == "fail"
    set_pi(agent, extensions=[f"-{clone}/src/index.ts"])
    assert look(agent, tmp_path)[0] == "ok"


def test_the_plugin_with_auto_sync_off_only_warns(agent: Path, tmp_path: Path) -> None:
    set_pi(agent, packages=[PLUGIN])
    assert look(agent, tmp_path, autoSync=False)[0] == "warn"
    assert look(agent, tmp_path, autoSync=True)[0] == "fail"
