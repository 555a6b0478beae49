"""A clock that moves only when a test moves it."""

from collections.abc import Callable


class Clock:
    """Seconds since the epoch. `skewed(s)` reads the same clock on a machine that is `s` seconds ahead."""

    def __init__(self, start: float) -> None:
        self.at = start

    def now(self) -> float:
        return self.at

    def skewed(self, seconds: float) -> Callable[[], float]:
        return lambda: self.at + seconds

    def move(self, seconds: float) -> None:
        self.at += seconds

    def move_to(self, moment: float) -> None:
        """Never back: a moment that is over leaves the clock where it is."""
        self.at = max(self.at, moment)
