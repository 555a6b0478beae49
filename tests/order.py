"""The order of the tests, so that at the end no worker waits for another's long one."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONGEST = (  # modules and packages by what they take, the longest first
    "packaging/test_bounds.py",
    "storm/test_crashes.py",
    "dashboard/test_accessible.py",
    "real_pi/test_transcripts_end_to_end.py",
    "docs/test_commands.py",
    "service/test_real_systemd.py",
    "packaging",
    "real_pi",
    "storm",
    "dashboard",
)


def dealt(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests of each worker behind one another, in equal numbers, as xdist cuts them off for a start.

    Each begins with its part of the slow modules; what it does not come to, others take from its end.
    A module stays together, for its fixtures.
    """
    modules = [list(of_one) for _path, of_one in groupby(items, lambda item: item.path)]
    slow = [module for module in modules if any(item.get_closest_marker("slow") for item in module)]
    quick = [item for module in modules if module not in slow for item in module]
    slow.sort(key=lambda module: _rank(module[0].path))
    order: list[pytest.Item] = []
    for number in range(workers):
        share = (len(items) - len(order)) // (workers - number)
        hand = [item for module in slow[number::workers] for item in module]
        left = max(0, share - len(hand))
        order += hand + quick[:left]
        del quick[:left]
    return order + quick


def _rank(path: Path) -> int:
    name = path.relative_to(TESTS).as_posix()
    return next((place for place, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))
