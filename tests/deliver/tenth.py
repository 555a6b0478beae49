"""OpenSync's limits and what meets them, all at a tenth of their size but where everything runs in full.

What is asked for and what is refused depends on the order of these numbers alone, which is the same.
"""

import pytest

from pi_opensync.opensync.limits import LISTABLE, MAX_READ_MESSAGES
from tests.lengths import length
from tests.standin.backend import MOST_MESSAGES, MOST_SESSIONS

_SCALE = length(1, 10)


def scaled(count: int) -> int:
    return count // _SCALE


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much the server reads at once, and what the program knows of it."""
    listable = tuple(map(scaled, LISTABLE))
    for module in ("deliver.plan", "deliver.consequences", "inspect.comparison"):
        monkeypatch.setattr(f"pi_opensync.{module}.LISTABLE", listable)
    monkeypatch.setattr("pi_opensync.opensync.differences.MAX_READ_MESSAGES", scaled(MAX_READ_MESSAGES))
    monkeypatch.setattr("tests.standin.backend.MOST_SESSIONS", scaled(MOST_SESSIONS))
    monkeypatch.setattr("tests.standin.backend.MOST_MESSAGES", scaled(MOST_MESSAGES))
