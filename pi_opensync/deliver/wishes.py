"""Whether the user wants nothing sent now; looked up afresh before every request."""

from collections.abc import Callable
from pathlib import Path

from pi_opensync.configuration import Stamp
from pi_opensync.privacy import pauses


class Wishes:
    """What the user said since the run began: a pause, or other settings than those it runs with."""

    def __init__(self, folder: Path, stamp: Stamp | None, *, now: Callable[[], float]) -> None:
        """`folder` is where a pause is noted; `stamp` that of the settings, where they are watched."""
        self._folder = folder
        self._stamp = stamp
        self._now = now

    def is_held(self) -> bool:
        """Whether a pause holds, or the settings were changed: then what was decided by them must not go."""
        outdated = self._stamp is not None and self._stamp.is_outdated()
        return outdated or pauses.asked(self._folder, self._now()) is not None
