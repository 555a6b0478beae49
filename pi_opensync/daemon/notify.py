"""Notices on the desktop and through the user's own command, beside the run and never in its way."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pi_opensync import logbook
from pi_opensync.configuration import ENV_PREFIX
from pi_opensync.daemon import notices
from pi_opensync.daemon.notices import LOOK, Look, Notice

WITHIN = 10.0  # seconds that a command may take
_TITLE = "pi-opensync"
_APPLESCRIPT = f'on run argv\ndisplay notification (item 1 of argv) with title "{_TITLE}"\nend run'


async def attend(
    look: Callable[[], Awaitable[Look]],
    show: Callable[[Notice], Awaitable[None]],
    folder: Path,
    *,
    dashboard: str,
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look once a minute and show what is due, for ever; what was told stands in `folder`."""
    stuck, last = 0.0, None
    told: dict[str, float] = {}
    while True:
        await rest(LOOK)
        now = await look()
        stuck, last = notices.stuck_for(stuck, last, now), now
        told |= notices.told(folder)
        for notice in notices.due(now, stuck, told, dashboard=dashboard):
            told[notice.key] = now.at
            notices.tell(folder, told, now.at)
            await show(notice)


class Messenger:
    """Shows notices; a command that fails or hangs costs a log line."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        platform: str = sys.platform,
        within: float = WITHIN,
    ) -> None:
        """`command` is the user's own, and may be empty; it hears the text as its last argument."""
        self._command = command
        self._env = env
        self._platform = platform
        self._within = within

    async def show(self, notice: Notice) -> None:
        for arguments in self.commands(notice.text):
            reason = await self._run(arguments, notice.kind)
            if reason is not None:  # its name alone: what follows may be a secret
                logbook.get().warning("a notice was not shown", program=arguments[0], reason=reason)

    def commands(self, text: str) -> Iterator[list[str]]:
        if self._command:
            yield [*self._command, text]
        path = self._env.get("PATH")
        if self._platform == "darwin":
            if osascript := shutil.which("osascript", path=path):
                yield [osascript, "-e", _APPLESCRIPT, text]
        elif self._has_desktop() and (program := shutil.which("notify-send", path=path)):
            yield [program, f"--app-name={_TITLE}", _TITLE, text]

    def _has_desktop(self) -> bool:
        run = self._env.get("XDG_RUNTIME_DIR")
        return "DBUS_SESSION_BUS_ADDRESS" in self._env or (run is not None and Path(run, "bus").exists())

    async def _run(self, arguments: Sequence[str], kind: str) -> str | None:
        """Why it failed; None where it did not."""
        env = {name: value for name, value in self._env.items() if not name.startswith(ENV_PREFIX)}
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=env | {"NOTICE_KIND": kind},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return error.strerror or type(error).__name__ if isinstance(error, OSError) else "not a command"
        try:
            async with asyncio.timeout(self._within):
                status = await process.wait()
        except TimeoutError:
            return f"it took longer than {self._within:.0f} s"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        return None if status == 0 else f"exit code {status}"
