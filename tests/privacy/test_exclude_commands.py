"""`exclude add|remove|list|test`, also beside a daemon that runs."""

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pi_opensync import settings
from pi_opensync.cli import exclude
from pi_opensync.errors import ConfigurationError
from pi_opensync.privacy.projects import Projects
from tests.conftest import Cli, wait_until
from tests.harness import header, line, said, session_id
from tests.standin.backend import OpenSync


@pytest.fixture
def config(cli: Cli) -> Path:
    return cli.home / ".config" / "pi-opensync" / "config.json"


def write(cli: Cli, name: str, project: Path | str, text: str) -> None:
    begun = time.time() - 60
    lines = (header(name, begun, cwd=str(project)), said("user", text, begun + 1))
    (cli.home / "sessions" / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))


def test_what_was_added_is_listed_tested_and_removed(fresh_cli: Cli) -> None:
    config = fresh_cli.home / ".config" / "pi-opensync" / "config.json"
    client = str(fresh_cli.home / "work" / "client")
    assert "No project is excluded" in fresh_cli("exclude", "list").out
    assert "is sent" in fresh_cli("exclude", "test", f"{client}/api").out
    assert fresh_cli("exclude", "add", "~/work/client").code == 0
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert fresh_cli("exclude", "list").out.split() == ["exclude", "~/work/client"]
    assert "excluded by" in fresh_cli("exclude", "test", f"{client}/api").out
    assert "is sent" in fresh_cli("exclude", "test", f"{client}2").out
    assert fresh_cli("exclude", "add", "~/work/client").code == 0
    assert json.loads(config.read_text())["exclude"] == ["~/work/client"]
    assert fresh_cli("exclude", "remove", "~/work/client").code == 0
    assert "is sent" in fresh_cli("exclude", "test", f"{client}/api").out
    done = fresh_cli("exclude", "remove", "~/work/client")
    assert done.code == 1
    assert "exclude list" in done.err


AWKWARD = ("[id]", "!loud", "#notes", "end ", "a*b", "q?", "back\\slash", "plain")


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("how", ["./{}", "{}", "/{}"])
def test_a_folder_is_excluded_as_it_is_named(at_home: Path, name: str, how: str) -> None:
    folder = at_home / name
    (folder / "api").mkdir(parents=True)
    text = str(folder) if how == "/{}" else how.format(name)
    pattern = exclude.add_exclusion(text)
    policy = Projects(exclude=settings.load().exclude, home=str(at_home))
    assert policy.reason(str(folder)) is not None
    assert policy.reason(str(folder / "api")) is not None
    assert policy.reason(str(at_home / "other")) is None
    exclude.remove(text)
    assert pattern not in settings.load().exclude


def test_here_is_the_folder_that_one_is_in(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (at_home / "work").mkdir()
    monkeypatch.chdir(at_home / "work")
    assert exclude.add_exclusion(".") == str(at_home / "work")
    assert exclude.add_exclusion("../later") == str(at_home / "later"), "it need not be there yet"


@pytest.mark.parametrize("pattern", ["", " ", "!work", "#work"])
def test_what_can_match_no_folder_is_refused(at_home: Path, pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        exclude.add_exclusion(pattern)
    assert not list(at_home.rglob("config.json"))


def test_a_glob_is_kept_as_it_is(at_home: Path) -> None:
    assert exclude.add_exclusion("**/secret-*") == "**/secret-*"
    assert exclude.add_exclusion("~/work/client") == "~/work/client"
    assert settings.load().exclude == ("**/secret-*", "~/work/client")
    assert at_home.exists()


@pytest.mark.parametrize("change", [exclude.add, exclude.remove])
def test_where_the_environment_stands_before_the_file_it_says_so(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], None]
) -> None:
    monkeypatch.setenv("PI_OPENSYNC_EXCLUDE", "/a")
    with pytest.raises(ConfigurationError, match="PI_OPENSYNC_EXCLUDE"):
        change("/a")
    assert not list(at_home.rglob("config.json"))


def test_one_string_in_the_file_is_as_many_patterns_as_it_holds(at_home: Path) -> None:
    path = at_home / ".config" / "pi-opensync" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"exclude": "/a:/b"}')
    exclude.add_exclusion("/c")
    assert settings.load().exclude == ("/a", "/b", "/c")


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("PI_OPENSYNC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_beside_a_daemon_it_holds_from_then_on(cli: Cli, opensync: OpenSync, config: Path) -> None:
    assert cli("exclude", "add", "/elsewhere").code == 0
    # While a folder is missing it looks twice a second.
    cli.variables["PI_OPENSYNC_SESSIONS_DIR"] += f"{os.pathsep}{cli.home / 'later'}"
    with cli.running("watch") as watch:
        watch.wait_for('"following"')
        assert cli("exclude", "add", "/src/client").code == 0
        wait_until(lambda: watch.err.read_text().count('"following"') == 2, "the new settings")
        write(cli, "a", "/src/client/api", "for the client")
        wait_until(lambda: json.loads(cli("status", "--json").out)["state"]["sessions_excluded"] == 1, "a")
        write(cli, "b", "/src/open", "for all")
        wait_until(lambda: len(opensync.messages) == 1, "the other project")
        assert set(opensync.sessions) == {session_id("b")}
        assert cli("exclude", "remove", "/src/client").code == 0
        wait_until(lambda: watch.err.read_text().count('"following"') == 3, "the old settings")
        wait_until(lambda: len(opensync.messages) == 2, "the project that is included again", 5)
        assert watch.stop() == 0
    assert config.is_file()


def test_what_is_on_a_dashboard_is_listed_as_excluded_at_once(cli: Cli) -> None:
    write(cli, "a", "/src/client", "one")
    write(cli, "b", "/src/other", "two")
    assert cli("sync", "--yes").code == 0
    assert cli("exclude", "add", "/src/client").code == 0
    listed = json.loads(cli("list", "--excluded", "--json").out)["sessions"]
    assert [(row["id"], row["why"]) for row in listed] == [(session_id("a"), 'excluded by "/src/client"')]
