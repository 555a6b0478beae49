"""A piece that was read and the first attempt to send it: together on disk, or neither."""

from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from pi_opensync.sqlite import StoreUnavailable
from tests.harness import World, session_id
from tests.read.settled import put, talk


class FullAtCommit:
    """A connection whose next COMMIT finds no room on the disk."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.is_full = True

    def execute(self, statement: str, *values: Any) -> apsw.Cursor:
        if statement == "COMMIT" and self.is_full:
            self.is_full = False
            raise apsw.exception_for(apsw.SQLITE_FULL)
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_what_could_not_be_written_is_read_again_and_nothing_of_it_was_sent(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        database = world.engine.database
        put(world, "a.jsonl", *talk("a", "one", "two"))
        world.sweep()
        database.connection = cast("apsw.Connection", FullAtCommit(database.connection))

        async def read() -> None:
            world.engine.read_next()

        with pytest.raises(StoreUnavailable, match="disk is full"):
            world.runner.run(read())
        assert world.engine.follow.has_more
        assert world.tally().messages_waiting == 0
        world.runner.run(read())
        world.sync()
        assert world.texts(session_id("a")) == ["one", "two"]
        assert world.side_effects() == {}
        assert [request.path for request in world.transport.log].count("/sync/session") == 1
