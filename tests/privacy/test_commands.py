"""Secrets and commands: a real process, a server that fails, everything that can be printed."""

from collections.abc import Mapping
from random import Random

import pytest

from tests.conftest import Cli
from tests.harness import line
from tests.privacy.places import everywhere, one_of_each_rule
from tests.privacy.traces import kept, leaks, pieces
from tests.standin.backend import OpenSync, Reply
from tests.standin.faults import FAULTS_THAT_ANSWER, random_faults
from tests.standin.server import Server

THEN = 1_790_000_000.0
COMMANDS = (
    ("status",),
    ("queue", "list"),
    ("list",),
    ("sync", "--dry-run"),
    ("verify",),
    ("preview", "all-0.jsonl"),
    ("preview", "all-0.jsonl", "--json"),
)


@pytest.mark.slow
def test_with_debug_and_a_failing_server_nothing_says_or_keeps_them(
    cli: Cli, server: Server, opensync: OpenSync
) -> None:
    samples = one_of_each_rule()[1::8]
    bodies: list[str] = []
    handle = opensync.handle

    def record(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        bodies.append(target + body.decode().replace("\\n", "\n"))
        return handle(method, target, headers, body)

    opensync.handle = record  # type: ignore[method-assign]  # the server asks its own instance
    for number, sample in enumerate(samples):
        items = everywhere(f"s{number}", sample.text, THEN + 100 * number)
        items[0] |= {"cwd": "/srv"}
        (cli.home / "sessions" / f"all-{number}.jsonl").write_bytes(b"".join(map(line, items)))
        cli.keys += pieces(sample.secret)
    cli.variables |= {"PI_OPENSYNC_TOOL_CALLS": "true", "PI_OPENSYNC_THINKING": "true"}
    server.faults = random_faults(Random(3), 0.05, FAULTS_THAT_ANSWER)  # noqa: S311 - the same every time
    cli("sync", "--yes", "--debug", "--log-format", "text")
    server.faults = random_faults(Random(4), 0.0)  # noqa: S311 - none from here
    assert cli("sync", "--yes", "--debug").code == 0
    assert len(opensync.sessions) == len(samples)
    for command in COMMANDS:
        cli(*command)
    where = {"requests": "\n".join(bodies), "state": kept(cli.home / "state")}
    assert leaks(samples, where) == []
    assert [place for place, text in where.items() if opensync.key in text] == []
