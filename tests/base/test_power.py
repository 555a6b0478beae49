"""What was committed is on the disk: it is there after the power failed at any call, and takes one wait."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from pi_opensync.sqlite import Database, open_private
from tests.base.test_journal import MADE, names, put

REAL = "unix"  # SQLite's name for what a disk of Linux and macOS is


class Disk(apsw.VFS):
    """A disk that forgets what was not waited for."""

    def __init__(self) -> None:
        super().__init__("a disk", REAL, makedefault=True)
        self.waits: list[str] = []
        self.kept: dict[str, bytes] = {}
        self.moments: list[tuple[int, dict[str, bytes]]] = []  # what was kept, and how much was committed
        self.committed = 0

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "File":  # noqa: N802 - SQLite's
        return File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's
        super().xDelete(filename, syncdir)
        self.kept.pop(Path(filename).name, None)
        self.moment()

    def moment(self) -> None:
        self.moments.append((self.committed, dict(self.kept)))


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._path = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        super().__init__(REAL, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's
        super().xSync(flags)
        self._disk.waits.append(self._path.name)
        self._disk.kept[self._path.name] = self._path.read_bytes()
        self._disk.moment()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's
        super().xWrite(data, offset)
        self._disk.moment()


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.unregister()


def opened(path: Path) -> Database:
    database = open_private(path, ("synchronous = FULL", "wal_autocheckpoint = 20"), kind=Database)
    database.own()
    database.run(MADE)
    return database


def test_a_commit_waits_for_the_disk_once(disk: Disk, tmp_path: Path) -> None:
    database = opened(tmp_path / "x")
    database.run("PRAGMA wal_autocheckpoint = 1000")
    put(database, "before")
    disk.waits.clear()
    for number in range(5):
        put(database, str(number), "a value of some length" * 100)
    assert disk.waits == ["x-wal"] * 5
    database.close()


@pytest.mark.usefixtures("far")
def test_without_a_log_it_waits_more_often(disk: Disk, tmp_path: Path) -> None:
    database = opened(tmp_path / "x")
    put(database, "before")
    disk.waits.clear()
    put(database, "a")
    assert len(disk.waits) > 2
    database.close()


@pytest.mark.parametrize("journal", ["a log", "no log"])
def test_what_was_committed_is_there_whenever_the_power_fails(
    disk: Disk, tmp_path: Path, request: pytest.FixtureRequest, journal: str
) -> None:
    if journal == "no log":
        request.getfixturevalue("far")
    for _start in range(3):
        database = opened(tmp_path / "state" / "x") if disk.committed else _made(tmp_path)
        for _ in range(12):
            put(database, f"{disk.committed:03d}", "a value of some length" * 300)
            disk.committed += 1
            disk.moment()
        database.empty_log()
        disk.moment()
        database.close()
        disk.moment()
    apsw.set_default_vfs(REAL)
    assert len(disk.moments) > 300
    before: tuple[int, dict[str, bytes]] | None = None
    for number, (committed, kept) in enumerate(disk.moments):
        if (committed, kept) == before:
            continue
        before = (committed, kept)
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700)
        for name, data in kept.items():
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)
        database = opened(folder / "x")
        there = names(database)
        assert database.one("PRAGMA integrity_check") == "ok"
        database.close()
        wanted = [f"{each:03d}" for each in range(committed)]
        assert there in (wanted, [*wanted, f"{committed:03d}"]), number


def _made(tmp_path: Path) -> Database:
    (tmp_path / "state").mkdir(mode=0o700)
    return opened(tmp_path / "state" / "x")
