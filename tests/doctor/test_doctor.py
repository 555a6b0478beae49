"""`doctor` as a user runs it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.daemon import lock
from tests.conftest import Cli, new_key
from tests.harness import header, line
from tests.standin.backend import OpenSync

EVERY = {
    "environment": ["python", "packages"],
    "configuration": ["configuration", "permissions", "login", "sending", "environment", "spelling"],
    "transcripts": ["sessions", "readable", "projects", "pi's settings"],
    "machine": ["inotify", "network folder", "disk", "state folder", "state"],
    "server": ["dns", "tls", "health", "key", "clock", "dates"],
    "service": ["service", "interpreter", "version", "progress"],
    "pi": ["plugin"],
}


@pytest.fixture
def with_a_session(cli: Cli) -> Cli:
    sessions = cli.home / ".pi/agent/sessions"
    sessions.mkdir(parents=True)
    (sessions / "a.jsonl").write_bytes(line(header("a", time.time())))
    del cli.variables["PI_OPENSYNC_SESSIONS_DIR"]
    return cli


def checks(cli: Cli, **variables: str) -> tuple[int, dict[tuple[str, str], Any]]:
    done = cli("doctor", "--json", **variables)
    report = json.loads(done.out)
    assert report["schema"] == 1
    return done.code, {(item["group"], item["name"]): item for item in report["checks"]}


def test_every_check_has_a_verdict_and_none_fails(with_a_session: Cli) -> None:
    code, found = checks(with_a_session)
    assert code == 0
    assert list(found) == [(group, name) for group, names in EVERY.items() for name in names]
    assert {item["verdict"] for item in found.values()} <= {"ok", "warn"}


def test_what_a_person_sees_names_the_command_that_mends(with_a_session: Cli) -> None:
    plugin = with_a_session.home / ".pi/agent/extensions/pi-opensync-plugin"
    plugin.mkdir(parents=True)
    done = with_a_session("doctor")
    assert done.code == 1
    assert "1 check fails" in done.err
    assert f"-> rm -r '{plugin}'" in done.out
    assert "\033" not in done.out


def test_a_key_that_is_refused_fails(with_a_session: Cli) -> None:
    wrong = new_key()
    with_a_session.keys.append(wrong)
    code, found = checks(with_a_session, PI_OPENSYNC_API_KEY=wrong)
    assert code == 1
    assert found["server", "key"]["verdict"] == "fail"


def test_a_server_that_is_down_fails(with_a_session: Cli, free_port: int) -> None:
    code, found = checks(with_a_session, PI_OPENSYNC_CONVEX_URL=f"http://127.0.0.1:{free_port}")
    assert code == 1
    assert found["server", "health"]["verdict"] == "fail"
    assert found["server", "key"]["verdict"] == "warn"


def test_a_configuration_that_can_not_be_understood_ends_the_looking(with_a_session: Cli) -> None:
    code, found = checks(with_a_session, PI_OPENSYNC_DEBUG="perhaps")
    assert code == 1
    assert found["configuration", "configuration"]["verdict"] == "fail"
    assert ("server", "key") not in found


def test_without_a_login_the_rest_is_looked_at(fresh_cli: Cli) -> None:
    code, found = checks(fresh_cli)
    assert code == 1
    assert found["configuration", "login"]["mend"] == "pi-opensync setup"
    assert found["service", "service"]["mend"] == "pi-opensync setup"
    assert ("machine", "disk") in found


def test_an_old_version_that_still_runs_is_told(with_a_session: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pi_opensync.daemon.lock.__version__", "0.0.9")
    with lock.held(with_a_session.home / "state", "watch", time.time()):
        _code, found = checks(with_a_session)
    assert "0.0.9 still runs" in found["service", "version"]["detail"]


def test_settings_of_this_shell_are_told(with_a_session: Cli) -> None:
    _code, found = checks(with_a_session)
    assert found["configuration", "environment"]["verdict"] == "warn"


def test_looking_changes_nothing(with_a_session: Cli, opensync: OpenSync, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    checks(with_a_session)
    assert set(tmp_path.rglob("*")) == before
    assert set(opensync.counters.requests) == {"/health", "/sync/sessions/list"}
