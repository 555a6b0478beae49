"""The service as an agent of the user's launchd."""

import re
from collections.abc import Mapping
from pathlib import Path

from pi_opensync.errors import writing
from pi_opensync.files import write_private
from pi_opensync.service.commands import NOT_FOUND, Completed, Run
from pi_opensync.service.removal import remove, remove_empty
from pi_opensync.service.state import NoUserSession, ServiceFailed, State
from pi_opensync.service.units import (
    LABEL,
    LAUNCHD_TEMPLATE,
    LOG_FILE,
    Plan,
    launchd_plist,
    plist_interpreter,
    template,
)


class Launchd:
    name = "launchd"

    def __init__(self, run: Run, home: Path, env: Mapping[str, str], *, uid: int) -> None:
        del env
        self._run = run
        self._home = home
        self._domain = f"gui/{uid}"
        self._target = f"{self._domain}/{LABEL}"
        self.path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self.logs = home / "Library" / "Logs" / "pi-opensync"
        self.notes: list[str] = []

    def render(self, plan: Plan) -> str:
        return launchd_plist(template(LAUNCHD_TEMPLATE), plan).decode()

    def require(self, plan: Plan) -> None:
        """Raise `NoUserSession` where launchd runs no session of this user."""
        done = self._run(["launchctl", "print", self._domain])
        if not done.ok:
            raise NoUserSession(
                "there is no launchd here"
                if done.code == NOT_FOUND
                else "launchd runs no session of this user",
                hint="log in at the screen and run this again, or use cron, every five minutes:\n  "
                f"*/5 * * * * {plan.interpreter} -m pi_opensync watch --once",
            )

    def install(self, plan: Plan) -> None:
        """Write the plist and start it, or start it anew. Raises `ServiceFailed`."""
        plan.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write(self.render(plan))
        self.restart()

    def _write(self, text: str) -> None:
        with writing(self.path):
            write_private(self.path, text)

    def uninstall(self) -> bool:
        """Stop it and take it away, its logs too; whether there was anything."""
        if self.path.exists():
            self._run(["launchctl", "bootout", self._target])
        for log in (*self.logs.glob(f"{LOG_FILE}*"), self.logs / "launchd.log"):
            remove(log, self.logs)
        remove_empty(self.logs, self._home / "Library")
        return remove(self.path, self._home)

    def start(self) -> None:
        """Load it, which also runs it; an agent that is loaded is only told to run."""
        if self._is_loaded():
            self._ask("kickstart", self._target)
            return
        self._ask("enable", self._target)
        self._ask("bootstrap", self._domain, str(self.path))

    def stop(self) -> None:
        """Unload it: a loaded agent would be run again."""
        if self._is_loaded():
            self._ask("bootout", self._target)

    def restart(self) -> None:
        self.stop()
        self.start()

    def state(self) -> State:
        if not self.path.exists():
            return State(installed=False)
        done = self._run(["launchctl", "print", self._target])
        pid = re.search(r"^\s*pid = (\d+)", done.out, re.MULTILINE)
        said = re.search(r"^\s*state = (.+)", done.out, re.MULTILINE)
        last = re.search(r"^\s*last exit code = (\d+)", done.out, re.MULTILINE)
        detail = said[1].strip() if said else "not loaded"
        if pid is None and last is not None:
            detail += f", last exit code {last[1]}"
        return State(
            installed=True,
            running=pid is not None,
            starts_by_itself=done.ok,
            pid=int(pid[1]) if pid else None,
            detail=detail,
            interpreter=plist_interpreter(self.path.read_bytes()),
        )

    def logs_command(self, *, follow: bool) -> list[str]:
        command = ["tail", "-n", "200"]
        return [*command, *(["-F"] if follow else []), str(self.logs / LOG_FILE)]

    def logs_hint(self) -> str:
        return f"its file of lines is {self.logs / LOG_FILE}"

    def _is_loaded(self) -> bool:
        return self._run(["launchctl", "print", self._target]).ok

    def _ask(self, *words: str) -> None:
        done = self._run(["launchctl", *words])
        if not done.ok:
            raise self._failed(" ".join(words), done)

    def _failed(self, what: str, done: Completed) -> ServiceFailed:
        said = done.err.strip().splitlines()
        reason = said[0] if said else f"exit code {done.code}"
        return ServiceFailed(f"launchctl {what}: {reason}", hint="see `pi-opensync service logs`")
