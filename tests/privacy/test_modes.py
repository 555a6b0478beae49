"""Files that only the user can read."""

import json
import stat
import time
from pathlib import Path

import pytest

from pi_opensync import settings
from pi_opensync.errors import ConfigurationError
from tests.conftest import Cli, new_key
from tests.harness import header, line, said
from tests.standin.server import Server

WIDE_OPEN = ("sh", "-c", 'umask 0; exec "$@"', "sh")


def write_config(cli: Cli, server: Server, mode: int) -> Path:
    path = cli.home / ".config" / "pi-opensync" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"convexUrl": server.url, "apiKey": server.opensync.key}))
    path.chmod(mode)
    for name in ("CONVEX_URL", "API_KEY"):
        del cli.variables[f"PI_OPENSYNC_{name}"]
    return path


def write(cli: Cli) -> None:
    begun = time.time() - 60
    lines = (header("a", begun), said("user", "one", begun + 1))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620, 0o602, 0o601, 0o777])
def test_a_key_that_others_can_read_is_refused_with_what_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"convexUrl": "https://opensync.test", "apiKey": new_key()}))
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        settings.load({"PI_OPENSYNC_CONFIG": str(path)})
    assert caught.value.hint == f"chmod 600 {path}"
    path.chmod(0o600)
    assert settings.load({"PI_OPENSYNC_CONFIG": str(path)}).api_key is not None


@pytest.mark.parametrize("command", [("sync", "--yes"), ("status",), ("watch",), ("preview", "x")], ids=str)
def test_commands_refuse_it(cli: Cli, server: Server, command: tuple[str, ...]) -> None:
    path = write_config(cli, server, 0o644)
    done = cli(*command)
    assert done.code == 6
    assert f"chmod 600 {path}" in done.err
    assert server.opensync.counters.requests == {}


def test_a_key_for_the_user_alone_and_settings_without_a_key_are_accepted(cli: Cli, server: Server) -> None:
    write(cli)
    path = write_config(cli, server, 0o600)
    assert cli("sync", "--yes").code == 0
    path.chmod(0o400)
    assert cli("status").code == 0
    path.chmod(0o600)
    path.write_text(json.dumps({"convexUrl": server.url}))
    path.chmod(0o644)
    assert cli("status").code == 0


def test_the_file_that_exclude_writes_is_for_the_user_alone(cli: Cli) -> None:
    cli.prefix = WIDE_OPEN
    assert cli("exclude", "add", "/src/client").code == 0
    path = cli.home / ".config" / "pi-opensync" / "config.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_the_plugin_s_file_that_others_can_read_it_warns(cli: Cli, server: Server) -> None:
    path = cli.home / ".config" / "pi-opensync-plugin" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"convexUrl": server.url, "apiKey": server.opensync.key}))
    cli.variables = {
        name: value
        for name, value in cli.variables.items()
        if name not in ("PI_OPENSYNC_CONVEX_URL", "PI_OPENSYNC_API_KEY")
    }
    for mode, warns in ((0o644, True), (0o600, False)):
        path.chmod(mode)
        for command in (("sync", "--yes"), ("watch", "--once")):
            done = cli(*command)
            assert done.code == 0
            assert (f"chmod 600 {path}" in done.err) is warns


@pytest.mark.parametrize("command", ["status", "list", "queue list", "doctor", "verify", "pause"])
def test_no_command_believes_a_state_folder_that_others_can_write_to(cli: Cli, command: str) -> None:
    state = cli.home / "state"
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o777)
    done = cli(*command.split())
    assert done.code == 6
    assert f"chmod 700 {state}" in done.err
