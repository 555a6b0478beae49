"""An account and a session that OpenSync can take and not read back: the stand-in fails where it does."""

import json
from pathlib import Path

import pytest

from pi_opensync.cli import verify
from pi_opensync.errors import PartlyDone
from pi_opensync.opensync.limits import LISTABLE, MAX_READ_MESSAGES
from tests.deliver.talks import numbered, write_session
from tests.deliver.tenth import limits, scaled
from tests.harness import said, session_id, usage
from tests.lengths import shortened
from tests.machine.daemon import Commands, DaemonWorld
from tests.standin.backend import MOST_MESSAGES, MOST_SESSIONS

SESSIONS = scaled(1_650)  # more than can be listed
LARGE = scaled(4_200)  # messages: more than can be read back
MOVES = 50_000

__all__ = ["limits"]  # a fixture


def test_what_is_asked_for_stands_on_either_side_of_what_the_server_reads() -> None:
    assert LISTABLE[0] > MOST_SESSIONS > LISTABLE[1] > LISTABLE[2]
    assert MAX_READ_MESSAGES == MOST_MESSAGES


@pytest.mark.slow
@shortened
@pytest.mark.usefixtures("limits")
def test_an_account_and_a_session_beyond_what_can_be_read_with_the_state_lost_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DaemonWorld(tmp_path / "world", monkeypatch) as world:
        for number in range(SESSIONS):
            write_session(world, f"s{number}", 2, size=4_000)
        write_session(world, "large", LARGE)
        world.sync(MOVES)
        assert len(world.opensync.messages) == 2 * SESSIONS + LARGE

        world.clock.move(3_600)
        for name in ("s0", f"s{SESSIONS - 1}", "large"):
            world.append(f"{name}.jsonl", said("assistant", f"{name} new", world.clock.now(), usage=usage()))
        world.lose_state()
        world.sync(MOVES)
        assert len(world.opensync.messages) == 2 * SESSIONS + LARGE + 3
        assert world.opensync.sessions[session_id("large")].message_count == LARGE + 1
        assert world.texts(session_id("large")) == [*numbered("large", LARGE), "large new"]
        assert world.tally().messages_waiting == world.tally().messages_parked == 0
        assert world.side_effects() == {}

        Commands(world, monkeypatch)
        capsys.readouterr()
        with pytest.raises(PartlyDone) as left:
            verify.run(repair=False, session=None, as_json=True)
        assert left.value.exit_code == 8
        report = json.loads(capsys.readouterr().out)
        assert (report["sessions"], report["differences"]) == (SESSIONS + 1, 0)
        assert [(item["external_id"], item["unread"]) for item in report["found"]] == [
            (session_id("large"), "too large to read back")
        ]
