"""The settings, and who can read the file that holds the key."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pi_opensync import configuration, settings
from pi_opensync.daemon import chosen as rules
from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.doctor.misspelt import said_of_unknown, unknown
from pi_opensync.errors import ConfigurationError
from pi_opensync.privacy import pauses as pausing
from pi_opensync.service import manager
from pi_opensync.settings import Settings


def readable(env: Mapping[str, str]) -> tuple[Check, Settings | None]:
    """The settings, if they can be understood."""
    path = configuration.file_in_use(env)
    try:
        chosen = settings.load(env)
        rules.policy(chosen)
        rules.cleaner(chosen)
    except ConfigurationError as error:
        return fail("configuration", error.message, error.hint), None
    return ok("configuration", str(path) if path.exists() else f"{path} does not exist"), chosen


def spelling(env: Mapping[str, str]) -> Check:
    """Settings that do not exist, and so are not heeded."""
    wrong = unknown(env)
    if not wrong:
        return ok("spelling", "every setting is one that exists")
    named = "; ".join(said_of_unknown(name, meant) for name, meant in wrong.items())
    return warn("spelling", named, "see docs/settings.md for the settings that there are")


def permissions(env: Mapping[str, str]) -> Check:
    path = configuration.file_in_use(env)
    try:
        mode = path.stat().st_mode
    except OSError:
        return ok("permissions", "there is no file to protect")
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return fail("permissions", f"others can read {path}", f"chmod 600 '{path}'")
    return ok("permissions", f"only you can read {path}")


def login(chosen: Settings, *, has_own: bool) -> Check:
    """Whether there is a server to send to; `has_own`: there is a dashboard of one's own, if nothing else."""
    if has_own and chosen.convex_url is None and chosen.api_key is None:
        return ok("login", "none, and none needed for your own dashboard")
    if chosen.convex_url is None and chosen.api_key is None:
        return fail("login", "there is no dashboard yet, OpenSync's or your own", "pi-opensync setup")
    try:
        chosen.require_server()
    except ConfigurationError as error:
        return fail("login", error.message, "pi-opensync login")
    return ok("login", f"{chosen.convex_url}, with a key")


def automatic(chosen: Settings, state: Path, now: float) -> Check:
    if not chosen.auto_sync:
        return warn("sending", "autoSync is off: only `sync` sends", "set autoSync to true")
    if pausing.asked(state, now) is not None:
        return warn("sending", "paused: nothing is sent", "pi-opensync resume")
    return ok("sending", "by itself")


def environment(env: Mapping[str, str], home: Path) -> Check:
    """Settings that this shell has and a service has not."""
    alone: dict[str, tuple[str, Any]] = manager.only_in_environment(env, home)
    if alone:
        return warn(
            "environment",
            f"a service does not see {', '.join(alone)}",
            "pi-opensync service install --write-settings",
        )
    return ok("environment", "no setting stands only in this shell")
