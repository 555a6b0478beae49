"""A glance finds what a look at every file finds, wherever it says that it suffices."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pi_opensync.pi.discover import Found, Item, Trace, transcripts
from pi_opensync.read.glance import Glance, are_heard, glance
from pi_opensync.read.signatures import Signatures

LOCAL = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
LONG_AGO = 1_700_000_000
NOW = LONG_AGO + 86_400.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sessions"
    for name in ("--a--", "--b--"):
        (made / name).mkdir(parents=True)
        (made / name / "one.jsonl").write_bytes(b"{}\n")
    settle(made)
    return made


def settle(folder: Path) -> None:
    """As if nothing had changed since yesterday."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


class Looking:
    """What a look at every file found, and a glance at what came since."""

    def __init__(self, folder: Path, *, mounts: str = LOCAL, now: float = NOW) -> None:
        trace = Trace()
        items = list(transcripts((folder,), trace))
        self.known = Signatures((item.path, item.signature) for item in items if isinstance(item, Found))
        strange = [item for item in items if not isinstance(item, Found)]
        self.seen: Glance | None = glance(strange, trace, (folder,), now, mounts)

    def found(self, *besides: Path) -> list[Item] | None:
        assert self.seen is not None
        return self.seen.finds(self.known, [os.fsencode(path) for path in besides])


def test_where_nothing_changed_it_finds_nothing(folder: Path) -> None:
    assert Looking(folder).found() == []


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda folder: (folder / "--a--/two.jsonl").write_bytes(b"{}\n"),
    "a file that went": lambda folder: (folder / "--a--/one.jsonl").unlink(),
    "a file in the place of another": lambda folder: (folder / "--a--/one.jsonl").replace(
        folder / "--b--/one.jsonl"
    ),
    "a new folder": lambda folder: (folder / "--c--").mkdir(),
    "a folder that went": lambda folder: shutil.rmtree(folder / "--b--"),
    "a folder of another name": lambda folder: (folder / "--b--").rename(folder / "--c--"),
    "all of it": shutil.rmtree,
}


@pytest.mark.parametrize("change", CHANGES)
def test_names_that_come_and_go_want_a_look_at_every_file(folder: Path, change: str) -> None:
    looking = Looking(folder)
    CHANGES[change](folder)
    assert looking.found() is None


def test_what_is_appended_to_a_file_is_found_where_it_was_written_of_late(folder: Path) -> None:
    looking = Looking(folder)
    path = folder / "--a--/one.jsonl"
    with path.open("ab") as file:
        file.write(b"{}\n")
    assert looking.found() == []  # an event tells it, and a look at every file where that was lost
    assert [item.path for item in looking.found(path) or ()] == [os.fsencode(path)]


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_of_another_name_is_always_looked_at(
    folder: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_bytes(b"{}\n")
    link(elsewhere, folder / "--a--/two.jsonl")
    settle(folder)
    looking = Looking(folder)
    with elsewhere.open("ab") as file:
        file.write(b"{}\n")
    assert [item.path for item in looking.found() or ()] == [os.fsencode(folder / "--a--/two.jsonl")]


def test_a_linked_folder_is_heard_by_nobody(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    settle(folder)
    assert Looking(folder).seen is None


def test_a_folder_that_changed_just_now_may_change_within_the_same_tick(folder: Path) -> None:
    assert Looking(folder, now=LONG_AGO + 1).seen is None


def test_a_missing_folder_is_looked_for_again(tmp_path: Path) -> None:
    assert Looking(tmp_path / "gone").seen is None


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs", "new"])
def test_what_others_may_write_is_looked_at_file_by_file(folder: Path, kind: str) -> None:
    mounted = LOCAL + f"30 22 0:50 / {folder.parent} rw - {kind} server:/home rw\n"
    assert Looking(folder, mounts=mounted).seen is None
    assert Looking(folder, mounts="").seen is None


def test_the_nearest_mount_counts_and_the_last_of_one_place() -> None:
    mounts = (
        LOCAL
        + "30 22 0:50 / /home/o\\040n rw shared:1 - nfs4 server:/home rw\n"
        + "31 22 0:51 / /home/o\\040n/here rw master:1 propagate_from:2 - xfs /dev/sdb rw\n"
        + "32 22 0:52 / /mnt rw - nfs server:/mnt rw\n"
        + "33 22 0:53 / /mnt rw - tmpfs tmpfs rw\n"
    )
    assert are_heard([Path("/home/other"), Path("/home/o n/here/sessions"), Path("/mnt/x")], mounts)
    assert not are_heard([Path("/home/o n/sessions")], mounts)
    assert not are_heard([Path("/home/other"), Path("/home/o n")], mounts)
