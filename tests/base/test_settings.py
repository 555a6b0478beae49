"""Flags, then environment, then file, field by field; and what a wrong value is answered with."""

import json
import os
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from pi_opensync.address import normalise_url
from pi_opensync.configuration import default_state_dir
from pi_opensync.errors import ConfigurationError
from pi_opensync.settings import Settings, load
from tests.conftest import new_key


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def env(config: Path, **variables: str) -> dict[str, str]:
    named = {f"PI_OPENSYNC_{name}": value for name, value in variables.items()}
    return {"HOME": str(config.parent), "PI_OPENSYNC_CONFIG": str(config), **named}


def write(config: Path, **values: Any) -> None:
    config.write_text(json.dumps(values))
    config.chmod(0o600)


def test_what_nobody_set_has_the_documented_default(config: Path) -> None:
    chosen = load(env(config))
    assert (chosen.convex_url, chosen.api_key, chosen.sessions_dir) == (None, None, ())
    assert (chosen.auto_sync, chosen.timestamps) == (True, "transcript")
    assert (chosen.sync_tool_calls, chosen.sync_thinking, chosen.debug) == (False, False, False)
    assert chosen.state_dir.is_absolute()


@pytest.mark.parametrize("named", [None, "", "/srv/state"])
def test_the_state_is_kept_where_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("XDG_STATE_HOME", named)
    assert default_state_dir() == platformdirs.user_state_path("pi-opensync")


def test_a_flag_beats_the_environment_which_beats_the_file_field_by_field(config: Path) -> None:
    write(config, debug=False, syncThinking=True, syncToolCalls=True)
    chosen = load(env(config, DEBUG="false", TOOL_CALLS="false"), debug=True)
    assert (chosen.debug, chosen.sync_tool_calls, chosen.sync_thinking) == (True, False, True)


def test_the_files_keys_are_the_plugins(config: Path) -> None:
    key = new_key()
    write(
        config,
        convexUrl="https://otter-1.convex.cloud",
        apiKey=key,
        autoSync=False,
        syncToolCalls=True,
        syncThinking=True,
        debug=True,
        somethingElse=1,
    )
    chosen = load(env(config))
    base_url, secret = chosen.require_server()
    assert (base_url, secret.get_secret_value()) == ("https://otter-1.convex.site", key)
    assert (chosen.auto_sync, chosen.sync_tool_calls, chosen.sync_thinking) == (False, True, True)
    assert chosen.debug


def test_an_empty_value_is_no_value(config: Path) -> None:
    write(config, convexUrl="", apiKey=None, debug=True)
    chosen = load(env(config, DEBUG="", CONVEX_URL=""))
    assert (chosen.convex_url, chosen.api_key, chosen.debug) == (None, None, True)


def test_several_session_folders_are_split_at_the_path_separator(config: Path) -> None:
    home = Path.home()
    assert load(env(config, SESSIONS_DIR="/a::~/b:")).sessions_dir == (Path("/a"), home / "b")


def test_the_folder_of_a_user_who_does_not_exist_stays_as_it_is_written(config: Path) -> None:
    chosen = load(env(config, SESSIONS_DIR="~no-such-user/a", STATE_DIR="~no-such-user/b"))
    assert chosen.sessions_dir == (Path("~no-such-user/a"),)
    assert chosen.state_dir == Path("~no-such-user/b").absolute()


def test_settings_can_not_be_changed(config: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        load(env(config)).debug = True  # type: ignore[misc]  # what is tested


def test_the_key_is_in_no_text_of_the_settings(config: Path) -> None:
    key = new_key()
    assert key not in repr(load(env(config, API_KEY=key)))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://otter-1.convex.cloud", "https://otter-1.convex.site"),
        (" https://otter-1.convex.cloud/ ", "https://otter-1.convex.site"),
        ("https://otter-1.eu-west-1.convex.cloud", "https://otter-1.eu-west-1.convex.site"),
        ("https://otter-1.convex.site", "https://otter-1.convex.site"),
        ("https://opensync.example.org:8443/base/", "https://opensync.example.org:8443/base"),
        ("https://convex.cloud.example.org", "https://convex.cloud.example.org"),
        ("HTTPS://Otter-1.Convex.Cloud", "https://otter-1.convex.site"),
        ("http://localhost:3210", "http://localhost:3210"),
        ("http://127.0.0.1:3210", "http://127.0.0.1:3210"),
        ("http://[::1]:3210", "http://[::1]:3210"),
    ],
)
def test_a_url_becomes_that_of_the_http_actions(given: str, wanted: str) -> None:
    assert normalise_url(given) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "otter-1.convex.cloud",
        "ftp://example.org",
        "https://",
        "http://example.org",
        "http://localhost.example.org",
        "https://user:word@example.org",
        "https://example.org/?a=b",
        "https://example.org:port",
        "https://[::1",
    ],
)
def test_a_url_that_will_not_do_is_refused(config: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="PI_OPENSYNC_CONVEX_URL"):
        load(env(config, CONVEX_URL=url))


WRONG = {
    "convexUrl": "nonsense",
    "apiKey": "no-key",
    "autoSync": "perhaps",
    "syncToolCalls": 7,
    "syncThinking": [],
    "debug": {},
    "timestamps": "mine",
    "sessionsDir": 5,
    "stateDir": 5,
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_value_in_the_file_names_the_key_the_file_and_what_would_do(config: Path, key: str) -> None:
    write(config, **{key: WRONG[key]})
    with pytest.raises(ConfigurationError) as raised:
        load(env(config))
    said = f"{raised.value.message}\n{raised.value.hint}"
    assert f'"{key}" in {config}' in said
    assert any(word in said for word in ("true or false", "transcript", "expected", "begins with", "folder"))


def test_a_wrong_flag_is_named(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="--state-dir"):
        load(env(config), state_dir=object())


def test_a_wrong_key_is_not_repeated(config: Path) -> None:
    wrong = "sk_" + new_key()
    with pytest.raises(ConfigurationError) as raised:
        load(env(config, API_KEY=wrong))
    assert wrong not in f"{raised.value.message}{raised.value.hint}"


def test_a_configuration_that_was_named_is_used_alone(tmp_path: Path) -> None:
    plugins = tmp_path / ".config/pi-opensync-plugin/config.json"
    plugins.parent.mkdir(parents=True)
    write(plugins, debug=True)
    home = {"HOME": str(tmp_path)}
    assert load(home).debug
    assert not load({**home, "PI_OPENSYNC_CONFIG": str(tmp_path / "none.json")}).debug
    elsewhere = tmp_path / "elsewhere/pi-opensync"
    elsewhere.mkdir(parents=True)
    write(elsewhere / "config.json", syncThinking=True)
    assert load({**home, "XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}).sync_thinking


def test_without_url_or_key_it_says_which_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="URL and no key"):
        Settings().require_server()
    with pytest.raises(ConfigurationError, match="OpenSync key"):
        Settings(convex_url="https://otter-1.convex.site").require_server()


def test_what_stands_in_the_place_of_a_port_is_not_repeated() -> None:
    """It may be a password."""
    word = "pass" + "word-1234"
    with pytest.raises(ValueError, match="expected a port") as refused:
        normalise_url(f"https://user:{word}")
    assert word not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "own", "takes"),
    [
        ("https://dash.example.com", "1", True),
        ("https://dash.example.com", "0", False),
        ("https://happy-otter-123.convex.cloud", "1", False),
        ("", "1", True),
    ],
)
def test_only_a_server_of_ones_own_takes_more_than_opensync(
    config: Path, url: str, own: str, *, takes: bool
) -> None:
    assert load(env(config, CONVEX_URL=url, OWN_SERVER=own)).takes_extras is takes


def named(host: str) -> os.uname_result:
    return os.uname_result(("Linux", host, "", "", ""))


def test_the_machine_has_the_hosts_name_unless_it_is_given_another(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "uname", lambda: named("desk.example.org"))
    assert load(env(config)).machine == "desk"
    monkeypatch.setattr(os, "uname", lambda: named(""))
    assert load(env(config)).machine == "this machine"
    assert load(env(config, MACHINE="laptop")).machine == "laptop"
