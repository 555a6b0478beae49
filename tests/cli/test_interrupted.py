"""Ctrl-C at a question: it ends at once, says how far it came, and nothing was done."""

import os
import select
import signal
import time

import pytest

from tests.conftest import PATIENCE, Cli
from tests.harness import header, line, said
from tests.standin.backend import OpenSync
from tests.standin.server import Server
from tests.terminals import on_a_terminal

AGAIN = 1.0  # seconds


def interrupted(cli: Cli, words: tuple[str, ...], at: str) -> tuple[str, int]:
    """What a command says on a terminal that is interrupted once it says `at`, and its exit code."""
    screen = b""
    is_sent = False
    end = time.monotonic() + PATIENCE
    with on_a_terminal(cli, words, start_new_session=True) as (process, ours):
        while True:
            assert time.monotonic() < end, screen.decode()
            if not select.select([ours], [], [], AGAIN)[0]:
                if is_sent:
                    process.send_signal(signal.SIGINT)  # the first came before it read
                continue
            try:
                screen += os.read(ours, 4096)
            except OSError:  # the other side is closed
                return screen.decode(), process.wait(PATIENCE)
            if at.encode() in screen and not is_sent:
                is_sent = True
                process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    "case",
    [
        ("sync", "[y/N] ", "Nothing was sent."),
        ("login", "URL of your OpenSync", "Nothing was changed."),
        ("login --url URL", "API key", "Nothing was changed."),
        ("setup", "leave out (", "left off here; `pi-opensync setup` goes on"),
    ],
    ids=lambda case: case[0],
)
def test_it_says_how_far_it_came(
    cli: Cli, opensync: OpenSync, server: Server, case: tuple[str, str, str]
) -> None:
    words, at, told = case
    now = time.time() - 60
    lines = (header("a", now), said("user", "a question", now))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    screen, code = interrupted(cli, tuple(words.replace("URL", server.url).split()), at)
    assert (code, told in screen, "Traceback" in screen) == (130, True, False)
    assert opensync.messages == {}
    assert not (cli.home / ".config/pi-opensync/config.json").exists()
