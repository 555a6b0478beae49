"""`login` and `logout` as processes."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, new_key
from tests.standin.backend import OpenSync
from tests.standin.server import Server


@pytest.fixture
def config(fresh_cli: Cli, opensync: OpenSync) -> Path:
    fresh_cli.keys.append(opensync.key)
    return fresh_cli.home / ".config/pi-opensync/config.json"


def write_config(path: Path, **values: Any) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(values))


def log_in(cli: Cli, server: Server, key: str) -> Any:
    return cli("login", "--url", server.url, "--key-stdin", stdin=key + "\n")


def test_login_checks_url_and_key_and_writes_a_file_for_the_user_alone(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    done = log_in(fresh_cli, server, opensync.key)
    assert (done.code, done.err) == (0, "")
    assert str(config) in done.out
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert json.loads(config.read_text()) == {"convexUrl": server.url, "apiKey": opensync.key}
    assert opensync.counters.requests == {"/health": 1, "/sync/sessions/list": 1}
    assert server.url in fresh_cli("status").out


def test_login_keeps_the_other_settings_of_the_file(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    write_config(config, syncToolCalls=True, apiKey=new_key())
    assert log_in(fresh_cli, server, opensync.key).code == 0
    stored = json.loads(config.read_text())
    assert stored == {"syncToolCalls": True, "convexUrl": server.url, "apiKey": opensync.key}


def test_login_writes_a_broken_file_anew(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    config.parent.mkdir(parents=True)
    config.write_text("{")
    assert log_in(fresh_cli, server, opensync.key).code == 0
    assert json.loads(config.read_text())["apiKey"] == opensync.key


def test_login_takes_over_the_plugins_configuration(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    theirs = {"convexUrl": server.url, "apiKey": opensync.key, "syncThinking": True, "autoSync": True}
    write_config(fresh_cli.home / ".config/pi-opensync-plugin/config.json", **theirs)
    assert fresh_cli("login", "--from-plugin").code == 0
    assert json.loads(config.read_text()) == theirs


def test_the_plugins_configuration_is_read_where_there_is_none_of_ours(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    theirs = fresh_cli.home / ".config/pi-opensync-plugin/config.json"
    write_config(theirs, convexUrl=server.url, apiKey=opensync.key)
    assert server.url in fresh_cli("status").out
    write_config(config, convexUrl="https://otter.convex.cloud")
    assert "https://otter.convex.site" in fresh_cli("status").out


def test_login_without_the_plugins_configuration_says_so(fresh_cli: Cli) -> None:
    done = fresh_cli("login", "--from-plugin")
    assert done.code == 6
    assert "pi-opensync-plugin" in done.err


def test_login_refuses_a_wrong_key_and_writes_nothing(fresh_cli: Cli, server: Server, config: Path) -> None:
    wrong = new_key()
    fresh_cli.keys.append(wrong)
    done = log_in(fresh_cli, server, wrong)
    assert done.code == 5
    assert not config.exists()


@pytest.mark.parametrize("key", ["", "no-key", "osk_with space"])
def test_login_refuses_what_is_no_key(fresh_cli: Cli, server: Server, config: Path, key: str) -> None:
    done = log_in(fresh_cli, server, key)
    assert done.code == 6
    assert "osk_" in done.err
    assert "null" not in done.err
    assert not config.exists()


def test_login_to_a_server_that_is_down_writes_nothing(
    fresh_cli: Cli, free_port: int, config: Path, opensync: OpenSync
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    done = fresh_cli("login", "--url", url, "--key-stdin", stdin=opensync.key + "\n")
    assert done.code == 4
    assert not config.exists()


def test_login_refuses_what_is_no_url(fresh_cli: Cli, config: Path) -> None:
    done = fresh_cli("login", "--url", "http://example.org", "--key-stdin", stdin=new_key() + "\n")
    assert done.code == 6
    assert "https" in done.err
    assert not config.exists()


def test_login_without_a_terminal_and_options_says_which_to_use(fresh_cli: Cli) -> None:
    done = fresh_cli("login")
    assert done.code == 2
    assert "--url" in done.err


def test_logout_forgets_url_and_key_and_keeps_the_rest(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    write_config(config, convexUrl=server.url, apiKey=opensync.key, debug=True)
    assert fresh_cli("logout").code == 0
    assert json.loads(config.read_text()) == {"debug": True}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert "Not logged in" in fresh_cli("logout").out
    assert "Not logged in" in fresh_cli("logout", PI_OPENSYNC_CONFIG=str(config.parent / "none.json")).out


def test_another_server_is_not_taken_for_the_own_one_of_before(
    fresh_cli: Cli, server: Server, opensync: OpenSync, config: Path
) -> None:
    write_config(config, ownServer=True, machine="desk")
    assert log_in(fresh_cli, server, opensync.key).code == 0
    assert json.loads(config.read_text()) == {
        "machine": "desk",
        "convexUrl": server.url,
        "apiKey": opensync.key,
    }
