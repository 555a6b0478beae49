"""Each documented way of installing, from the built release, as a user without anything has it."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from pi_opensync import __version__
from tests.packaging.conftest import UV, run

pytestmark = pytest.mark.slow


def uv_tool(release: dict[str, Path], _source: Path, home: Path) -> list[str]:
    tools = {"UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}
    run(UV, "tool", "install", "--no-config", release["wheel"], cwd=home, **tools)
    return [str(home / "bin/pi-opensync")]


def uv_tool_from_git(_release: dict[str, Path], source: Path, home: Path) -> list[str]:
    tools = {"UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}
    run(UV, "tool", "install", "--no-config", f"git+file://{source}", cwd=home, **tools)
    return [str(home / "bin/pi-opensync")]


def pipx(release: dict[str, Path], _source: Path, home: Path) -> list[str]:
    return _by_pipx(str(release["wheel"]), home)


def pipx_from_sdist(release: dict[str, Path], _source: Path, home: Path) -> list[str]:
    return _by_pipx(str(release["sdist"]), home)


def pipx_from_git(_release: dict[str, Path], source: Path, home: Path) -> list[str]:
    return _by_pipx(f"git+file://{source}", home)


def _by_pipx(what: str, home: Path) -> list[str]:
    tools = {"PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "bin")}
    run(sys.executable, "-m", "pipx", "install", "--quiet", what, cwd=home, **tools)
    return [str(home / "bin/pi-opensync")]


def uvx(release: dict[str, Path], _source: Path, home: Path) -> list[str]:
    return _by_uvx(str(release["wheel"]), home)


def uvx_from_git(_release: dict[str, Path], source: Path, home: Path) -> list[str]:
    return _by_uvx(f"git+file://{source}", home)


def _by_uvx(what: str, home: Path) -> list[str]:
    run(UV, "tool", "run", "--no-config", "--from", what, "pi-opensync", "--version", cwd=home)
    return [str(UV), "tool", "run", "--no-config", "--offline", "--from", what, "pi-opensync"]


WAYS = [uv_tool, uv_tool_from_git, pipx, pipx_from_sdist, pipx_from_git, uvx, uvx_from_git]


@pytest.fixture(scope="module", params=WAYS)
def installed(
    request: pytest.FixtureRequest,
    release: dict[str, Path],
    source: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> "Installed":
    home = tmp_path_factory.mktemp("home")
    way: Callable[[dict[str, Path], Path, Path], list[str]] = request.param
    return Installed(way(release, source, home), home)


class Installed:
    """The installed command, in an empty home and with nothing of the working tree in its reach."""

    def __init__(self, command: list[str], home: Path) -> None:
        self._command = command
        self._home = home

    def __call__(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        cache = run(UV, "cache", "dir", cwd=self._home).strip()
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=self._home,
            env={
                "HOME": str(self._home),
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "UV_CACHE_DIR": cache,
                "UV_PYTHON": sys.executable,
                "UV_PYTHON_DOWNLOADS": "never",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        said = done.stdout + done.stderr
        assert done.returncode in codes, said
        assert "Traceback" not in said
        return said


def test_it_says_its_version(installed: Installed) -> None:
    assert f"pi-opensync {__version__}" in installed("--version")


def test_the_samples_are_shown_and_the_command_ends(installed: Installed) -> None:
    said = installed("watch", "--local", "--once", "--demo", "--port", "0", "--log-format", "text")
    assert re.search(r"up to date .*19 messages of 3 sessions", said), said


def test_the_unit_runs_the_installed_program(installed: Installed) -> None:
    said = installed("service", "install", "--local", "--print")
    assert "-m pi_opensync watch --local" in said or "pi_opensync.service.launched" in said


def test_doctor_looks_and_says_what_is_to_be_done(installed: Installed) -> None:
    assert "pi-opensync " in installed("doctor", codes=(0, 1))


def test_a_release_carries_its_metadata_and_all_that_it_needs(release: dict[str, Path]) -> None:
    with zipfile.ZipFile(release["wheel"]) as wheel:
        names = set(wheel.namelist())
        metadata = Parser().parsestr(
            wheel.read(f"pi_opensync-{__version__}.dist-info/METADATA").decode("utf-8")
        )
    assert {
        "pi_opensync/py.typed",
        "pi_opensync/systemd/pi-opensync.service",
        "pi_opensync/launchd/dev.opensync.pi.plist",
        f"pi_opensync-{__version__}.dist-info/licenses/LICENSE",
    } <= names
    assert not {name for name in names if not name.startswith(("pi_opensync/", "pi_opensync-"))}
    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "MIT")
    assert {line.partition(", ")[0] for line in metadata.get_all("Project-URL", [])} >= {"Source", "Issues"}
    with tarfile.open(release["sdist"]) as sdist:
        packed = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pi_opensync/py.typed", "tests/conftest.py"} <= packed
