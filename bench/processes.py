"""The processes of a run: servers, daemons, what is compared with them; and what `/proc` says of them."""

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.request import urlopen

import msgspec

from bench.server import Notes

ROOT = Path(__file__).parents[1]
PATIENCE = 1800.0  # seconds that anything gets
MB = 1_000_000
IDLE_SHARE = 0.02  # of a second's CPU: less is a process that rests

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Server:
    url: str

    def notes(self) -> Notes:
        with urlopen(f"{self.url}/bench") as answer:  # noqa: S310 - a server of ours on this machine
            return msgspec.json.decode(answer.read(), type=Notes)

    def wait_for(self, messages: int) -> Notes:
        """The notes, once so many messages are there."""
        return wait_until(lambda: notes if len((notes := self.notes()).arrivals) >= messages else None)


@contextmanager
def server(*, delay_ms: float = 0.0, keeps_dates: bool = False) -> Iterator[Server]:
    options = ["--delay-ms", str(delay_ms), *(["--batch-keeps-dates"] if keeps_dates else [])]
    process = start("-m", "bench.server", *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Server(f"http://127.0.0.1:{int(_pipe(process.stdout).readline())}")
    finally:
        end(process)


def start(
    *arguments: str,
    variables: dict[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    under: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """A Python of its own, of this project."""
    return subprocess.Popen(  # noqa: S603 - a command line of ours
        [*under, sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **(variables or {})},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def seconds(*arguments: str, variables: dict[str, str] | None = None) -> float:
    """How long a Python takes from its start to its end. Raises RuntimeError unless it ends well."""
    begun = time.perf_counter()
    code = start(*arguments, variables=variables).wait()  # with a timeout it would look every 50 ms
    taken = time.perf_counter() - begun
    if code:
        raise RuntimeError(f"{arguments} ended with {code}")
    return taken


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds from the start to the end, and of CPU, the process's children included."""

    seconds: float
    cpu: float


def spent(*command: str, variables: dict[str, str] | None = None) -> Spent:
    """What a command takes. Raises RuntimeError unless it ends well."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **(variables or {})}
    begun = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - a command line of ours
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _pid, status, used = os.wait4(process.pid, 0)
    taken = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}")
    return Spent(taken, used.ru_utime + used.ru_stime)


def variables(home: Path, sessions: Path, url: str) -> dict[str, str]:
    """What configures pi-opensync for one server and one folder."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "PI_OPENSYNC_STATE_DIR": str(home / "state"),
        "PI_OPENSYNC_SESSIONS_DIR": str(sessions),
        "PI_OPENSYNC_CONVEX_URL": url,
        "PI_OPENSYNC_API_KEY": "osk_" + secrets.token_hex(16),
    }


@dataclass(slots=True)
class Daemon:
    """`pi-opensync watch` as it runs; `ready_after` seconds it followed its folders."""

    pid: int
    began: int
    ready_after: float


@contextmanager
def daemon(settings: dict[str, str], *options: str, under: Sequence[str] = ()) -> Iterator[Daemon]:
    """Ready when the block begins, ended with it. Raises RuntimeError if it ends before that.

    `under` is the start of a command line that starts it, with the same process id.
    """
    began = time.monotonic_ns()
    process = start(
        "-m",
        "pi_opensync",
        "watch",
        "--log-format",
        "json",
        *options,
        variables=settings,
        stderr=subprocess.PIPE,
        under=under,
    )
    log = _pipe(process.stderr)
    drain = threading.Thread(target=log.read, daemon=True)
    try:
        said = b""
        while b'"following"' not in said:
            line = log.readline()
            if not line:
                raise RuntimeError(f"the daemon ended before it was ready: {said.decode(errors='replace')}")
            said += line
        ready_after = (time.monotonic_ns() - began) / 1e9
        drain.start()
        yield Daemon(process.pid, began, ready_after)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        if drain.ident is not None:
            drain.join()
        log.close()


def resident(pid: int) -> float:
    """MB in memory now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """MB in memory at most so far."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 / MB for line in lines if line.startswith(name))


def cpu(pid: int) -> float:
    """Seconds of CPU so far, of all threads, to the nanosecond where the kernel says."""
    return (
        sum(
            int((task / "schedstat").read_text(encoding="ascii").split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir()
        )
        / 1e9
    )


def rest(pid: int) -> None:
    """Wait until the process does next to nothing."""

    def rests() -> bool | None:
        before = cpu(pid)
        time.sleep(1.0)
        return True if cpu(pid) - before < IDLE_SHARE else None

    wait_until(rests)


def wait_until(holds: Callable[[], Found | None]) -> Found:
    """Ask until there is an answer. Raises TimeoutError."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        found = holds()
        if found is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError("nothing came of it")


def imported(modules: Sequence[str]) -> str:
    """A program that only imports."""
    return f"import {', '.join(modules)}"


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the process has no such pipe")
    return stream
