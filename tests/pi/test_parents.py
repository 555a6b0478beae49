"""A fork's parent is looked for where its path says, and by its name in the watched folders."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.pi.parents import Parent, find_parent


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
def test_elsewhere_its_header_says_whose_it_is_and_no_more(watched: Path, tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "elsewhere" / name)
    found = find_parent(str(path), (watched,))
    assert found.header is not None
    assert found.header.cwd == "/client"
    assert found.id != "parent-1"
    assert found.guessed_from == name
    relative = find_parent(f"elsewhere/{name}", (watched,), cwd=str(tmp_path))
    assert relative.header == found.header


def test_through_a_link_out_of_the_watched_folders_too(watched: Path, tmp_path: Path) -> None:
    path = made(tmp_path / "elsewhere" / "2026_x.jsonl")
    (watched / "link").symlink_to(path.parent)
    found = find_parent(str(watched / "link" / path.name), (watched,))
    assert found.header is not None


def test_what_is_no_file_is_no_parent_and_holds_nobody_up(watched: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "2026_x.jsonl")
    for named in (str(tmp_path / "2026_x.jsonl"), str(tmp_path), "/not/there/2026_x.jsonl", "a\0b", "\ud83d"):
        found = find_parent(named, (watched,))
        assert (found.header, found.trouble) == (None, None)


def test_what_can_not_be_read_is_told(watched: Path, tmp_path: Path) -> None:
    (tmp_path / "round.jsonl").symlink_to("round.jsonl")
    found = find_parent(str(tmp_path / "round.jsonl"), (watched,))
    assert found == Parent("round", guessed_from="round.jsonl", trouble=os.strerror(40))
