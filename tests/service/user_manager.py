"""A machine of its own for a test: systemd's manager of a user's services, a journal, and nothing else.

It lives in namespaces (mounts, processes, control groups), so root is needed to make it, and nothing of this
machine is changed but for a control group, which goes with it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.conftest import Cli, wait_until

USER, UID = "pat", 54711  # nobody of this machine, and no number of the system's
ROOT = Path(__file__).parents[2]
_SYSTEMD = Path("/lib/systemd/systemd")
_JOURNALD = Path("/lib/systemd/systemd-journald")
_UP = ("running", "degraded")  # where a unit of this machine's own fails
_TOOLS = ("unshare", "nsenter", "setpriv", "systemctl", "journalctl")
_SPACES = ("--mount", "--pid", "--cgroup")
_RUNTIME = f"/run/user/{UID}"
HOME = f"/home/{USER}-{os.getpid()}"  # not the same of two machines: they share the names of sockets

# What a system that systemd has booted has by then, as far as a user's manager asks for it.
_MACHINE = f"""
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system /run/systemd/unit-root /run/systemd/journal /run/etc /run/kept {_RUNTIME}
chmod 700 {_RUNTIME} && chown {UID}:{UID} {_RUNTIME}
for name in passwd group; do cp /etc/$name /run/etc; done
echo '{USER}:x:{UID}:{UID}::/:/bin/sh' >> /run/etc/passwd
echo '{USER}:x:{UID}:' >> /run/etc/group
for name in passwd group; do mount --bind /run/etc/$name /etc/$name; done
mount -t tmpfs -o mode=755 tmpfs /var/log
[ -z "$JOURNAL_ON_DISK" ] || {{ mkdir /var/log/journal && touch /run/systemd/journal/flushed; }}
mkdir /run/home && mount --bind "$HOME_OF_USER" /run/home
mount -t tmpfs -o mode=755 tmpfs /home && mkdir {HOME} && mount --bind /run/home {HOME}
number=0
for path in "$@"; do
    number=$((number + 1)); mkdir /run/kept/$number; mount --bind "$path" /run/kept/$number
done
for path in $HIDDEN; do mount -t tmpfs -o mode=755 tmpfs "$path"; done
number=0
for path in "$@"; do
    number=$((number + 1)); mkdir -p "$path"; mount --bind /run/kept/$number "$path"
done
{_JOURNALD} &
slice=$(mktemp -d /sys/fs/cgroup/pi-opensync-XXXXXXXX.slice)  # of this machine alone
group=$slice/user@{UID}.service
mkdir $group && chown -R {UID}:{UID} $slice
sh -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' $group \\
    setpriv --reuid {UID} --regid {UID} --clear-groups env -i HOME={HOME} PATH="$PATH" \\
    XDG_RUNTIME_DIR={_RUNTIME} LANG=C.UTF-8 {_SYSTEMD} --user --unit=basic.target &
read -r _ || true  # until the test has ended, however it did
kill -9 -1
until find $slice -depth -type d -exec rmdir {{}} + 2>/dev/null; do sleep 0.05; done
"""

# Whether the kernel and whoever runs the tests allow what the machine is made of.
_TRIAL = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=$(mktemp -d /sys/fs/cgroup/pi-opensync-trial.XXXXXX)
rmdir "$group"
setpriv --reuid 54711 --regid 54711 --clear-groups true
"""


@cache
def why_not() -> str:
    """Why no such machine can be made here; empty where one can."""
    if sys.platform != "linux":
        return "systemd is Linux's"
    missing = [name for name in _TOOLS if shutil.which(name) is None]
    missing += [str(path) for path in (_SYSTEMD, _JOURNALD) if not path.exists()]
    if missing:
        return f"a manager of one's own needs {', '.join(missing)}"
    tried = subprocess.run(
        ["unshare", *_SPACES, "--fork", "--mount-proc", "sh", "-c", _TRIAL],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if tried.returncode == 0 else f"no machine of one's own: {tried.stderr.strip()}"


@contextmanager
def user_manager(home: Path, *, journal_on_disk: bool) -> Iterator[Cli]:
    """The command as the user runs it there, at home in a folder of the test; systemd answers already."""
    seen = [Path(sys.base_prefix), Path(sys.prefix), ROOT]
    hidden = sorted({str(shut) for path in seen if (shut := _shut(path)) is not None})
    process = subprocess.Popen(
        ["unshare", *_SPACES, "--fork", "--mount-proc", "sh", "-c", _MACHINE, "machine", *map(str, seen)],
        env={
            "PATH": os.environ["PATH"],
            "HIDDEN": " ".join(hidden),
            "HOME_OF_USER": str(home),
            "JOURNAL_ON_DISK": "yes" if journal_on_disk else "",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: bool(first.read_text().split()) or process.poll() is not None, "the machine")
        variables = {"HOME": HOME, "USER": USER, "XDG_RUNTIME_DIR": _RUNTIME, "PI_OPENSYNC_STATE_DIR": ""}
        cli = Cli(home, variables, prefix=_inside(first.read_text().split()[0]))
        wait_until(lambda: asked(cli, "systemctl", "--user", "is-system-running") in _UP, "systemd")
        yield cli
    finally:
        process.communicate()


def asked(cli: Cli, *words: str) -> str:
    """What a command of the system says there."""
    done = subprocess.run(
        [*cli.prefix, *words], env=cli.environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _inside(pid: str) -> tuple[str, ...]:
    user = ("setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups")
    return ("nsenter", "--target", pid, *_SPACES, *user, "env", f"--chdir={HOME}")


def _shut(path: Path) -> Path | None:
    """The outermost folder above `path` that other users may not pass."""
    above: Sequence[Path] = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 1]
    return above[0] if above else None
