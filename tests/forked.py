"""Processes that are forked where the imports are done already, by a server that makes them once.

Most of what a command takes is importing, and the tests start many hundred of them.
"""

import importlib
import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

ENCODING = "PYTHONIOENCODING"  # without errors behind it
READ_AT_START = ("PYTHON", "LC_", "LANG", "MALLOC_")  # variables that only a new interpreter heeds


class Forked:
    """Offers of `subprocess.Popen` what the tests use."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def process(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A process that calls `target` once it is started; for what it needs, everything is imported."""
    return _context().Process(target=target, args=arguments)


def command(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: Path, out: Path, err: Path
) -> Forked:
    """`pi-opensync` with these arguments. What it writes is added to `out` and `err`."""
    files = (str(stdin), str(out), str(err))
    return Forked(process(_run_command, list(arguments), str(cwd), dict(environment), files))


def is_heeded(environment: Mapping[str, str]) -> bool:
    """Whether a forked process sees these variables as one would that starts anew."""
    told = {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}
    return {**told, ENCODING: ""} == {"LANG": "C.UTF-8", ENCODING: ""}


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__ + "_imports"])  # heeded at its first process only
    return context


def _run_command(arguments: list[str], cwd: str, environment: dict[str, str], files: Sequence[str]) -> None:
    from pi_opensync.__main__ import main  # noqa: PLC0415 - imported by the server that forked this process

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
    for number, (path, flag) in enumerate(zip(files, flags, strict=True)):
        opened = os.open(path, flag, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    encoding = environment.get(ENCODING, "utf-8")
    errors = "strict" if ENCODING in environment else "surrogateescape"
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - as at a start
    sys.stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = ["pi-opensync", *arguments]
    main()


def import_everything() -> None:
    """Every module of the program, so that no process imports it again."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    package = importlib.import_module("pi_opensync")
    for module in pkgutil.walk_packages(package.__path__, "pi_opensync."):
        importlib.import_module(module.name)
