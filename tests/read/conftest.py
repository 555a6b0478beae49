from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        yield made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Where the judgement builds its own world."""
    return tmp_path / "fresh"
