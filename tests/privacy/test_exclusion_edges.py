"""Exclusion at the edges: paths that are redacted, a request under way, folders without end."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.files import Identity
from pi_opensync.privacy.projects import Disk, Projects
from tests.harness import World, session_id
from tests.privacy.places import one_of_each_rule
from tests.privacy.traces import everywhere, kept, leaks
from tests.read.settled import put, talk

ID = session_id("a")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "client"
    folder.mkdir(parents=True)
    return folder


def world_with(folder: Path, **settings: Any) -> World:
    world = World(folder / "world")
    world.settings = world.settings.but(**settings)
    return world


def choose(world: World, **settings: Any) -> None:
    """Another process takes over, with other settings."""
    world.settings = world.settings.but(**settings)
    world.restart()


def look_again(world: World) -> int:
    follow = world.engine.follow
    return follow.compare(follow.list_files()).changed


@pytest.mark.parametrize("how", ["settings", "marker"])
def test_a_project_whose_folder_is_redacted_is_taken_back_too(
    tmp_path: Path, project: Path, how: str
) -> None:
    with world_with(tmp_path, redact_patterns=("client",)) as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=str(project)))
        world.sweep()
        world.read()
        assert world.tally().messages_waiting == 2
        if how == "marker":
            (project / ".no-opensync").touch()
        else:
            world.settings = world.settings.but(exclude=("client",))
            world.restart()
        world.sync()
        assert world.transport.log == []


def test_a_project_whose_folder_is_redacted_is_not_read_over_and_over(tmp_path: Path, project: Path) -> None:
    with world_with(tmp_path, redact_patterns=("client",), exclude=("client",)) as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=str(project)))
        world.sync()
        assert world.transport.log == []
        assert look_again(world) == 0


@pytest.mark.parametrize("how", ["*/work/client", "marker"])
def test_what_is_excluded_and_does_not_change_is_not_read_again(
    tmp_path: Path, project: Path, how: str
) -> None:
    with world_with(tmp_path, exclude=() if how == "marker" else ("client",)) as world:
        if how == "marker":
            (project / ".no-opensync").touch()
        put(world, "a.jsonl", *talk("other", "uno"), *talk("a", "one", cwd=str(project)))
        put(world, "b.jsonl", *talk("b", "one", cwd=str(project)))
        world.sync()
        assert set(world.titles()) == {session_id("other")}
        assert look_again(world) == 0


def test_a_folder_of_thousands_of_levels_costs_a_bounded_number_of_looks() -> None:
    """A transcript of somebody else's can name any folder; each look may copy all of it."""
    looked: list[int] = []

    class Counting(Disk):
        def identity(self, path: str) -> Identity | None:
            looked.append(len(path))
            assert len(looked) <= 5_000
            return None

    Projects(disk=Counting()).reason("/a" * 6_000)
    Projects(disk=Counting()).reason("/a" * 2_000)
    assert sum(looked) <= 5_000 * 4_096


def test_a_secret_in_the_name_of_a_project_is_kept_nowhere(tmp_path: Path) -> None:
    secret = one_of_each_rule()[0]
    with World(tmp_path / "world") as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=f"/srv/{secret.text}/app"))
        world.sync()
        choose(world, exclude=("/srv/**/app",))
        put(world, "b.jsonl", *talk("b", "one", "two", cwd=f"/srv/{secret.text}/app"))
        world.sync()
        assert leaks([secret], everywhere(world)) == []
        assert set(world.titles()) == {session_id("a")}


def test_a_project_whose_name_is_redacted_is_taken_back_by_its_whole_name(tmp_path: Path) -> None:
    secret = one_of_each_rule()[0]
    with World(tmp_path / "world") as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=f"/srv/{secret.text}"))
        world.sweep()
        world.read()
        choose(world, exclude=(f"/srv/{secret.text}",))
        world.sync()
        assert world.transport.log == []


def test_a_secret_in_the_path_of_a_marker_is_kept_nowhere(tmp_path: Path) -> None:
    secret = one_of_each_rule()[0]
    folder = tmp_path / secret.text.replace("/", "-") / "app"
    folder.mkdir(parents=True)
    (folder / ".no-opensync").touch()
    with World(tmp_path / "world") as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=str(folder)))
        world.sync()
        assert leaks([secret], everywhere(world)) == []
        assert world.tally().sessions_excluded == 1
        shutil.rmtree(folder)
        put(world, "b.jsonl", *talk("b", "one", "two", cwd=str(folder)))
        world.sync()
        assert leaks([secret], everywhere(world)) == []
        assert world.transport.log == []


def test_a_marker_in_a_home_folder_that_is_hidden_is_still_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "client").mkdir()
    (tmp_path / "client" / ".no-opensync").touch()
    with world_with(tmp_path, redact_home=True) as world:
        put(world, "a.jsonl", *talk("a", "one", "two", cwd=str(tmp_path / "client")))
        world.sync()
        (tmp_path / "client").rename(tmp_path / "gone")
        put(world, "b.jsonl", *talk("b", "one", "two", cwd=str(tmp_path / "client")))
        put(world, "c.jsonl", *talk("c", "one", "two", cwd=str(tmp_path / "client" / "api")))
        world.sync()
        (tmp_path / "client").mkdir()
        world.sync()
        assert world.transport.log == []
        assert str(tmp_path) not in kept(world.state).replace(str(world.sessions), "")
