"""Commands on a terminal, as a person has them before them."""

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import Cli


@contextmanager
def on_a_terminal(
    cli: Cli, words: tuple[str, ...], *, start_new_session: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The process of a command and our side of its terminal; it does not outlive the block."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        cli.command_line(words),
        cwd=cli.home,
        env=cli.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=start_new_session,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)
