"""When this machine began to follow pi, and whether history was wanted.

Kept in the store, and beside it in a file of its own, so that a store that must be built again does not
upload what nobody asked for.
"""

import json
from contextlib import suppress

from pi_opensync.files import write_private
from pi_opensync.store.database import StateDatabase

FILE = "first-start.json"
SLACK = 2.0  # seconds by which a file's time may lag behind the clock


class Baseline:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database
        self._file = database.path.parent / FILE
        self.at: float | None = database.meta("baseline_at")
        self.takes_all = bool(database.meta("backfilled"))
        if self.at is None:
            self._restore()

    @property
    def is_rebuilding(self) -> bool:
        """Whether the store was lost: then what the server has tells what was followed."""
        return bool(self._database.meta("rebuilding"))

    def begin(self, now: float, *, take_all: bool) -> bool:
        """Note the first start, and that all history is wanted; returns whether it is the first."""
        first = self.at is None
        self.at = now if self.at is None else min(self.at, now)
        self.takes_all = self.takes_all or take_all
        self._keep()
        return first

    def clock_was_set(self, now: float) -> None:
        """The first start was not in the future: what is written from now on is new."""
        if self.at is not None and self.at > now:
            self.at = now
            self._keep()

    def rebuilt(self) -> None:
        self._database.set_meta("rebuilding", None)

    def leaves_alone(self, modified: float) -> bool:
        """Whether a file that was never met, last changed at `modified` (seconds), is from before."""
        return self.at is not None and not self.takes_all and modified < self.at - SLACK

    def _restore(self) -> None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self.at, self.takes_all = float(kept["at"]), bool(kept["takes_all"])
            self._database.set_meta("rebuilding", 1)
            self._keep()

    def _keep(self) -> None:
        with self._database.transaction():
            self._database.set_meta("baseline_at", self.at)
            self._database.set_meta("backfilled", int(self.takes_all))
        if self._database.path.parent.is_dir() and self._database.path.is_file():
            self.save_for_another()

    def save_for_another(self) -> None:
        """Write it down beside the state, for one that is built in its place."""
        with suppress(OSError):
            write_private(self._file, json.dumps({"at": self.at, "takes_all": self.takes_all}))
