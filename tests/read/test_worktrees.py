"""A git worktree is known to belong to its repository; what is none of git's worktrees belongs to itself."""

import subprocess
from pathlib import Path

import pytest

from pi_opensync.read.worktrees import repository_of


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "begin")
    return folder


def test_a_worktree_and_a_folder_in_it_belong_to_the_repository(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "wt" / "one"))
    inside = tmp_path / "wt" / "one" / "src"
    inside.mkdir()
    assert repository_of(str(tmp_path / "wt" / "one")) == str(repository)
    assert repository_of(str(inside)) == str(repository)


def test_a_bare_repository_is_named_by_its_own_folder(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "two"))
    assert repository_of(str(tmp_path / "two")) == str(tmp_path / "bare.git")


def test_the_repository_itself_is_no_worktree_of_another(repository: Path) -> None:
    assert repository_of(str(repository)) is None


@pytest.mark.parametrize(
    "noted", ["", "gitdir: ../.git/modules/sub\n", "gitdir:", "x: y", "gitdir: /r/.git/worktrees/a\n"]
)
def test_what_git_notes_otherwise_is_none(tmp_path: Path, noted: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".git").write_text(noted)
    expected = "/r" if "worktrees" in noted else None
    assert repository_of(str(tmp_path / "sub")) == expected


@pytest.mark.parametrize("project", ["", "relative", "C:\\src", "/not/there", "/with\x00nul"])
def test_a_project_that_is_not_on_this_machine_belongs_to_itself(project: str) -> None:
    assert repository_of(project) is None


def test_a_file_that_is_not_text_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").write_bytes(b"gitdir: \xff/worktrees/a")
    assert repository_of(str(tmp_path)) is None
