"""What a daemon never uses is not loaded, and is there for those who ask for it."""

import subprocess
import sys

import pytest

from pi_opensync.lean import without

LOADED = """
import sys
from pi_opensync.cli import watch
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"click", "jinja2", "pygments", "rich", "uvicorn"}))
import rich.console, pygments
"""


def test_the_daemon_loads_nothing_that_draws() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_loaded_already_stays() -> None:
    with without("json", "no_such_library"):
        import json  # noqa: PLC0415 - what is tested

        with pytest.raises(ImportError):
            import no_such_library  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    assert json.loads("1") == 1
    assert "no_such_library" not in sys.modules
