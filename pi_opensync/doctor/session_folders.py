"""The session folders, and whether they are those that pi writes to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.pi import discover
from pi_opensync.texts import shown, shown_path

NAMED = 3  # of what can not be read


def roots(folders: tuple[Path, ...], listing: Sequence[discover.Item]) -> Check:
    missing = [shown(str(folder)) for folder in folders if not folder.is_dir()]
    if len(missing) == len(folders):
        return fail(
            "sessions",
            f"no such folder: {', '.join(missing)}",
            "run pi once, or set PI_OPENSYNC_SESSIONS_DIR",
        )
    count = sum(isinstance(item, discover.Found) for item in listing)
    there = ", ".join(shown(str(folder)) for folder in folders if folder.is_dir())
    if not count:
        return warn("sessions", f"none yet in {there}", "run pi once, or set PI_OPENSYNC_SESSIONS_DIR")
    return ok("sessions", f"{count} in {there}")


def unreadable(listing: Sequence[discover.Item]) -> Check:
    closed = [item for item in listing if isinstance(item, discover.Unreadable) and item.reason]
    closed = [item for item in closed if "No such file" not in item.reason]
    if not closed:
        return ok("readable", "everything in them")
    named = ", ".join(f"{shown_path(item.path)} ({item.reason})" for item in closed[:NAMED])
    first = shown_path(closed[0].path)
    return fail("readable", f"{len(closed)} can not be read: {named}", f"ls -ld '{first}'")


def pi_settings(folders: tuple[Path, ...], env: Mapping[str, str], working_directory: Path) -> Check:
    """Whether every folder that pi itself would write to is followed."""
    wanted = discover.roots((), env, working_directory)
    followed = [folder.resolve() for folder in folders]
    left_out = [
        folder
        for folder in wanted
        if folder.is_dir() and not any(folder.resolve().is_relative_to(root) for root in followed)
    ]
    if left_out:
        named = ", ".join(shown(str(folder)) for folder in left_out)
        return warn(
            "pi's settings",
            f"pi writes to {named} too, which is not followed",
            "add it to sessionsDir, or remove that setting",
        )
    return ok("pi's settings", f"pi writes to {', '.join(shown(str(folder)) for folder in wanted)}: followed")


def asked_by_projects(refused: Sequence[discover.Refused]) -> Check:
    """Whether a project's settings name a folder elsewhere, which is followed only if the user says so."""
    if not refused:
        return ok("projects", "none names a folder of sessions outside itself")
    named = "; ".join(f"{shown(str(one.folder))}, {shown(one.reason)}" for one in refused[:NAMED])
    return warn("projects", f"not followed: {named}", "if you want it followed, add it to trustedSessionDirs")
