"""A clock that moves only when a test moves it."""


class Clock:
    """Seconds since the epoch."""

    def __init__(self, start: float) -> None:
        self.at = start

    def now(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds

    def move_to(self, moment: float) -> None:
        """Never back: a moment that is over leaves the clock where it is."""
        self.at = max(self.at, moment)
