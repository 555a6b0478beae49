"""Databases with their tables and nothing in them: to make the tables takes longer than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.store.database import FILE, open_database


def place_state(folder: Path) -> None:
    """Make the state's file in its folder, unless there is one."""
    if not (folder / FILE).exists():
        _place(folder / FILE, _state())


def place_dashboard(path: Path) -> None:
    """Make the file of a dashboard of one's own."""
    _place(path, _dashboard())


def _place(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)


@cache
def _state() -> bytes:
    with TemporaryDirectory() as folder:
        open_database(Path(folder)).close()
        return (Path(folder) / FILE).read_bytes()


@cache
def _dashboard() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        Connections.open(path).close()
        return path.read_bytes()
