"""What fails for every session concerns none of them: it waits, longer each time, and parks nothing."""

from itertools import pairwise
from pathlib import Path

import pytest

from pi_opensync.cli import sync
from pi_opensync.errors import NetworkError
from pi_opensync.read.select import Wanted
from tests.deliver.talks import numbered, says, write_session
from tests.harness import START, World, session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.standin.faults import CONFLICT, ErrorBefore
from tests.standin.transport import Request

SAYS_NOTHING = b'{"error":"boom"}'
STATUSES = [400, 404, 413, 418, 500]


def is_write(request: Request) -> bool:
    return request.method == "POST"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("sessions", [1, 8])
def test_a_server_that_takes_nothing_is_asked_ever_more_rarely(
    tmp_path: Path, status: int, sessions: int
) -> None:
    with World(tmp_path) as world:
        for number in range(sessions):
            write_session(world, f"s{number}", 3)
        world.fail(ErrorBefore(status, SAYS_NOTHING))
        world.sync_until(START + 3600)
        moments = world.transport.moments
        assert len([at for at in moments if at >= START + 60]) <= 30
        assert all(later - earlier <= 320 for earlier, later in pairwise(moments))
        assert world.tally().sessions_parked == world.tally().messages_parked == 0
        world.fail(None)
        world.sync()
        for number in range(sessions):
            assert world.texts(session_id(f"s{number}")) == numbered(f"s{number}", 3)
        assert world.side_effects() == {}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("sessions", [1, 4])
def test_a_sync_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, sessions: int
) -> None:
    with DaemonWorld(tmp_path / "world", monkeypatch) as world:
        for number in range(sessions):
            write_session(world, f"s{number}", 3)
        world.fail(ErrorBefore(status, SAYS_NOTHING))
        Commands(world, monkeypatch)
        with pytest.raises(NetworkError) as ended:
            sync.run(Wanted(), dry_run=False, yes=True, log_format="json", debug=None)
        assert ended.value.exit_code == 4
        assert len(world.transport.log) < 30
        assert world.clock.now() < START + 60


@pytest.mark.parametrize("body", [SAYS_NOTHING, CONFLICT], ids=["without a reason", "busy"])
def test_messages_that_fail_in_every_session_are_not_parked(tmp_path: Path, body: bytes) -> None:
    with World(tmp_path) as world:
        for name in "abcd":
            write_session(world, name, 3)
        world.fail(ErrorBefore(500, body), lambda request: request.path == "/sync/message")
        world.sync_until(START + 1800)
        assert world.tally().messages_parked == 0
        assert len([at for at in world.sent_at("/sync/message") if at >= START + 60]) <= 20
        world.fail(None)
        world.sync()
        for name in "abcd":
            assert world.texts(session_id(name)) == numbered(name, 3)


def test_one_message_that_fails_pauses_no_other(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        for name in "abc":
            write_session(world, name, 3)
        world.fail(ErrorBefore(500, SAYS_NOTHING), says("a 1"))
        world.sync()
        assert world.engine.server.pause is None
        assert world.logged("delivery pauses") == []
        assert world.tally().messages_parked == 1
        assert world.texts(session_id("b")) == numbered("b", 3)


def test_a_row_that_nothing_is_said_of_is_parked_once_others_were_taken(tmp_path: Path) -> None:
    """The first of all may be the bad one: it waits, and the others go by."""
    with World(tmp_path) as world:
        for name in "abc":
            write_session(world, name, 3)
        bad = session_id("a")
        world.fail(
            ErrorBefore(500, SAYS_NOTHING), lambda request: (request.json or {}).get("externalId") == bad
        )
        world.sync_until(START + 60)
        assert world.texts(session_id("b")) == numbered("b", 3)
        assert world.texts(session_id("c")) == numbered("c", 3)
        world.sync()
        assert world.tally().sessions_parked == 1
