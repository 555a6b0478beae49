"""The state folder is removed or replaced under a daemon that runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cli, wait_until
from tests.harness import session_id
from tests.read.settled import talk, turn
from tests.standin.backend import OpenSync

pytestmark = pytest.mark.slow


def removed(state: Path) -> None:
    shutil.rmtree(state)


def replaced(state: Path) -> None:
    """By an older copy of itself."""
    copy = state.with_name("copy")
    shutil.copytree(state, copy)
    shutil.rmtree(state)
    copy.rename(state)


@pytest.mark.parametrize("happens", [removed, replaced])
def test_it_is_noticed_and_built_again(cli: Cli, opensync: OpenSync, happens: Callable[[Path], None]) -> None:
    path = cli.home / "sessions" / "a.jsonl"
    with cli.running("watch") as watch:
        watch.wait_for("following")
        path.write_bytes(b"".join(talk("a", "one", "two")))
        wait_until(lambda: len(opensync.messages) == 2, "the session")
        happens(cli.home / "state")
        watch.wait_for("the state was lost; it is built again")
        with path.open("ab") as file:
            file.write(turn("three", 2))
        wait_until(lambda: len(opensync.messages) == 3, "what came after")
        assert list(opensync.sessions) == [session_id("a")]
        beside = cli("watch", "--once")
        assert beside.code == 7, "a second daemon can not start"
        assert watch.stop() == 0
    assert vars(opensync.counters)["lost_parts"] == 0


def test_a_dashboard_of_ones_own_ends_and_says_why(fresh_cli: Cli) -> None:
    (fresh_cli.home / "sessions").mkdir()
    with fresh_cli.running(
        "watch", "--local", "--port", "0", PI_OPENSYNC_SESSIONS_DIR=str(fresh_cli.home / "sessions")
    ) as watch:
        watch.wait_for("following")
        shutil.rmtree(fresh_cli.home / "state")
        assert watch.process.wait(30) == 6
        assert "was removed or replaced while it was in use" in watch.err.read_text()
