"""A run says its totals; a line for each session only where more log lines are asked for, or later on."""

from pathlib import Path

from structlog.testing import CapturingLogger

from pi_opensync.daemon.totals import Totals
from pi_opensync.store.sessions import SyncStates
from tests.harness import World, header, said


def test_a_session_has_a_line_of_its_own_only_once_all_is_there(tmp_path: Path) -> None:
    log = CapturingLogger()
    totals = Totals(log, now=lambda: 0.0)
    with World(tmp_path) as world:
        now = world.clock.now()
        world.append("a.jsonl", header("a", now), said("user", "a question", now))
        world.sync()
        session = SyncStates(world.engine.database).by_id(
            world.engine.database.one("SELECT id FROM sessions")
        )
    totals.delivered(session, 1)
    totals.delivered(session, 2)
    assert [call.method_name for call in log.calls] == ["debug", "debug"]
    assert str(totals) == "3 messages of 1 session"
    totals.is_up_to_date = True
    totals.delivered(session, 1)
    assert log.calls[-1].method_name == "info"
