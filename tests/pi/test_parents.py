"""A fork's parent is looked for where its path says, and by its name in the watched folders."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.pi.parents import find_parent, projects


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    folder.mkdir()
    return folder


def made(path: Path, **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"type": "session", "version": 3, "id": "parent-1", "timestamp": "2026-09-21T00:00:00.000Z"}
    path.write_text(json.dumps(header | {"cwd": "/client"} | more) + "\n")
    return path


def test_below_the_watched_folders_it_says_its_id(watched: Path) -> None:
    path = made(watched / "a" / "2026_x.jsonl")
    for named in (str(path), "/another/machine/2026_x.jsonl", "C:\\sessions\\2026_x.jsonl"):
        found = find_parent(named, (watched,))
        assert (found.id, found.path, found.guessed_from) == ("parent-1", os.fsencode(path), None)


@pytest.mark.parametrize("name", ["2026_x.jsonl", "2026_x.txt"])
def test_elsewhere_it_is_not_opened_and_what_it_holds_is_not_known(
    watched: Path, tmp_path: Path, name: str
) -> None:
    path = made(tmp_path / "elsewhere" / name)
    outside = "it lies outside the folders of sessions"
    (watched / "link").symlink_to(path.parent)
    for named, cwd in (
        (str(path), None),
        (f"elsewhere/{name}", str(tmp_path)),
        (str(watched / "link" / name), None),
    ):
        found = find_parent(named, (watched,), cwd=cwd)
        assert (found.header, found.guessed_from, found.trouble) == (None, name, outside)


def test_what_is_no_file_is_no_parent_and_holds_nobody_up(watched: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "2026_x.jsonl")
    for named in (str(tmp_path / "2026_x.jsonl"), str(tmp_path), "/not/there/2026_x.jsonl", "a\0b", "\ud83d"):
        found = find_parent(named, (watched,))
        assert (found.header, found.trouble) == (None, None)


def test_what_can_not_be_read_is_told(watched: Path, tmp_path: Path) -> None:
    (tmp_path / "round.jsonl").symlink_to("round.jsonl")
    found = find_parent(str(tmp_path / "round.jsonl"), (watched,))
    assert found.trouble is not None
    assert found.header is None


def test_a_project_is_told_by_the_newest_of_its_folder_and_by_each_of_a_flat_one(tmp_path: Path) -> None:
    paths = [
        made(tmp_path / "--src-a--/2026-03-02T00-00-00-000Z_b.jsonl", cwd="/src/a"),
        made(tmp_path / "--src-a--/2026-03-01T00-00-00-000Z_a.jsonl", cwd="/src-a"),
        made(tmp_path / "flat/1.jsonl", cwd="/src/b"),
        made(tmp_path / "flat/2.jsonl", cwd="/src/c"),
        tmp_path / "flat/gone.jsonl",
    ]
    assert projects(map(os.fsencode, paths)) == ["/src/a", "/src/b", "/src/c"]
