"""The service as a unit of the user's systemd."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pi_opensync.errors import writing
from pi_opensync.files import write_private
from pi_opensync.service.commands import NOT_FOUND, Completed, Run
from pi_opensync.service.removal import remove
from pi_opensync.service.state import NoUserSession, ServiceFailed, State
from pi_opensync.service.units import SYSTEMD_TEMPLATE, WATCH, Plan, systemd_unit, template, unit_interpreter

UNIT = "pi-opensync.service"
OLDEST = 235  # assumed where systemd does not tell its version
SHOWN = ("ActiveState", "SubState", "MainPID", "ExecMainStatus", "UnitFileState", "StatusText", "Result")
# systemd.exec, "Process exit codes": USER, CAPABILITIES and NAMESPACE, what a refused user namespace gives
NO_NAMESPACES = frozenset({"217", "218", "226"})


class Systemd:
    name = "systemd"

    def __init__(self, run: Run, home: Path, env: Mapping[str, str]) -> None:
        self._run = run
        self._config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
        self.path = self._config / "systemd" / "user" / UNIT
        self.notes: list[str] = []

    def render(self, plan: Plan, *, namespaces: bool = True) -> str:
        return systemd_unit(template(SYSTEMD_TEMPLATE), plan, version=self._version(), namespaces=namespaces)

    def require(self, plan: Plan) -> None:
        """Raise `NoUserSession` where no systemd runs for this user."""
        done = self._run(["systemctl", "--user", "show-environment"])
        if not done.ok:
            raise NoUserSession(_why(done), hint=_how_to_go_on(plan, done))

    def install(self, plan: Plan) -> None:
        """Write the unit, enable it and start it, or start it anew after an upgrade.

        Raises `ServiceFailed` where it does not start. Where the kernel gives users no namespaces it is
        installed without what needs them, and `notes` says so.
        """
        self._write(self.render(plan))
        self._ask("daemon-reload")
        self._ask("enable", UNIT)
        done = self._run(["systemctl", "--user", "restart", UNIT])
        if not done.ok and self._show().get("ExecMainStatus") in NO_NAMESPACES:
            self.notes.append("this kernel gives users no namespaces: the service runs with less protection")
            self._write(self.render(plan, namespaces=False))
            self._ask("daemon-reload")
            done = self._run(["systemctl", "--user", "restart", UNIT])
        if not done.ok:
            raise self._failed("it does not start", done)

    def _write(self, text: str) -> None:
        with writing(self.path):
            write_private(self.path, text)

    def uninstall(self) -> bool:
        """Stop it and take it away; whether there was anything."""
        if self.path.exists():
            self._run(["systemctl", "--user", "disable", "--now", UNIT])
        wanted = self.path.parent / "default.target.wants" / UNIT
        remove(wanted, self._config)
        found = remove(self.path, self._config)
        if found:
            self._run(["systemctl", "--user", "daemon-reload"])
            self._run(["systemctl", "--user", "reset-failed", UNIT])
        return found

    def start(self) -> None:
        self._ask("start", UNIT)

    def stop(self) -> None:
        self._ask("stop", UNIT)

    def restart(self) -> None:
        self._ask("restart", UNIT)

    def state(self) -> State:
        if not self.path.exists():
            return State(installed=False)
        shown = self._show()
        pid = shown.get("MainPID", "0")
        running = shown.get("ActiveState") in ("active", "reloading")
        words = [f"{shown.get('ActiveState', 'unknown')} ({shown.get('SubState', 'unknown')})"]
        words += [shown["StatusText"]] if running and shown.get("StatusText") else []
        if shown.get("ActiveState") == "failed":
            words.append(f"{shown.get('Result', '?')}, exit code {shown.get('ExecMainStatus', '?')}")
        return State(
            installed=True,
            running=running,
            comes_back=shown.get("SubState") == "auto-restart",
            starts_by_itself=shown.get("UnitFileState") == "enabled",
            pid=int(pid) if pid.isdigit() and pid != "0" else None,
            detail=", ".join(words),
            interpreter=unit_interpreter(self.path.read_text(encoding="utf-8", errors="replace")),
        )

    def logs_command(self, *, follow: bool) -> list[str]:
        command = ["journalctl", "--quiet", "--user-unit", UNIT, "--output", "short-iso", "--no-hostname"]
        command += ["--lines", "200"]
        return [*command, "--follow"] if follow else [*command, "--no-pager"]

    def logs_hint(self) -> str:
        """A journal that is kept in memory alone is not split by user."""
        return (
            f"where your own lines are not yours to read: `sudo journalctl --user-unit {UNIT}`, or join "
            f"the group: `sudo usermod -aG systemd-journal {os.environ.get('USER', '$USER')}`"
        )

    def _version(self) -> int:
        found = re.match(r"systemd (\d+)", self._run(["systemctl", "--version"]).out)
        return int(found[1]) if found else OLDEST

    def _show(self) -> dict[str, str]:
        done = self._run(["systemctl", "--user", "show", UNIT, f"--property={','.join(SHOWN)}"])
        pairs = (line.partition("=") for line in done.out.splitlines())
        return {name: value for name, _, value in pairs}

    def _ask(self, *words: str) -> None:
        done = self._run(["systemctl", "--user", *words])
        if not done.ok:
            raise self._failed(f"systemctl --user {' '.join(words)}", done)

    def _failed(self, what: str, done: Completed) -> ServiceFailed:
        said = done.err.strip().splitlines()
        reason = said[0] if said else f"exit code {done.code}"
        return ServiceFailed(f"{what}: {reason}", hint="see `pi-opensync service logs`")


def _why(done: Completed) -> str:
    if done.code == NOT_FOUND:
        return "there is no systemd here"
    return "no systemd runs for this user: there is no session bus"


def _how_to_go_on(plan: Plan, done: Completed) -> str:
    ways = [
        f"in a container, make this its command: {plan.interpreter} -m pi_opensync {' '.join(plan.command)}"
    ]
    if plan.command == WATCH:
        ways.append(
            f"with cron, every five minutes: */5 * * * * {plan.interpreter} -m pi_opensync watch --once"
        )
    if done.code != NOT_FOUND:
        user = os.environ.get("USER", "$USER")
        ways.insert(
            0,
            f"on a server: `sudo loginctl enable-linger {user}`, log in anew (ssh, not su or sudo), and "
            "run this again",
        )
    return "\n  ".join(ways)
