"""Questions are answered beside a daemon that works hard, and wait for no writer."""

import json
from contextlib import closing
from dataclasses import asdict

import apsw
import pytest
from structlog.testing import CapturingLogger

from pi_opensync import __version__
from pi_opensync.cli.screen import screen
from pi_opensync.daemon.events import LogEvents
from pi_opensync.daemon.pulse import Pulse
from pi_opensync.sqlite import StoreUnavailable
from tests.clock import Clock
from tests.conftest import Cli
from tests.read.settled import talk
from tests.standin.backend import OpenSync
from tests.standin.server import running

SESSIONS = 12
MESSAGES = 250


def test_status_answers_beside_a_backfill(cli: Cli, opensync: OpenSync) -> None:
    for number in range(SESSIONS):
        lines = talk(f"s{number}", *(f"text {index} of {number} " * 20 for index in range(MESSAGES)))
        (cli.home / "sessions" / f"{number}.jsonl").write_bytes(b"".join(lines))
    with (
        running(opensync, delay=0.01) as slow,
        cli.running("watch", "--backfill", PI_OPENSYNC_CONVEX_URL=slow.url) as watch,
    ):
        cli.variables["PI_OPENSYNC_CONVEX_URL"] = slow.url
        watch.wait_for("following")
        done = cli("status", "--json")
        assert done.code == 0
        assert json.loads(done.out)["running"]["pid"] == watch.process.pid
        assert len(opensync.messages) < SESSIONS * MESSAGES, "it was not at work any more"
        assert watch.process.poll() is None


@pytest.mark.parametrize("command", ["status", "list --json", "usage", "usage statusline", "queue list"])
def test_no_question_waits_for_who_writes(cli: Cli, command: str) -> None:
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(talk("a", "one", "two")))
    assert cli("sync", "--yes").code == 0
    (file,) = (cli.home / "state").glob("*/state.sqlite3")
    with closing(apsw.Connection(str(file))) as writing:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("UPDATE meta SET value = value")
        assert cli(*command.split()).code == 0
        writing.execute("ROLLBACK")


def test_a_state_that_can_not_be_written_is_told() -> None:
    clock = Clock(1_000.0)
    events = LogEvents(CapturingLogger(), now=clock.now)
    assert events.trouble_of_late() is None
    events.trouble(StoreUnavailable("the disk is full"))
    trouble = events.trouble_of_late()
    assert trouble == "the disk is full"
    beat = asdict(Pulse(7, 1_000.0, __version__, "events", 1, trouble))
    holder = {"pid": 7, "command": "watch", "version": __version__, "since": 990.0}
    place = {
        "name": "OpenSync",
        "url": "https://otter.convex.site",
        "is_own": False,
        "running": holder,
        "pulse": beat,
        "dashboard": None,
        "state": None,
        "pause": None,
    }
    report: dict[str, object] = {
        "version": __version__,
        "roots": [],
        "unknown_settings": {},
        "paused": None,
        "places": [place],
    }
    assert "trouble   the state can not be written: the disk is full" in screen(report, 1_001.0)
    clock.move(60)
    assert events.trouble_of_late() is None
