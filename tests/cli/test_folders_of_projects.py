"""Sessions where a project's settings put them; what is outside the project waits for the user's word."""

import json
import time
from pathlib import Path

import pytest

from pi_opensync.cli.context import Context
from pi_opensync.pi import discover
from tests.conftest import Cli, wait_until
from tests.harness import header, line, said, session_id
from tests.standin.backend import OpenSync


@pytest.fixture
def project(cli: Cli) -> Path:
    """A project in which a session was held, kept where pi keeps sessions if nobody says otherwise."""
    del cli.variables["PI_OPENSYNC_SESSIONS_DIR"]
    folder = cli.home / "project"
    folder.mkdir()
    write(cli.home / f".pi/agent/sessions/--{'-'.join(folder.parts[1:])}--/a.jsonl", "a", folder)
    return folder


def write(path: Path, name: str, project: Path) -> Path:
    begun = time.time() - 60
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (header(name, begun, cwd=str(project)), said("user", f"{name} asked", begun + 1))
    path.write_bytes(b"".join(map(line, lines)))
    return path


def ask(project: Path, name: str) -> None:
    (project / ".pi").mkdir(exist_ok=True)
    (project / ".pi/settings.json").write_text(json.dumps({"sessionDir": name}))


def test_a_folder_in_the_project_is_found_through_its_sessions(
    cli: Cli, project: Path, opensync: OpenSync
) -> None:
    ask(project, "sessions")
    write(project / "sessions/b.jsonl", "b", project)
    assert cli("sync", "--yes").code == 0
    assert set(opensync.sessions) == {session_id("a"), session_id("b")}
    report = json.loads(cli("status", "--json").out)
    assert [root["path"] for root in report["roots"]][1:] == [str(project / "sessions")]
    assert report["roots_refused"] == []


def test_a_folder_outside_is_shown_and_taken_once_the_user_says_so(
    cli: Cli, project: Path, opensync: OpenSync
) -> None:
    ask(project, "../client")
    write(cli.home / "client/b.jsonl", "b", project)
    assert cli("sync", "--yes").code == 0
    assert set(opensync.sessions) == {session_id("a")}
    assert f"{cli.home / 'client'} is not followed" in cli("status").out
    said_by_doctor = cli("doctor").out
    assert str(cli.home / "client") in said_by_doctor
    assert "trustedSessionDirs" in said_by_doctor
    cli.variables["PI_OPENSYNC_TRUSTED_SESSION_DIRS"] = "~/client"
    assert cli("sync", "--yes").code == 0
    assert set(opensync.sessions) == {session_id("a"), session_id("b")}
    assert json.loads(cli("status", "--json").out)["roots_refused"] == []


def test_started_in_a_project_its_folder_outside_is_not_taken_either(
    cli: Cli, project: Path, opensync: OpenSync
) -> None:
    ask(cli.home, str(cli.home.parent / "elsewhere"))
    write(cli.home.parent / "elsewhere/b.jsonl", "b", project)
    assert cli("sync", "--yes").code == 0
    assert set(opensync.sessions) == {session_id("a")}


def test_folders_that_the_user_configured_are_all_there_is(
    cli: Cli, project: Path, opensync: OpenSync
) -> None:
    ask(project, "sessions")
    write(project / "sessions/b.jsonl", "b", project)
    cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(cli.home / ".pi/agent/sessions")
    assert cli("sync", "--yes").code == 0
    assert set(opensync.sessions) == {session_id("a")}


def test_a_folder_that_is_not_there_yet_is_no_failure(cli: Cli, project: Path) -> None:
    ask(project, "sessions")
    assert cli("watch", "--once", "--backfill").code == 0


def test_where_pi_was_told_another_folder_its_usual_one_need_not_be_there(
    cli: Cli, opensync: OpenSync
) -> None:
    del cli.variables["PI_OPENSYNC_SESSIONS_DIR"]
    cli.variables["PI_CODING_AGENT_SESSION_DIR"] = str(cli.home / "kept")
    write(cli.home / "kept/a.jsonl", "a", cli.home)
    with cli.running("watch", "--backfill") as watch:
        wait_until(lambda: set(opensync.sessions) == {session_id("a")}, "what was there")
        assert "can not be read" not in watch.err.read_text()
        write(cli.home / ".pi/agent/sessions/b.jsonl", "b", cli.home)
        wait_until(lambda: set(opensync.sessions) == {session_id("a"), session_id("b")}, "the usual one", 20)
        assert watch.stop() == 0
    assert cli("sync", "--yes").code == 0


def test_session_takes_any_file(cli: Cli, project: Path, opensync: OpenSync) -> None:
    file = write(cli.home / "elsewhere" / "kept.txt", "b", project)
    assert cli("sync", "--yes", "--session", "elsewhere/kept.txt").code == 0
    assert set(opensync.sessions) == {session_id("b")}
    assert cli("verify", "--session", str(file)).code == 0


def test_session_takes_no_file_of_an_excluded_project(cli: Cli, project: Path, opensync: OpenSync) -> None:
    (project / ".no-opensync").touch()
    file = write(cli.home / "elsewhere" / "kept.jsonl", "b", project)
    done = cli("sync", "--yes", "--session", str(file))
    assert (done.code, "No sessions to send" in done.err) == (0, True)
    assert opensync.sessions == {}


@pytest.mark.slow
def test_a_folder_that_a_project_names_while_the_daemon_runs_is_taken(
    cli: Cli, project: Path, opensync: OpenSync
) -> None:
    with cli.running("watch", "--backfill") as watch:
        wait_until(lambda: set(opensync.sessions) == {session_id("a")}, "what was there")
        (project / "sessions").mkdir()
        ask(project, "sessions")
        write(project / "sessions" / "b.jsonl", "b", project)
        wait_until(lambda: set(opensync.sessions) == {session_id("a"), session_id("b")}, "the new folder", 20)
        assert watch.stop() == 0


@pytest.mark.parametrize(("asked", "listings"), [(None, 1), ("sessions", 2)])
def test_a_command_looks_at_each_file_once_unless_a_project_names_a_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, listings: int
) -> None:
    if asked is not None:
        ask(project, asked)
        (project / asked).mkdir()
    for name in ("XDG_STATE_HOME", "PI_OPENSYNC_SESSIONS_DIR", "PI_CODING_AGENT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(project.parent))
    monkeypatch.chdir(project.parent)
    asked_for: list[tuple[Path, ...]] = []
    transcripts = discover.transcripts

    def counted(folders: tuple[Path, ...]) -> object:
        asked_for.append(folders)
        return transcripts(folders)

    monkeypatch.setattr(discover, "transcripts", counted)
    context = Context()
    assert len(context.files) == 1
    assert len(asked_for) == listings
