"""Questions beside a daemon that works hard are answered at once."""

import time

from tests.conftest import Cli
from tests.files.settled import talk
from tests.standin.backend import OpenSync
from tests.standin.server import running

SESSIONS = 12
MESSAGES = 250
TRIES = 5


def test_status_answers_within_a_second_beside_a_backfill(cli: Cli, opensync: OpenSync) -> None:
    for number in range(SESSIONS):
        lines = talk(f"s{number}", *(f"text {index} of {number} " * 20 for index in range(MESSAGES)))
        (cli.home / "sessions" / f"{number}.jsonl").write_bytes(b"".join(lines))
    with (
        running(opensync, delay=0.01) as slow,
        cli.running("watch", "--backfill", PI_OPENSYNC_CONVEX_URL=slow.url) as watch,
    ):
        cli.variables["PI_OPENSYNC_CONVEX_URL"] = slow.url
        watch.wait_for("following")
        took: list[float] = []
        for _ in range(TRIES):
            begun = time.perf_counter()
            done = cli("status", "--json")
            took.append(time.perf_counter() - begun)
            assert done.code == 0
        assert len(opensync.messages) < SESSIONS * MESSAGES, "it was not at work any more"
        assert watch.process.poll() is None
    # The best of some: a machine that does much else at a moment says nothing about us.
    assert min(took) < 1.0
