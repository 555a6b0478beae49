"""Before history leaves for the first time it is said how much of it, of what, since when."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, Cli
from tests.harness import header, line, said
from tests.standin.backend import OpenSync, Reply
from tests.terminals import on_a_terminal

OLDEST = 1_700_000_000.0  # 2023-11-14
PROJECTS = {"a": "/src/shop", "b": "/src/webapp", "c": "/src/webapp", "d": "/src/secret-client"}


class Witness:
    """Notes what had been said when the first request came."""

    def __init__(self, opensync: OpenSync) -> None:
        self.err: Path | None = None
        self.said: str | None = None
        self._handle = opensync.handle
        opensync.handle = self.handle  # type: ignore[method-assign]  # the server asks its own instance

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if self.said is None and self.err is not None:
            self.said = self.err.read_text()
        return self._handle(method, target, headers, body)


@pytest.fixture
def history(cli: Cli) -> None:
    for number, (name, project) in enumerate(PROJECTS.items()):
        begun = OLDEST + 86_400 * number
        lines = (header(name, begun, cwd=project), said("user", f"About {name}", begun + 1))
        (cli.home / "sessions" / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    cli.variables["PI_OPENSYNC_EXCLUDE"] = "secret-*"


def complete(text: str) -> bool:
    return (
        "3 sessions since 2023-11-14" in text
        and "2 projects" in text
        and "shop, webapp" in text
        and "secret-client" not in text
    )


def answered(cli: Cli, answer: bytes, *command: str) -> tuple[int, str]:
    text = b""
    with on_a_terminal(cli, command) as (process, ours):
        while b"[y/N]" not in text:
            text += os.read(ours, 4096)
        os.write(ours, answer)
        with suppress(OSError):  # its end is closed: it is done
            while os.read(ours, 4096):
                pass
        return process.wait(PATIENCE), text.decode()


@pytest.mark.parametrize(("answer", "sent"), [(b"y\n", 3), (b"n\n", 0), (b"\n", 0), (b"\x04", 0)])
def test_on_a_terminal_sync_asks_and_takes_only_a_yes(
    cli: Cli, opensync: OpenSync, history: None, answer: bytes, sent: int
) -> None:
    del history
    _code, text = answered(cli, answer, "sync")
    assert complete(text), text
    assert len(opensync.sessions) == sent
    assert sent or opensync.counters.requests == {}
