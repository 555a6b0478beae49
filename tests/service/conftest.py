"""A `systemctl` and a `launchctl` that only note what they were asked, and a home of its own."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.standin.backend import OpenSync
from tests.standin.server import Server

SYSTEMCTL = r"""#!/bin/sh
# Keeps the state of one unit in $FAKE; `refuse-<status>` makes the next start end with that status.
echo "$@" >> "$FAKE/calls"
[ -e "$FAKE/no-bus" ] && { echo "Failed to connect to bus: No medium found" >&2; exit 1; }
[ "$1" = --user ] && shift
units="$HOME/.config/systemd/user"
case "$1" in
--version) echo "systemd $(cat "$FAKE/version" 2>/dev/null || echo 252) (252.39)" ;;
enable) mkdir -p "$units/default.target.wants"
    ln -sf ../pi-opensync.service "$units/default.target.wants/pi-opensync.service" ;;
disable) rm -f "$units/default.target.wants/pi-opensync.service" "$FAKE/active" ;;
start|restart)
    for refused in "$FAKE"/refuse-*; do
        [ -e "$refused" ] || continue
        if [ "$refused" != "$FAKE/refuse-226" ] || grep -q PrivateUsers "$units/pi-opensync.service"; then
            echo "${refused##*-}" > "$FAKE/status"
            echo "Job for pi-opensync.service failed." >&2
            exit 1
        fi
    done
    touch "$FAKE/active" ;;
stop) rm -f "$FAKE/active" ;;
show)
    if [ -e "$FAKE/active" ]; then echo ActiveState=active; echo SubState=running; echo MainPID=4242
    else echo ActiveState=failed; echo SubState=failed; echo MainPID=0; echo Result=exit-code; fi
    echo "ExecMainStatus=$(cat "$FAKE/status" 2>/dev/null || echo 0)"
    [ -L "$units/default.target.wants/pi-opensync.service" ] && echo UnitFileState=enabled
    echo "StatusText=nothing waits" ;;
esac
exit 0
"""

LAUNCHCTL = r"""#!/bin/sh
echo "$@" >> "$FAKE/calls"
case "$1" in
print)
    [ -e "$FAKE/no-session" ] && exit 113
    case "$2" in
    */dev.opensync.pi) [ -e "$FAKE/loaded" ] || exit 113
        printf 'dev.opensync.pi = {\n\tstate = running\n\tpid = 4242\n}\n' ;;
    esac ;;
bootstrap) [ -e "$FAKE/refuse" ] && { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }
    touch "$FAKE/loaded" ;;
bootout) rm -f "$FAKE/loaded" ;;
esac
exit 0
"""

JOURNALCTL = '#!/bin/sh\necho "$@" >> "$FAKE/calls"\necho "a line of the journal"\n'


@dataclass
class Fake:
    """What the fake commands were asked, and what they are told to do."""

    folder: Path
    bin: Path

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def note(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def forget(self, name: str) -> None:
        (self.folder / name).unlink()

    @property
    def variables(self) -> dict[str, str]:
        return {"FAKE": str(self.folder), "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    made = Fake(tmp_path / "fake", tmp_path / "bin")
    made.folder.mkdir()
    made.bin.mkdir()
    for name, script in (("systemctl", SYSTEMCTL), ("launchctl", LAUNCHCTL), ("journalctl", JOURNALCTL)):
        path = made.bin / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return made


@pytest.fixture
def logged_in(fresh_cli: Cli, fake: Fake, server: Server, opensync: OpenSync) -> Cli:
    """A home with a configuration file, a sessions folder and the fake commands, as on Linux."""
    if sys.platform != "linux":
        pytest.skip("the command line chooses systemd on Linux alone")
    fresh_cli.keys.append(opensync.key)
    fresh_cli.variables |= fake.variables | {"PI_OPENSYNC_STATE_DIR": ""}
    (fresh_cli.home / ".pi/agent/sessions").mkdir(parents=True)
    done = fresh_cli("login", "--url", server.url, "--key-stdin", stdin=opensync.key + "\n")
    assert done.code == 0, done.err
    return fresh_cli


def tree(folder: Path) -> set[str]:
    """Everything below the folder, as `find` shows it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
