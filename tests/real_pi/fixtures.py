"""Fixtures for tests that drive a real pi; a module takes them with `pytest_plugins`.

Without pi (`.ci/install-pi` was not run, or there is no Node) such a test is skipped with that reason, unless
PI_OPENSYNC_REQUIRE_PI=1 says that pi has to be there: then it fails.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.real_pi.machine import Machine
from tests.real_pi.model import StubModel
from tests.real_pi.process import (
    NEWEST,
    WITH_SYSTEM_MESSAGES,
    WITHOUT_SYSTEM_MESSAGES,
    WRITES_VERSION_1,
    Installed,
    find_pi,
)


def require_pi(version: str) -> Installed:
    installed = find_pi(version)
    if installed is not None:
        return installed
    reason = f"pi {version} is not installed; run .ci/install-pi"
    if os.environ.get("PI_OPENSYNC_REQUIRE_PI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=[NEWEST, WITH_SYSTEM_MESSAGES, WITHOUT_SYSTEM_MESSAGES])
def real_pi_version(request: pytest.FixtureRequest) -> Installed:
    return require_pi(request.param)


@pytest.fixture
def newest_pi() -> Installed:
    return require_pi(NEWEST)


@pytest.fixture
def pi_without_system_messages() -> Installed:
    return require_pi(WITHOUT_SYSTEM_MESSAGES)


@pytest.fixture
def version_1_pi() -> Installed:
    return require_pi(WRITES_VERSION_1)


@pytest.fixture
def stub_model() -> Iterator[StubModel]:
    with StubModel() as model:
        yield model


@pytest.fixture
def pi_home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def pi_project(tmp_path: Path) -> Path:
    """Give the folder that pi works in."""
    project = tmp_path / "webapp"
    project.mkdir()
    return project


@pytest.fixture
def machine(cli: Cli, pi_project: Path, stub_model: StubModel) -> Machine:
    del cli.variables["PI_OPENSYNC_SESSIONS_DIR"]
    cli.variables["PI_OPENSYNC_TOOL_CALLS"] = "true"
    return Machine(cli, cli.home, pi_project, stub_model.url)
