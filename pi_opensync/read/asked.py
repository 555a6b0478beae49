"""Sessions from before the first start that were asked for beside a daemon: kept until it has read them."""

import json
import os
from collections.abc import Iterable

from pi_opensync.read.follow import Follow
from pi_opensync.store.database import StateDatabase

_KEPT = "asked_for"


def ask(database: StateDatabase, paths: Iterable[bytes]) -> None:
    """Let whoever follows read these transcripts too. Raises `StoreUnavailable`."""
    with database.transaction():
        named = {os.fsdecode(path) for path in paths} | _asked(database)
        database.set_meta(_KEPT, json.dumps(sorted(named)))


class AskedFor:
    """What was asked for, for the one who follows to look into at every sweep."""

    def __init__(self, database: StateDatabase, follow: Follow) -> None:
        self._database = database
        self._follow = follow
        self._queued: set[str] = set()

    def queue(self) -> bool:
        """Queue what is asked for and not read yet; whether there is something. Raises `StoreUnavailable`."""
        asked = _asked(self._database)
        if not asked:
            return False
        if asked == self._queued:
            if self._follow.is_idle:
                self._database.set_meta(_KEPT, None)
                self._queued = set()
            return False
        for found in self._follow.left_alone():
            if os.fsdecode(found.path) in asked:
                self._follow.queue(found.path, live=False)
        self._queued = asked
        return True


def _asked(database: StateDatabase) -> set[str]:
    kept = database.meta(_KEPT)
    return set() if kept is None else set(json.loads(kept))
