"""The machine: what watching, keeping state and reading need of it."""

import os
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.errors import ConfigurationError
from pi_opensync.sqlite import Damaged, StoreUnavailable
from pi_opensync.store.database import FILE, StateDatabase, open_beside
from pi_opensync.store.views import is_whole, withheld
from pi_opensync.texts import counted, size

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "fuse.sshfs", "fuse.glusterfs", "davfs"}
)
LITTLE_SPACE = 1 << 30  # bytes
NO_SPACE = 50 << 20
PROC = Path("/proc/sys/fs/inotify")


def inotify(folders: tuple[Path, ...], limits: Path = PROC) -> Check:
    """Whether there may be a watch for every folder below the roots."""
    values: dict[str, int] = {}
    for name in ("max_user_watches", "max_user_instances"):
        with suppress(OSError, ValueError):
            values[name] = int((limits / name).read_text(encoding="ascii"))
    if not values:
        return ok("inotify", "this system has none, or no limits of it")
    needed = sum(1 for folder in folders for _ in os.walk(folder))
    allowed = values.get("max_user_watches", needed)
    if needed * 2 > allowed:
        return warn(
            "inotify",
            f"{counted(needed, 'folder')}, {allowed:,} watches for all programs together: sweeping instead",
            "sudo sysctl fs.inotify.max_user_watches=524288",
        )
    if values.get("max_user_instances", 128) < 16:  # noqa: PLR2004 - fewer than any desktop uses
        return warn(
            "inotify",
            f"only {values['max_user_instances']} instances for all programs together",
            "sudo sysctl fs.inotify.max_user_instances=256",
        )
    return ok("inotify", f"{counted(needed, 'folder')}, {allowed:,} watches allowed")


def network(folders: Iterable[Path], state: Path, mounts: str) -> Check:
    """`mounts` as /proc/self/mountinfo has it, empty where there is none."""
    table = _mounts(mounts)
    if _type(state, table) in NETWORK:
        return fail(
            "network folder",
            f"the state is on a network folder, where locks fail: {state}",
            "set PI_OPENSYNC_STATE_DIR to a local folder",
        )
    remote = [str(folder) for folder in folders if _type(folder, table) in NETWORK]
    if remote:
        return warn("network folder", f"no events from {', '.join(remote)}: it is swept every few seconds")
    return ok("network folder", "none")


def disk(state: Path, free: Callable[[Path], int]) -> Check:
    """`free` gives the bytes that the user may still write at a folder that is there."""
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    left = free(there)
    words = f"{size(left)} left at {there}"
    if left < NO_SPACE:
        return fail("disk", words, "free some space")
    return warn("disk", words, "free some space") if left < LITTLE_SPACE else ok("disk", words)


def writable(state: Path) -> Check:
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return fail("state folder", f"{there} can not be written", f"ls -ld '{there}'")
    return ok("state folder", str(state))


def database(folder: Path, name: str = "") -> tuple[Check, object]:
    """The state file's integrity; and what it knows of the server's batch, for `server.dates`.

    `name` is put before what is said where there are several.
    """
    try:
        opened = open_beside(folder)
        if opened is None:
            return ok("state", f"{name}nothing is kept yet"), None
        with closing(opened):
            return _looked_into(opened, folder, name)
    except ConfigurationError as error:
        return fail("state", f"{name}{error.message}", error.hint), None
    except (Damaged, StoreUnavailable):
        return _damaged(folder, name), None


def _looked_into(opened: StateDatabase, folder: Path, name: str) -> tuple[Check, object]:
    if not is_whole(opened):
        return _damaged(folder, name), None
    parked = withheld(opened)
    kept = opened.meta("batch_keeps_dates")
    if parked:
        return warn("state", f"{name}whole; {parked} messages are set aside", "pi-opensync queue list"), kept
    return ok("state", f"{name}whole"), kept


def _damaged(folder: Path, name: str) -> Check:
    return fail(
        "state",
        f"{name}{folder / FILE} is damaged; the transcripts have everything",
        "pi-opensync service restart: it is set aside and built again",
    )


def _mounts(text: str) -> dict[Path, str]:
    """Mount points with their file systems (proc(5), mountinfo)."""
    table: dict[Path, str] = {}
    for line in text.splitlines():
        fields = line.split()
        with suppress(ValueError, IndexError):
            separator = fields.index("-")
            point = fields[4].encode().decode("unicode_escape")
            table[Path(point)] = fields[separator + 1]
    return table


def _type(path: Path, table: dict[Path, str]) -> str:
    whole = path.resolve()
    return next((table[folder] for folder in (whole, *whole.parents) if folder in table), "")
