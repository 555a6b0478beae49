"""A home in which pi may have sessions, and nothing is set up."""

import pytest

from tests.conftest import Cli


@pytest.fixture
def home(fresh_cli: Cli) -> Cli:
    sessions = fresh_cli.home / "sessions"
    sessions.mkdir()
    fresh_cli.variables |= {
        "PI_OPENSYNC_SESSIONS_DIR": str(sessions),
        "PI_OPENSYNC_STATE_DIR": str(fresh_cli.home / "state"),
    }
    return fresh_cli
