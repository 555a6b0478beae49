"""What the user is told outside the terminal, and when: pure, but for the file that says what was told.

The key is refused, nothing could be delivered for an hour, a budget is passed: each once a day at most, and
the budget of a day or a month once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from pi_opensync.files import read_regular, write_private
from pi_opensync.texts import counted

FILE = "notices.json"
LOOK = 60.0  # seconds between two looks
STUCK_AFTER = 3600.0  # seconds
AGAIN = 24 * 3600.0  # seconds until the same is told again
KEPT = 40 * AGAIN  # seconds; longer than a month, whose budget is told of once


@dataclass(frozen=True, slots=True)
class Passed:
    """A budget that is passed, in US dollars; `time` is `today` or `this month`."""

    time: str
    spent: float
    limit: float


@dataclass(frozen=True, slots=True)
class Look:
    """How delivery stands at a moment, in seconds since the epoch.

    `waiting` counts messages; None: the state can not be written, so nothing can be delivered.
    """

    at: float
    waiting: int | None
    last_success_at: float | None
    is_refused: bool = False
    is_held: bool = False  # the user paused
    passed: Sequence[Passed] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind` is `key-refused`, `stuck` or `budget`; `key` is the same for what is told once a day."""

    kind: str
    key: str
    text: str


def stuck_for(before: float, last: Look | None, now: Look) -> float:
    """Seconds for which there is something to deliver and nothing was, `before` until `last`.

    Time in which nobody looked, as while the machine slept, does not count.
    """
    if last is None or now.is_held or now.waiting == 0 or now.last_success_at != last.last_success_at:
        return 0.0
    return before + min(max(now.at - last.at, 0.0), 2 * LOOK)


def due(
    look: Look, stuck: float, told: Mapping[str, float], *, dashboard: str, zone: tzinfo | None = None
) -> list[Notice]:
    """What is to be told now; `told` says when, by key, and `dashboard` what it is about."""
    return [
        notice
        for notice in _notices(look, stuck, dashboard, zone)
        if notice.key not in told or (notice.kind != "budget" and not 0 <= look.at - told[notice.key] < AGAIN)
    ]


def _notices(look: Look, stuck: float, dashboard: str, zone: tzinfo | None) -> Iterator[Notice]:
    if look.is_refused:
        yield Notice(
            "key-refused",
            f"key-refused {dashboard}",
            f"{dashboard} refuses the key, so nothing is sent. Make a new one there, then run "
            "`pi-opensync login`.",
        )
    elif stuck >= STUCK_AFTER:
        waiting = "The state can not be written" if look.waiting is None else _waiting(look.waiting)
        yield Notice(
            "stuck",
            f"stuck {dashboard}",
            f"Nothing reached {dashboard} for an hour. {waiting}, nothing is lost. "
            "`pi-opensync doctor` says what is wrong.",
        )
    day = datetime.fromtimestamp(look.at, zone).astimezone(zone)
    for each in look.passed:
        when = f"{day:%Y-%m-%d}" if each.time == "today" else f"{day:%Y-%m}"
        yield Notice(
            "budget",
            f"budget {when}",
            f"${each.spent:,.2f} spent {each.time}, of a budget of ${each.limit:,.2f}.",
        )


def _waiting(messages: int) -> str:
    return f"{counted(messages, 'message')} {'waits' if messages == 1 else 'wait'}"


def told(folder: Path) -> dict[str, float]:
    """When each was told, by key; empty where that is not known."""
    with suppress(OSError, ValueError):
        kept = json.loads(read_regular(folder / FILE))
        if isinstance(kept, dict):
            return {key: float(at) for key, at in kept.items() if isinstance(at, int | float)}
    return {}


def tell(folder: Path, told: Mapping[str, float], now: float) -> None:
    """Write down what was told of late. Losing it tells something twice, so nothing is raised."""
    with suppress(OSError):
        write_private(
            folder / FILE, json.dumps({key: at for key, at in told.items() if abs(now - at) < KEPT})
        )
