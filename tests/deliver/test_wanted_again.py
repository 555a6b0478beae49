"""What is missing on the server is sent again at once, also where it was sent a moment ago."""

from pathlib import Path

from pi_opensync.store.repair import want_session_again
from tests.deliver.talks import write_session
from tests.harness import World, session_id


def test_a_session_that_the_server_lost_is_put_again_by_one_request(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 2)
        world.sync()
        before = len(world.sent("/sync/session"))
        lost = session_id("a")
        del world.opensync.sessions[lost]
        with world.engine.database.transaction():
            want_session_again(world.engine.database, lost, is_there=False, now=world.clock.now())
        world.deliver()
        assert len(world.sent("/sync/session")) == before + 1
        assert lost in world.opensync.sessions
