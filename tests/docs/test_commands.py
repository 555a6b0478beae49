"""What a page tells to type works: every block of commands is run, each page's in its order."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, Cli, wait_until
from tests.docs.pages import PAGES, ROOT, blocks
from tests.service import conftest as services
from tests.standin.backend import OpenSync
from tests.standin.server import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the services of the pages are systemd's"),
]

SAMPLES = ROOT / "pi_opensync/samples"
# What installs something is run by another test, in an environment of its own.
ELSEWHERE = {
    r"(uv tool install|pipx install|uv tool uninstall|uvx --from) .*": "tests/packaging/test_install.py",
    r"pi mcp .*": "tests/real_pi/test_lookup.py",
    r"git clone .*|cd pi-opensync|make( \w+)?|\.ci/run": "Makefile",
}
GOES_ON = re.compile(r"^pi-opensync (watch|serve|start)\b(?!.*--once)")
ASKS = re.compile(r"^pi-opensync login$")
# What a user of a page has done before.
BEFORE = {
    "docs/output.md": ["pi-opensync sync --yes"],
    "docs/troubleshooting.md": ["pi-opensync sync --yes", "pi-opensync service install"],
    "docs/upgrade.md": ["pi-opensync service install"],
    "docs/what-arrives.md": ["pi-opensync sync --yes"],
}
ENDS_WITH = {"pi-opensync doctor": (0, 1), "pi-opensync service status": (0, 1)}


class Shell:
    """A user's shell in a fresh home with three sessions of pi, a project and an account on a stand-in."""

    def __init__(self, cli: Cli, fake: services.Fake, server: Server, key: str) -> None:
        self._url = server.url
        self._key = key
        self._home = cli.home
        sessions = cli.home / ".pi/agent/sessions/--home-sam-src-webshop--"
        sessions.mkdir(parents=True)
        for sample in SAMPLES.glob("*.jsonl"):
            shutil.copy2(sample, sessions)
        (cli.home / "notes.txt").write_text("nothing secret\n")
        plugin = cli.home / ".config/pi-opensync-plugin/config.json"
        plugin.parent.mkdir(parents=True)
        plugin.write_text(f'{{"convexUrl": "{server.url}", "apiKey": "{key}"}}')
        plugin.chmod(0o600)
        program = fake.bin / "pi-opensync"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pi_opensync "$@"\n')
        program.chmod(0o755)
        self._env = cli.environment() | fake.variables
        self._env |= {"OPENSYNC_KEY": key, "PYTHONPATH": str(ROOT), "BROWSER": "true", "COLUMNS": "92"}
        del self._env["PI_OPENSYNC_STATE_DIR"]

    def run(self, line: str) -> str:
        """Run a line as it stands in a page; returns what it printed, if it ends by itself.

        Raises AssertionError where it does not end as it should.
        """
        line = line.replace("https://happy-otter-123.convex.cloud", self._url)
        if GOES_ON.match(line):
            self._until_it_goes(line if "--port" in line else f"{line} {self._free_port(line)}")
        elif ASKS.match(line):
            self._answering(line, [self._url, self._key])
        else:
            done = self._start(line, subprocess.PIPE)
            out, _ = done.communicate(timeout=PATIENCE)
            expected = ENDS_WITH.get(line, (0,))
            assert done.returncode in expected, f"{line}: {done.returncode}: {out.decode()}"
            return out.decode().replace(str(self._home), "/home/sam")
        return ""

    def _free_port(self, line: str) -> str:
        is_own = "--local" in line or "serve" in line
        return "--port 0" if is_own else ""

    def _start(self, line: str, out: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", "-ec", line],
            cwd=self._home,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _until_it_goes(self, line: str) -> None:
        log = self._home / "log"
        with log.open("wb") as out:
            process = self._start(line, out.fileno())
        try:
            wait_until(
                lambda: (
                    bool(re.search(r"following|http://|osk_", log.read_text())) or process.poll() is not None
                ),
                line,
            )
            assert process.poll() in (None, 0), f"{line}: {log.read_text()}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE)
        assert process.returncode in (0, -signal.SIGINT, 130), f"{line}: {log.read_text()}"

    def _answering(self, line: str, answers: list[str]) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["sh", "-ec", line], cwd=self._home, env=self._env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        said = b""
        with suppress(OSError):  # the other end is closed when the process is gone
            for answer in answers:
                while not said.rstrip().endswith((b":", b"?", b"]")):
                    said += os.read(ours, 1024)
                os.write(ours, answer.encode() + b"\n")
                said = b""
            while os.read(ours, 1024):
                pass
        os.close(ours)
        assert process.wait(PATIENCE) == 0


fake = services.fake


@pytest.fixture
def shell(fake: services.Fake, server: Server, opensync: OpenSync) -> Iterator[Shell]:
    with tempfile.TemporaryDirectory(dir="/tmp") as home:  # as short as a user's
        yield Shell(Cli(Path(home), {}), fake, server, opensync.key)


WITH_COMMANDS = [page for page in PAGES if blocks(page, "sh")]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_commands_can_be_run(page: Path, shell: Shell) -> None:
    for line in BEFORE.get(str(page.relative_to(ROOT)), []):
        shell.run(line)
    for block in blocks(page, "sh"):
        printed = ""
        for line in block.lines:
            if not any(re.fullmatch(known, line) for known in ELSEWHERE):
                printed += shell.run(line)
        if block.output is not None:
            assert is_like(printed, block.output), printed


def is_like(printed: str, shown: str) -> bool:
    """Whether that is what a page shows; `…` at the end of a line or in it stands for anything."""
    lines = (re.escape(line.rstrip()).replace("…", ".*") for line in shown.splitlines())
    return (
        re.fullmatch("\n".join(lines), "\n".join(line.rstrip() for line in printed.splitlines())) is not None
    )


def test_what_a_page_shows_is_compared_line_by_line() -> None:
    assert is_like("sent  2 s ago\n3 sessions\n", "sent  …\n3 sessions\n")
    assert not is_like("3 sessions\n1 more\n", "3 sessions\n")


def test_what_is_run_elsewhere_is() -> None:
    for path in ELSEWHERE.values():
        assert (ROOT / path).is_file()
