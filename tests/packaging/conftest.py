"""What a release is made of, built once; skipped where no package index answers.

PI_OPENSYNC_REQUIRE_PYPI=1 says that one has to: then it fails.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds, for what is fetched and for tests in another environment
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command that has to succeed; gives what it wrote to stdout."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first of all workers fills and the others find."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done := folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree as a commit of a repository of its own, without what is ignored."""
    return once(tmp_path_factory, "source", _commit) / "pi-opensync"


def _commit(parent: Path) -> None:
    folder = parent / "pi-opensync"
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    run("git", *author, "commit", "-q", "-m", "as it is", cwd=folder)


@pytest.fixture(scope="session")
def release(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it."""

    def build(folder: Path) -> None:
        run(UV, "build", "--no-config", "--out-dir", folder, cwd=source)

    try:
        folder = once(tmp_path_factory, "dist", build)
    except AssertionError as error:
        if os.environ.get("PI_OPENSYNC_REQUIRE_PYPI") != "1" and "Failed to fetch" in str(error):
            pytest.skip("no package index answers")
        raise
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}
