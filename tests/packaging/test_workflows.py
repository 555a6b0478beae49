"""The workflows: pinned, with least permissions, and running what stands in the classifiers."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.slow

FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")


def jobs(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())["jobs"]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_workflow_is_pinned_and_may_do_little(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert text.startswith("# "), "the first line says what only runs there"
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        assert set(job["permissions"].items()) <= {
            ("contents", "read"),
            ("id-token", "write"),
            ("pages", "write"),
        }
        for step in job["steps"]:
            if "uses" in step:
                assert PINNED.match(step["uses"]), step["uses"]
                assert not step["uses"].startswith("actions/checkout") or (
                    step["with"]["persist-credentials"] is False
                )
    assert len(re.findall(r"uses: \S+ # v[\d.]+$", text, re.MULTILINE)) == text.count("uses: ")


def test_the_classifiers_are_what_the_checks_run_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    claimed = {
        found[1]
        for line in project["classifiers"]
        if (found := re.search(r":: Python :: (3\.\d+)$", line)) is not None
    }
    assert claimed == set(jobs("checks")["linux"]["strategy"]["matrix"]["python"])
    assert project["requires-python"] == f">={min(claimed, key=lambda version: int(version[2:]))}"
    assert "Operating System :: MacOS" in project["classifiers"]
    assert jobs("checks")["macos"]["runs-on"].startswith("macos-")


def test_one_hash_an_action() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for action, pin in re.findall(r"uses: (\S+)@(\S+)", path.read_text(encoding="utf-8")):
            pins.setdefault(action, set()).add(pin)
    assert all(len(found) == 1 for found in pins.values()), pins


def test_a_release_needs_no_stored_token() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert jobs("release")["publish"]["permissions"] == {"id-token": "write"}
