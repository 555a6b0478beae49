"""Files of ours stay in the user's hand: what others could write to, or put there, is refused."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pi_opensync.errors import ConfigurationError
from pi_opensync.files import identity, read_regular, require_private_file, require_private_folder

OTHER = 54_321  # a user who is neither root nor the one that runs the tests
Make = Callable[[Path], object]


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def a_folder(path: Path) -> None:
    path.mkdir()


def a_file(path: Path) -> None:
    path.touch()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [a_file, a_pipe, listening, a_link_to_a_device])
def test_a_folder_is_no_other_thing(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "x")
    with pytest.raises(ConfigurationError, match="not a folder") as refused:
        require_private_folder(tmp_path / "x")
    assert refused.value.hint == f"mv {tmp_path / 'x'} {tmp_path / 'x'}.away"


@pytest.mark.parametrize("make", [a_folder, a_pipe, listening, a_link_to_a_device])
def test_a_file_is_no_other_thing(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "x")
    with pytest.raises(ConfigurationError, match="not a file") as refused:
        require_private_file(tmp_path / "x")
    assert refused.value.exit_code == 6
    if make is not a_folder:
        with pytest.raises(OSError, match=r"not a regular file|No such device"):
            read_regular(tmp_path / "x")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_write_to_is_refused_with_what_mends_it(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}") as refused:
        require_private_folder(folder)
    assert os.system(refused.value.hint or "false") == 0  # noqa: S605 - the command that the user is told
    require_private_folder(folder)


@pytest.mark.parametrize("mode", [0o660, 0o602, 0o666])
def test_a_file_that_others_write_to_is_refused_with_what_mends_it(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "it's here"
    file.touch()
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}") as refused:
        require_private_file(file)
    assert os.system(refused.value.hint or "false") == 0  # noqa: S605 - the command that the user is told
    require_private_file(file)


def test_what_is_not_there_and_links_of_ones_own_are_private(tmp_path: Path) -> None:
    require_private_folder(tmp_path / "later")
    require_private_file(tmp_path / "later")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    require_private_folder(tmp_path / "link")
    (tmp_path / "dangling").symlink_to(tmp_path / "later")
    require_private_file(tmp_path / "dangling")


def test_a_link_does_not_hide_what_others_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o666)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(ConfigurationError, match="others may write"):
        require_private_file(tmp_path / "link")


@pytest.mark.parametrize(
    ("what", "is_link"), [("a link that another user put there", True), ("another user", False)]
)
def test_what_another_user_put_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, is_link: bool
) -> None:
    """As seen by another user: only root could give a file away."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        return os.stat_result([*real(path)[:4], OTHER + 1, *real(path)[5:]])

    monkeypatch.setattr(os, "geteuid", lambda: OTHER)
    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(ConfigurationError, match=what):
        require_private_folder(tmp_path / ("link" if is_link else "folder"))


def test_a_file_is_told_from_the_one_that_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "x"
    assert identity(file) is None
    file.touch()
    before = identity(file)
    file.write_text("more")
    assert identity(file) == before
    (tmp_path / "y").touch()
    (tmp_path / "y").rename(file)
    assert identity(file) not in (None, before)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a" * 300_000)
    assert read_regular(tmp_path / "x") == b"a" * 300_000
