"""One daemon a state folder, whatever happens to the folder; and nothing of it in another's hand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pi_opensync.daemon import beyond, lock
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.errors import AlreadyRunning, ConfigurationError
from pi_opensync.privacy import pauses
from pi_opensync.store.database import FILE, open_beside, open_database
from tests.conftest import Cli

HOLD = """
import sys
from pathlib import Path
from pi_opensync.daemon import lock
with lock.held(Path(sys.argv[1]), "watch", 1.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.mark.parametrize("what", ["removed", "moved away", "replaced"])
def test_a_second_one_can_not_start_whatever_happened_to_the_folder(state: Path, what: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "held\n"
        if what == "removed":
            shutil.rmtree(state)
        else:
            state.rename(state.with_name("before"))
        if what == "replaced":
            state.mkdir()
        with pytest.raises(AlreadyRunning) as refused, lock.held(state, "watch", 2.0):
            pass
        if sys.platform == "linux":
            assert f"(process {first.pid})" in refused.value.message
        with lock.held(state.with_name("another"), "watch", 2.0):
            pass
        first.stdin.close()
        first.wait(20)
    with lock.held(state, "watch", 3.0):
        assert lock.holder(state) is not None


def test_where_there_are_no_abstract_sockets_a_file_outside_the_folder_is_locked(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with beyond.held(state, platform="freebsd") as nobody:
        assert nobody is None
        with beyond.held(state, platform="freebsd") as other:
            assert other == beyond.Other(0)
        with beyond.held(tmp_path / "another", platform="freebsd") as other:
            assert other is None
    with beyond.held(state, platform="freebsd") as other:
        assert other is None


def test_where_no_file_can_be_made_outside_it_goes_without(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not" / "there"))
    with beyond.held(state, platform="freebsd") as other:
        assert other is None


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_a_name_that_another_user_took_holds_nobody_up(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with beyond.held(state) as nobody:
        assert nobody is None
        monkeypatch.setattr(beyond, "CREDENTIALS", _OfAnother())
        with beyond.held(state) as other:
            assert other is None


class _OfAnother:
    size = beyond.CREDENTIALS.size

    def unpack(self, _raw: bytes) -> tuple[int, int, int]:
        return 1, os.geteuid() + 1, 0


def test_a_state_folder_that_others_write_to_is_used_by_nothing(state: Path) -> None:
    open_database(state).close()
    state.chmod(0o777)
    for use in (
        lambda: lock.held(state, "watch", 1.0).__enter__(),
        lambda: open_database(state),
        lambda: Connections.open(state / "opensync.sqlite3"),
        lambda: pauses.pause(state, None),
    ):
        with pytest.raises(ConfigurationError, match="mode 0777") as refused:
            use()
        assert refused.value.hint == f"chmod 700 {state}"


def test_a_pipe_in_the_state_folder_stops_no_command(state: Path) -> None:
    state.mkdir()
    for name in (lock.FILE, FILE, "opensync.sqlite3", pauses.FILE):
        os.mkfifo(state / name)
    assert lock.holder(state) is None
    assert pauses.asked(state, 1.0) == pauses.PauseAsked(None), (
        "what can not be understood was put there to pause"
    )
    for use in (
        lambda: lock.held(state, "watch", 1.0).__enter__(),
        lambda: open_database(state),
        lambda: open_beside(state),
        lambda: Connections.open(state / "opensync.sqlite3"),
    ):
        with pytest.raises(ConfigurationError, match="is a pipe, not a file"):
            use()


def test_a_configuration_that_is_a_pipe_or_writable_by_others_is_refused(fresh_cli: Cli) -> None:
    config = fresh_cli.home / "config.json"
    os.mkfifo(config, 0o600)
    done = fresh_cli("status", PI_OPENSYNC_CONFIG=str(config))
    assert (done.code, "is a pipe, not a file" in done.err) == (6, True)
    config.unlink()
    config.write_text("{}")
    config.chmod(0o620)
    done = fresh_cli("status", PI_OPENSYNC_CONFIG=str(config))
    assert (done.code, f"chmod 600 {config}" in done.err) == (6, True)
    config.chmod(0o644)
    assert fresh_cli("status", PI_OPENSYNC_CONFIG=str(config)).code == 0
