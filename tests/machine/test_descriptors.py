"""No file descriptors are left: nothing can be opened, nothing ends, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.read.settled import fresh

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="Linux lists a process's descriptors there")
def test_no_file_descriptors_left(tmp_path: Path, elsewhere: Path) -> None:
    world = tmp_path / "starved"
    done = subprocess.run(
        [sys.executable, "-m", "tests.machine.starved", str(world)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["side_effects"] == {}
    assert told["snapshot"] == fresh(world / "sessions", elsewhere, tool_calls=True)
