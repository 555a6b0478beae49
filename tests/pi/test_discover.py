"""Which folders are looked into, and which files in them are transcripts."""

import json
import os
from pathlib import Path

import pytest

from pi_opensync.pi.discover import (
    Found,
    Odd,
    Roots,
    Unreadable,
    leads_out,
    named_by_user,
    names,
    roots,
    sessions_folder,
    transcripts,
    with_projects,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def made(path: Path, text: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(*folders: Path) -> list[Path]:
    listing = transcripts(folders)
    return [Path(os.fsdecode(item.path)) for item in listing if isinstance(item, Found)]


def test_without_any_setting_it_is_pis_own_folder(home: Path) -> None:
    assert roots((), {"HOME": str(home)}, home) == (home / ".pi/agent/sessions",)


def test_every_place_that_pi_can_be_told_is_looked_into(home: Path) -> None:
    project = home / "project"
    agent = home / "agent"
    made(project / ".pi/settings.json", json.dumps({"sessionDir": "here"}))
    made(agent / "settings.json", json.dumps({"sessionDir": "~/there"}))
    env = {
        "HOME": str(home),
        "PI_CODING_AGENT_DIR": "~/agent",
        "PI_CODING_AGENT_SESSION_DIR": str(home / "everywhere"),
    }
    wanted = {agent / "sessions", home / "everywhere", project / "here", home / "there"}
    assert set(roots((), env, project)) == wanted


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sessionDir": 5}', '{"sessionDir": ""}'])
def test_settings_of_pis_that_say_nothing_are_passed_over(home: Path, text: str) -> None:
    made(home / ".pi/agent/settings.json", text)
    assert roots((), {"HOME": str(home)}, home) == (home / ".pi/agent/sessions",)


def test_what_was_configured_replaces_pis_own_places(home: Path) -> None:
    env = {"HOME": str(home), "PI_CODING_AGENT_SESSION_DIR": str(home / "elsewhere")}
    assert roots((home / "a", home / "b", home / "a"), env, home) == (home / "a", home / "b")


def test_an_agent_folder_and_a_sessions_folder_are_told_apart_by_looking(home: Path) -> None:
    made(home / ".pi/agent/sessions/--p--/s.jsonl")
    wanted = home / ".pi/agent/sessions"
    assert sessions_folder(home / ".pi") == wanted
    assert sessions_folder(home / ".pi/agent") == wanted
    assert sessions_folder(wanted) == wanted
    made(home / "flat/s.jsonl")
    made(home / "flat/sessions/inner.jsonl")
    assert sessions_folder(home / "flat") == home / "flat"


def test_transcripts_are_found_at_any_depth_and_nothing_else(home: Path) -> None:
    flat = made(home / "s.jsonl")
    deep = made(home / "--p--/s/hash/run-1/session.jsonl")
    for other in ("s.json", "s.jsonl.bak", "jsonl", "S.JSONL~"):
        made(home / other)
    (home / "folder.jsonl").mkdir()
    inside = made(home / "folder.jsonl/inner.jsonl")
    assert sorted(found(home)) == sorted([flat, deep, inside])


def test_links_are_followed_once(home: Path, tmp_path: Path) -> None:
    real = made(tmp_path / "real/s.jsonl")
    (home / "folder").symlink_to(real.parent, target_is_directory=True)
    (home / "again").symlink_to(real.parent, target_is_directory=True)
    (home / "s.jsonl").symlink_to(real)
    (home / "round").symlink_to(home, target_is_directory=True)
    (home / "nowhere.jsonl").symlink_to(home / "gone")
    assert len(found(home)) == 1
    assert len(found(home, home / "round", real.parent)) == 1


def test_a_hard_link_is_the_same_file(home: Path) -> None:
    os.link(made(home / "a.jsonl"), home / "b.jsonl")
    assert len(found(home)) == 1


def test_a_pipe_is_no_transcript(home: Path) -> None:
    os.mkfifo(home / "pipe.jsonl")
    assert found(home) == []


def test_a_name_that_is_not_utf_8_is_found_and_can_be_opened(home: Path) -> None:
    path = os.fsencode(home) + b"/caf\xe9.jsonl"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    (item,) = transcripts((home,))
    assert isinstance(item, Found)
    assert item.path == path


def test_a_folder_that_is_not_there_is_told(home: Path) -> None:
    inner = made(home / "b/s.jsonl")
    missing, there = transcripts((home / "a", home / "b"))
    assert missing == Unreadable(os.fsencode(home / "a"), "No such file or directory")
    assert isinstance(there, Found)
    assert there.path == os.fsencode(inner)


def test_a_root_that_is_a_file_is_told(home: Path) -> None:
    path = made(home / "s.jsonl")
    (item,) = transcripts((path,))
    assert item == Unreadable(os.fsencode(path), "Not a directory")


def test_the_signature_changes_with_the_file(home: Path) -> None:
    path = made(home / "s.jsonl")
    (before,) = transcripts((home,))
    path.write_text("{}\n{}\n")
    (after,) = transcripts((home,))
    assert isinstance(before, Found)
    assert isinstance(after, Found)
    assert before.signature != after.signature
    assert (before.signature.inode, after.signature.size) == (after.signature.inode, 6)


def asks(project: Path, name: str) -> Path:
    return made(project / ".pi/settings.json", json.dumps({"sessionDir": name}))


def test_a_project_may_name_a_folder_in_itself(home: Path) -> None:
    for name in ("here", "./a/../b", ".pi/sessions", "."):
        project = home / f"project {len(name)}"
        asks(project, name)
        wanted = Path(os.path.normpath(project / name))
        assert with_projects((home / "s",), [str(project)], home=home) == Roots((home / "s", wanted))


@pytest.mark.parametrize(
    "name", ["../client", "/srv/client", "~/client", "a/../../client", "link", "link/inner"]
)
def test_a_project_does_not_choose_what_else_of_the_machine_is_read(home: Path, name: str) -> None:
    project = home / "project"
    asks(project, name)
    (home / "client").mkdir()
    (project / "link").symlink_to(home / "client")
    found = with_projects((home / "s",), [str(project)], home=home)
    assert found.followed == (home / "s",)
    (refused,) = found.refused
    assert refused.folder == Path(os.path.normpath(project / name.replace("~", str(home))))
    assert refused.reason == f"{project / '.pi/settings.json'} asks for it, and it lies outside that project"
    assert roots((), {"HOME": str(home)}, project) == (home / ".pi/agent/sessions",)


def test_what_the_user_named_is_followed_wherever_it_is(home: Path) -> None:
    project = home / "project"
    asks(project, "../shared/project")
    trusted = (home / "shared",)
    wanted = home / "shared/project"
    assert with_projects((), [str(project)], home=home, trusted=trusted).followed == (wanted,)
    assert wanted in roots((), {"HOME": str(home)}, project, trusted=trusted)
    assert with_projects((home / "shared",), [str(project)], home=home).followed == (home / "shared", wanted)


def test_a_relative_folder_of_the_users_own_settings_lies_in_each_project(home: Path) -> None:
    made(home / ".pi/agent/settings.json", json.dumps({"sessionDir": ".sessions"}))
    names = named_by_user({"HOME": str(home), "PI_CODING_AGENT_SESSION_DIR": "~/all"})
    assert names == [str(home / "all"), ".sessions"]
    projects = [str(home / "a"), str(home / "b"), "not/absolute", "/nul\0"]
    found = with_projects((home / "all",), projects, home=home, names=names)
    assert found == Roots((home / "all", home / "a/.sessions", home / "b/.sessions"))


def test_settings_that_are_no_file_or_without_end_are_passed_over(home: Path) -> None:
    for number in range(3):
        (home / str(number) / ".pi").mkdir(parents=True)
    os.mkfifo(home / "0/.pi/settings.json")
    (home / "1/.pi/settings.json").mkdir()
    (home / "2/.pi/settings.json").symlink_to("/dev/zero")
    for number in range(3):
        assert with_projects((), [str(home / str(number))], home=home) == Roots(())
    made(home / "deep/.pi/settings.json", "[" * 200_000)
    assert with_projects((), [str(home / "deep")], home=home) == Roots(())


@pytest.mark.parametrize("is_named_by_the_user", [False, True])
def test_links_lead_out_of_a_folder_only_where_the_user_named_it(
    home: Path, *, is_named_by_the_user: bool
) -> None:
    """A repository that was cloned does not choose what of this machine is read, by a link neither."""
    private = made(home / "private/a.jsonl")
    project = home / "project"
    made(project / ".pi/settings.json", json.dumps({"sessionDir": ".sessions"}))
    inside = made(project / ".sessions/inner/b.jsonl")
    (project / ".sessions/file.jsonl").symlink_to(private)
    (project / ".sessions/folder").symlink_to(private.parent)
    (project / ".sessions/within").symlink_to(inside.parent)
    own = (project / ".sessions",) if is_named_by_the_user else ()
    folders = with_projects(own, [str(project)], home=home).followed
    assert folders == (project / ".sessions",)
    items = list(transcripts(folders))
    found = [os.fsdecode(item.path) for item in items if isinstance(item, Found)]
    odd = sorted(Path(os.fsdecode(item.path)).name for item in items if isinstance(item, Odd))
    hints = [os.fsencode(project / ".sessions" / name) for name in ("file.jsonl", "folder/a.jsonl")]
    if is_named_by_the_user:
        assert (len(found), odd) == (2, [])
        assert not any(leads_out(path, folders) for path in hints)
    else:
        assert (found, odd) == ([str(inside)], ["file.jsonl", "folder"])
        assert all(leads_out(path, folders) for path in hints)
    assert not leads_out(os.fsencode(inside), folders)


def test_the_names_are_those_of_the_transcripts_and_none_is_opened(home: Path) -> None:
    inner = made(home / "--p--/a.jsonl")
    made(home / "--p--/notes.txt")
    deep = made(home / "--p--/a/1/run-1/session.jsonl")
    (home / "round").symlink_to(home)
    inner.chmod(0)
    assert set(names([home, home])) == {os.fsencode(inner), os.fsencode(deep)}
    assert {item.path for item in transcripts((home,)) if isinstance(item, Found)} == set(names([home]))
    assert list(names([home / "not there"])) == []
