"""The unit and the plist, held against systemd's own tools and a property list parser."""

import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pi_opensync.errors import ConfigurationError
from pi_opensync.service.units import (
    LAUNCHD_TEMPLATE,
    SYSTEMD_TEMPLATE,
    Plan,
    launchd_plist,
    plist_interpreter,
    systemd_unit,
    template,
    unit_interpreter,
)

Environment = Mapping[str, str]
NONE: Environment = {}
MOST_EXPOSED = 2.0
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
needs_plutil = pytest.mark.skipif(shutil.which("plutil") is None, reason="plutil is on macOS only")


def plan(home: Path, interpreter: Path = Path(sys.executable), environment: Environment = NONE) -> Plan:
    return Plan(
        interpreter=interpreter,
        state=home / ".local/state/pi-opensync",
        roots=(home / ".pi/agent/sessions",),
        logs=home / "Library/Logs/pi-opensync",
        home=home,
        environment=environment,
    )


def unit(home: Path, version: int = 252, *, namespaces: bool = True, environment: Environment = NONE) -> str:
    text = template(SYSTEMD_TEMPLATE)
    return systemd_unit(text, plan(home, environment=environment), version=version, namespaces=namespaces)


def values(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def analyze(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = folder / "pi-opensync.service"
    path.write_text(text)
    runtime = folder / "run"
    runtime.mkdir(exist_ok=True)
    return subprocess.run(
        ["systemd-analyze", *words, str(path)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_systemd
@pytest.mark.parametrize("namespaces", [True, False])
def test_systemd_finds_nothing_to_say_about_the_unit(tmp_path: Path, namespaces: bool) -> None:
    text = unit(tmp_path, namespaces=namespaces, environment={"HTTPS_PROXY": "http://proxy.test:3128/%20"})
    done = analyze(tmp_path, text, "verify", "--user")
    assert (done.returncode, done.stderr + done.stdout) == (0, "")


@needs_systemd
def test_the_unit_is_exposed_less_than_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = analyze(tmp_path, unit(tmp_path), "security", "--offline=true", "--user", "--no-pager")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    with capsys.disabled():
        sys.stdout.write(f"\n{found[0]}\n")
    assert float(found[1]) < MOST_EXPOSED


@needs_systemd
def test_systemd_reads_paths_with_odd_characters_as_they_are(tmp_path: Path) -> None:
    odd = tmp_path / "a 100% $HOME folder"
    odd.mkdir()
    interpreter = odd / "python"
    interpreter.symlink_to(sys.executable)
    text = systemd_unit(
        template(SYSTEMD_TEMPLATE), plan(tmp_path / 'the "state" \\ here', interpreter), version=252
    )
    done = analyze(tmp_path, text, "verify", "--user")
    assert (done.returncode, done.stderr + done.stdout) == (0, "")
    assert unit_interpreter(text) == interpreter


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a\\b"])
def test_a_program_that_systemd_can_not_run_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        systemd_unit(template(SYSTEMD_TEMPLATE), plan(tmp_path, tmp_path / name), version=252)


def test_a_path_that_a_unit_can_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can not be given"):
        systemd_unit(template(SYSTEMD_TEMPLATE), plan(tmp_path / "a\nb"), version=252)


def test_the_unit_runs_the_interpreter_that_installs_it(tmp_path: Path) -> None:
    text = unit(tmp_path)
    assert values(text, "ExecStart") == [f'"{sys.executable}" -m pi_opensync watch']
    assert unit_interpreter(text) == Path(sys.executable)


def test_only_the_state_may_be_written(tmp_path: Path) -> None:
    text = unit(tmp_path)
    assert values(text, "ReadWritePaths") == [f'"-{tmp_path}/.local/state/pi-opensync"']
    assert values(text, "ProtectHome") == ["read-only"]
    assert values(text, "ProtectSystem") == ["strict"]


def test_a_project_below_tmp_keeps_its_marker_in_sight(tmp_path: Path) -> None:
    assert values(unit(tmp_path), "PrivateTmp") == []


def test_exit_codes_that_no_restart_mends_end_it(tmp_path: Path) -> None:
    text = unit(tmp_path)
    assert values(text, "Restart") == ["on-failure"]
    assert values(text, "RestartPreventExitStatus") == ["5 6 7"]
    assert values(text, "StartLimitIntervalSec") == ["0"]


def test_the_pause_before_a_restart_grows_where_systemd_knows_how(tmp_path: Path) -> None:
    assert values(unit(tmp_path, version=252), "RestartSec") == ["30"]
    assert values(unit(tmp_path, version=252), "RestartSteps") == []
    assert values(unit(tmp_path, version=254), "RestartMaxDelaySec") == ["5min"]


def test_without_namespaces_the_rest_of_the_protection_stays(tmp_path: Path) -> None:
    text = unit(tmp_path, namespaces=False)
    assert values(text, "PrivateUsers") == values(text, "CapabilityBoundingSet") == []
    assert values(text, "NoNewPrivileges") == values(text, "MemoryDenyWriteExecute") == ["yes"]
    assert values(text, "WantedBy") == ["default.target"]


@pytest.mark.parametrize("namespaces", [True, False])
def test_no_placeholder_is_left(tmp_path: Path, namespaces: bool) -> None:
    text = unit(tmp_path, namespaces=namespaces)
    assert set(re.findall(r"@[a-z-]+@?", text)) == {"@system-service", "@privileged", "@resources"}
    assert "namespaces]" not in text
    assert "template" not in text


def agent(home: Path, environment: Environment = NONE) -> dict[str, object]:
    value = plistlib.loads(launchd_plist(template(LAUNCHD_TEMPLATE), plan(home, environment=environment)))
    assert isinstance(value, dict)
    return value


def test_the_agent_runs_the_interpreter_and_is_kept_alive_after_failures_only(tmp_path: Path) -> None:
    value = agent(tmp_path, {"HTTPS_PROXY": "http://proxy.test:3128"})
    log = f"{tmp_path}/Library/Logs/pi-opensync/pi-opensync.log"
    assert value["ProgramArguments"] == [sys.executable, "-m", "pi_opensync.service.launched", log, "watch"]
    assert value["KeepAlive"] == {"SuccessfulExit": False}
    assert value["ThrottleInterval"] == 30
    assert value["LowPriorityIO"] is True
    assert value["Umask"] == 0o077
    assert value["EnvironmentVariables"] == {
        "PYTHONSAFEPATH": "1",
        "HTTPS_PROXY": "http://proxy.test:3128",
    }


def test_the_interpreter_of_a_plist_is_told_and_of_another_is_not(tmp_path: Path) -> None:
    data = launchd_plist(template(LAUNCHD_TEMPLATE), plan(tmp_path))
    assert plist_interpreter(data) == Path(sys.executable)
    assert plist_interpreter(b"<plist>") is None
    assert plist_interpreter(plistlib.dumps({"Label": "x"})) is None


@needs_plutil
def test_macos_accepts_the_plist(tmp_path: Path) -> None:
    path = tmp_path / "agent.plist"
    path.write_bytes(launchd_plist(template(LAUNCHD_TEMPLATE), plan(tmp_path)))
    assert subprocess.run(["plutil", "-lint", str(path)], check=False).returncode == 0


@needs_systemd
def test_the_process_runs_under_what_the_unit_forbids_of_memory() -> None:
    """PR_SET_MDWE (65) is what MemoryDenyWriteExecute asks of a kernel that has it (6.3 and later)."""
    code = (
        "import ctypes\n"
        "refused = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)\n"
        "import apsw, httpx, re2, ssl, pi_opensync.cli.watch, pi_opensync.daemon.build\n"
        "from watchdog.observers import Observer\n"
        "observer = Observer(); observer.start(); observer.stop(); observer.join()\n"
        "ssl.create_default_context(); re2.compile('a+').search('caat')\n"
        "print('refused' if refused else 'held')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("held", "refused")


def test_the_templates_are_found_in_a_checkout_and_in_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = template(SYSTEMD_TEMPLATE)
    package = tmp_path / "site-packages/pi_opensync"
    (package / "systemd").mkdir(parents=True)
    (package / SYSTEMD_TEMPLATE).write_text(here)
    monkeypatch.setattr("pi_opensync.service.units.__file__", str(package / "service/units.py"))
    assert template(SYSTEMD_TEMPLATE) == here
