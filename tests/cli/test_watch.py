"""`watch` as a process: what it takes up, how it ends, who else may run."""

import json
import signal
import time
from pathlib import Path

import pytest

from pi_opensync.daemon.run import FLUSH_WITHIN
from tests.conftest import Cli, wait_until
from tests.harness import header, line, said
from tests.standin.backend import OpenSync
from tests.standin.server import running


def transcript(cli: Cli, name: str) -> Path:
    return Path(cli.variables["PI_OPENSYNC_SESSIONS_DIR"]) / f"{name}.jsonl"


def write_session(cli: Cli, name: str, texts: int = 1) -> None:
    begun = time.time() - 60
    lines = [
        header(name, begun),
        *(said("user", f"{name} {number}", begun + number) for number in range(texts)),
    ]
    transcript(cli, name).write_bytes(b"".join(map(line, lines)))


def texts(opensync: OpenSync) -> list[str]:
    return [str(message.text_content) for message in list(opensync.messages.values())]


def test_the_first_start_takes_up_what_changes_from_then_on_with_its_history(
    cli: Cli, opensync: OpenSync
) -> None:
    write_session(cli, "old", 2)
    write_session(cli, "other")
    with cli.running("watch") as watch:
        watch.wait_for('"following"')
        assert "`pi-opensync sync` sends them" in watch.err.read_text()
        write_session(cli, "new")
        wait_until(lambda: texts(opensync) == ["new 0"], "the new session")
        with transcript(cli, "old").open("ab") as file:
            file.write(line(said("user", "old 2", time.time())))
        wait_until(lambda: texts(opensync) == ["new 0", "old 0", "old 1", "old 2"], "the old session")
        assert watch.stop() == 0
        assert all(json.loads(logged)["event"] for logged in watch.err.read_text().splitlines())
    assert cli("watch", "--once").code == 0
    assert len(opensync.messages) == 4
    assert cli("watch", "--once", "--backfill").code == 0
    assert len(opensync.messages) == 5


def test_what_was_written_while_it_was_off_is_taken_up(cli: Cli, opensync: OpenSync) -> None:
    assert cli("watch", "--once").code == 0
    write_session(cli, "new", 3)
    done = cli("watch", "--once", "--log-format", "text")
    assert done.code == 0
    assert done.out == ""
    assert "delivered" in done.err
    assert "{" not in done.err
    assert texts(opensync) == ["new 0", "new 1", "new 2"]


def test_a_second_instance_says_who_runs_and_status_shows_it(cli: Cli) -> None:
    write_session(cli, "s")
    with cli.running("watch") as watch:
        watch.wait_for('"following"')
        for command in (("watch",), ("watch", "--once")):
            done = cli(*command)
            assert done.code == 7
            assert str(watch.process.pid) in done.line_with("pi-opensync: ")
        report = json.loads(cli("status", "--json").out)
        assert report["running"]["pid"] == watch.process.pid
        assert str(watch.process.pid) in cli("status").out
        assert watch.stop() == 0
    assert json.loads(cli("status", "--json").out)["running"] is None


@pytest.mark.slow
def test_a_signal_gives_what_is_under_way_five_seconds_and_ends_with_0(cli: Cli, opensync: OpenSync) -> None:
    write_session(cli, "s", 40)
    with running(opensync, delay=0.25) as slow:
        cli.variables["PI_OPENSYNC_CONVEX_URL"] = slow.url
        with cli.running("watch", "--backfill") as watch:
            wait_until(lambda: len(opensync.messages) > 3, "some messages")
            begun = slow.begun
            assert watch.stop(signal.SIGTERM) == 0
            assert slow.begun - begun <= FLUSH_WITHIN / slow.delay + 1
        assert len(opensync.messages) < 40
        slow.delay = 0
        assert cli("watch", "--once").code == 0
    assert texts(opensync) == [f"s {number}" for number in range(40)]
    assert opensync.counters.lost_parts == opensync.counters.concurrent_session_writes == 0


def test_a_second_signal_ends_it_at_once_and_nothing_is_lost(cli: Cli, opensync: OpenSync) -> None:
    write_session(cli, "s", 3)
    with running(opensync, delay=2 * FLUSH_WITHIN) as slow:
        cli.variables["PI_OPENSYNC_CONVEX_URL"] = slow.url
        with cli.running("watch", "--backfill") as watch:
            wait_until(lambda: slow.begun > 0, "the first request")
            watch.process.send_signal(signal.SIGTERM)
            watch.wait_for("stopping")
            # Another one, as two of the same at once are one to the process. It says that it did not wait.
            assert watch.stop(signal.SIGINT) in (128 + signal.SIGINT, 128 + signal.SIGTERM)
        slow.delay = 0
        assert cli("watch", "--once").code == 0
    assert texts(opensync) == ["s 0", "s 1", "s 2"]


def test_with_auto_sync_off_it_does_not_run(cli: Cli) -> None:
    done = cli("watch", PI_OPENSYNC_AUTO_SYNC="false")
    assert done.code == 6
    assert "autoSync" in done.said[0]
    assert "pi-opensync sync" in done.err
