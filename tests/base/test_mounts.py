"""Whether a folder is on a disk of this machine; what is not known is not."""

import os
import sys
from pathlib import Path

import pytest

from pi_opensync.mounts import file_system, is_local

MOUNTS = """\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
36 22 0:30 / /home rw - nfs4 server:/home rw,vers=4.2
37 36 0:31 / /home/a\\040b rw - fuse.sshfs a - b rw
38 22 0:32 / /mnt rw - a_new_one none rw
"""


def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount: str) -> Path:
    """A `/proc/self` in which every folder is on that mount."""
    (tmp_path / "fdinfo").mkdir()
    (tmp_path / "mountinfo").write_text(MOUNTS)
    really = os.open

    def opened(path: str, flags: int) -> int:
        descriptor = really(path, flags)
        (tmp_path / "fdinfo" / str(descriptor)).write_text(f"pos:\t0\nflags:\t012000000\n{mount}\nino:\t2\n")
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    return tmp_path


@pytest.mark.parametrize(
    ("mount", "kind", "local"),
    [
        ("mnt_id:\t22", "ext4", True),
        ("mnt_id:\t36", "nfs4", False),
        ("mnt_id:\t37", "fuse.sshfs", False),
        ("mnt_id:\t38", "a_new_one", False),
        ("mnt_id:\t2", None, False),
        ("", None, False),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_folder_is_local_where_its_mount_is_known_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount: str, kind: str | None, *, local: bool
) -> None:
    told = proc(tmp_path, monkeypatch, mount)
    assert (file_system(tmp_path, told), is_local(tmp_path, told)) == (kind, local)


def test_what_is_not_there_or_not_told_is_not_local(tmp_path: Path) -> None:
    assert not is_local(tmp_path / "nothing")
    assert not is_local(tmp_path, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_kernel_tells_it_of_a_real_folder() -> None:
    assert file_system(Path("/proc")) == "proc"
    assert not is_local(Path("/proc"))
