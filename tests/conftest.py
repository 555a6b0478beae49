"""The command line as a user runs it: a process of its own, with a home and an environment of its own."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import structlog

from tests import forked
from tests.harness import World
from tests.order import dealt
from tests.standin.backend import OpenSync
from tests.standin.server import Server, running

PATIENCE = 120.0  # seconds that a process gets; far more than it needs, also beside others


IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
ROOM = 4 << 30  # bytes; what tests write is far less, and removed when they pass
Process = subprocess.Popen[bytes] | forked.Forked


hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: tests of processes wait as long as they run."""
    return len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_configure() -> None:
    """Let tests write to memory where there is room: else they wait for the disk more than for anything.

    A run in the background ignores Ctrl-C, and so would every command that a test sends it to.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Databases are on another machine's disk, where they have no write-ahead log."""
    monkeypatch.setattr("pi_opensync.journal.is_local", lambda _folder: False)


def new_key() -> str:
    return "osk_" + secrets.token_hex(16)


def wait_until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask every 10 ms. Raises AssertionError naming `what` when `patience` seconds are over."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {patience} s"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_logs_of_other_tests() -> Iterator[None]:
    """A logger that one test set up writes to a stream that is closed when the next one runs."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@dataclass
class Done:
    """How a command ended. `code` is its exit code, negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[str]:
        """The lines on stderr."""
        return self.err.splitlines()

    def line_with(self, text: str) -> str:
        """The one line on stderr that holds the text."""
        (found,) = [line for line in self.said if text in line]
        return found


@dataclass
class Running:
    """A command that runs; its output goes to files."""

    process: Process
    out: Path
    err: Path

    def wait_for(self, text: str) -> None:
        """Until stderr holds the text, or the process ended."""
        wait_until(lambda: text in self.err.read_text() or self.process.poll() is not None, text)
        assert text in self.err.read_text(), self.err.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@dataclass
class Cli:
    """`pi-opensync` with `home` as its home. No secret in `keys` may ever be in what it says."""

    home: Path
    variables: dict[str, str]
    keys: list[str] = field(default_factory=list)
    prefix: tuple[str, ...] = ()
    _count: int = 0

    def __call__(self, *arguments: str, stdin: str = "", **variables: str) -> Done:
        with TemporaryDirectory() as folder:
            given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
            given.write_text(stdin)
            process = self._start(arguments, variables, given, out, err)
            try:
                code = process.wait(PATIENCE)
            finally:
                process.kill()
            done = Done(code, out.read_text(), err.read_text())
        self._check(done.out + done.err)
        return done

    @contextmanager
    def running(self, *arguments: str, **variables: str) -> Iterator[Running]:
        """Run it for the block; killed at its end if it still runs then."""
        self._count += 1
        out, err = (self.home / f"{self._count}.{name}" for name in ("out", "err"))
        process = self._start(arguments, variables, Path(os.devnull), out, err)
        try:
            yield Running(process, out, err)
        finally:
            process.kill()
            process.wait(PATIENCE)
        self._check(out.read_text() + err.read_text())

    def _start(
        self, arguments: tuple[str, ...], variables: dict[str, str], given: Path, out: Path, err: Path
    ) -> Process:
        """A process of its own: forked where the imports are done already, if nothing speaks against it."""
        environment = self.environment() | variables
        out.touch()
        err.touch()
        if not self.prefix and forked.is_heeded(environment):
            return forked.command(
                arguments, cwd=self.home, environment=environment, stdin=given, out=out, err=err
            )
        with given.open("rb") as stdin, out.open("wb") as stdout, err.open("wb") as stderr:
            return subprocess.Popen(
                self.command_line(arguments),
                cwd=self.home,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "COLUMNS": "160",
            "PI_OPENSYNC_STATE_DIR": str(self.home / "state"),
            **self.variables,
        }

    def command_line(self, arguments: tuple[str, ...]) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "pi_opensync", *arguments]

    def _check(self, output: str) -> None:
        assert "Traceback" not in output, output
        for key in self.keys:
            assert key not in output


@pytest.fixture
def opensync() -> OpenSync:
    return OpenSync(now=time.time, key=new_key())


@pytest.fixture
def server(opensync: OpenSync) -> Iterator[Server]:
    with running(opensync) as started:
        yield started


@pytest.fixture
def fresh_cli(tmp_path: Path) -> Cli:
    """The command in a fresh home, with nothing configured."""
    home = tmp_path / "home"
    home.mkdir()
    return Cli(home, {})


@pytest.fixture
def cli(fresh_cli: Cli, server: Server, opensync: OpenSync) -> Cli:
    """The command, configured by its environment for the stand-in, with an empty sessions folder."""
    sessions = fresh_cli.home / "sessions"
    sessions.mkdir()
    fresh_cli.keys.append(opensync.key)
    fresh_cli.variables |= {
        "PI_OPENSYNC_CONVEX_URL": server.url,
        "PI_OPENSYNC_API_KEY": opensync.key,
        "PI_OPENSYNC_SESSIONS_DIR": str(sessions),
    }
    return fresh_cli


@pytest.fixture
def free_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        yield made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Where the judgement builds its own world."""
    return tmp_path / "fresh"
