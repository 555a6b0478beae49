"""What a daemon never uses is not loaded, and is there for those who ask for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from pi_opensync.lean import without

LOADED = """
import sys
from pi_opensync.cli import watch
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"click", "jinja2", "pygments", "rich", "uvicorn"}))
import rich.console, pygments
"""

STATUSLINE = """
import os, sys
sys.argv = ["pi-opensync", "usage", "statusline"]
from pi_opensync.__main__ import main
os._exit = lambda code: None  # a command that only reads ends by it
main()
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"asyncio", "httpx", "jinja2", "pydantic", "re2", "starlette", "structlog", "typer"}))
"""


def test_the_daemon_loads_nothing_that_draws() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_status_bar_loads_no_library_that_takes_long(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PI_OPENSYNC_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", STATUSLINE], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.splitlines() == ["$0.00 today, $0.00 this week, 0 tokens today", "[]"]


def test_what_is_loaded_already_stays() -> None:
    with without("json", "no_such_library"):
        import json  # noqa: PLC0415 - what is tested

        with pytest.raises(ImportError):
            import no_such_library  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    assert json.loads("1") == 1
    assert "no_such_library" not in sys.modules
