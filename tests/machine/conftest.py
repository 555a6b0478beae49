from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine.daemon import Commands, DaemonWorld, Deaf


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonWorld]:
    """Its daemon sweeps, and hears no events."""
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
    with DaemonWorld(tmp_path / "world", monkeypatch) as made:
        yield made


@pytest.fixture
def commands(world: DaemonWorld, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(world, monkeypatch)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "fresh"
