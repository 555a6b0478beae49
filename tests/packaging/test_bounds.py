"""The lowest versions that pyproject.toml admits are ones that it works with."""

import sys
import tomllib
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, UV, run

pytestmark = pytest.mark.slow

# What each dependency is for: the wire, the pages, the terminal, settings, redaction, logs, watching.
TESTS = (
    "tests/base",
    "tests/cli/test_manual.py",
    "tests/cli/test_sync.py",
    "tests/dashboard/test_api.py",
    "tests/dashboard/test_pages.py",
    "tests/dashboard/test_render.py",
    "tests/deliver/test_delivery.py",
    "tests/read/test_lines.py",
    "tests/service/test_units.py",
)
WATCHING = "tests/machine/test_watching.py"
PLUGINS = ("-p", "no:anyio")  # its plugin for pytest is of no use here, and warns


def test_the_lowest_versions_pass_the_tests(release: dict[str, Path], tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    lowest = tmp_path / "lowest.txt"
    run(UV, "venv", "--no-config", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    choose = ("pip", "compile", "--no-config", "--resolution", "lowest-direct", "--output-file", lowest)
    run(UV, *choose, ROOT / "pyproject.toml", cwd=tmp_path)
    development = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    tools = [name for name in development["dev"] if name.startswith(("pytest", "freezegun", "hypothesis"))]
    install = ("pip", "install", "--no-config", "--python", python)
    run(UV, *install, "--requirement", lowest, *tools, cwd=tmp_path)
    run(UV, *install, "--no-deps", release["wheel"], cwd=tmp_path)
    run(python, "-m", "pytest", "-q", "-m", "not slow", *PLUGINS, *TESTS, cwd=ROOT)
    run(python, "-m", "pytest", "-q", *PLUGINS, WATCHING, cwd=ROOT)
