"""The service, and whether what runs is what is installed."""

import os

from pi_opensync.daemon.lock import Holder
from pi_opensync.daemon.pulse import STILL_AFTER, Pulse
from pi_opensync.doctor.check import Check, fail, ok, warn
from pi_opensync.service.commands import Run
from pi_opensync.service.state import State


def service(state: State, holder: Holder | None, *, is_own: bool = False, is_any: bool = True) -> Check:
    """`is_own`: there is a dashboard of one's own and no other; `is_any`: there is one at all."""
    install = f"pi-opensync service install{' --local' if is_own else ''}" if is_any else "pi-opensync setup"
    if not state.installed:
        if holder is not None:
            return ok("service", f"none; `{holder.command}` runs by hand")
        alone = "your dashboard is not kept up to date" if is_own else "nothing is sent"
        return warn("service", f"not installed: {alone} by itself", install)
    if not state.running:
        return fail("service", f"installed, {state.detail}", "pi-opensync service start")
    if not state.starts_by_itself:
        return warn("service", "runs, but will not start with your login", install)
    return ok("service", state.detail)


def interpreter(state: State, run: Run) -> Check:
    """Whether the Python that the service was installed with is there and has the package."""
    path = state.interpreter
    if not state.installed:
        return ok("interpreter", "no service has one")
    if path is None:
        return fail("interpreter", "the service's file is not one of ours", "pi-opensync service install")
    if not path.exists() or not os.access(path, os.X_OK):
        return fail("interpreter", f"{path} is gone", "pi-opensync service install")
    if not run([str(path), "-c", "import pi_opensync"]).ok:
        return fail("interpreter", f"{path} does not have pi-opensync", "pi-opensync service install")
    return ok("interpreter", str(path))


def version(holder: Holder | None, installed: str, name: str = "") -> Check:
    """`name` is put before what is said where there are several dashboards."""
    if holder is None:
        return ok("version", f"{name}{installed}; nothing runs")
    if holder.version != installed:
        return warn(
            "version",
            f"{name}{installed} is installed, and {holder.version} still runs (process {holder.pid})",
            "pi-opensync service restart",
        )
    return ok("version", f"{name}{installed}, installed and running")


def moving(holder: Holder | None, pulse: Pulse | None, now: float, name: str = "") -> Check:
    if holder is None or pulse is None or pulse.pid != holder.pid:
        return ok("progress", name + ("nothing runs" if holder is None else "no sweep yet"))
    still = now - pulse.at
    if still > STILL_AFTER:
        return fail("progress", f"{name}no sign of life for {still:.0f} s", "pi-opensync service restart")
    return ok("progress", f"{name}by {pulse.watching}")
