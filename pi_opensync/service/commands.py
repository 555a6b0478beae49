"""Commands of the system, run where they are and missed politely where they are not."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NOT_FOUND = 127
TOO_LONG = 124
WITHIN = 20 * 60.0  # seconds; a service that is started may take its first sweep's time


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended; 127 where there is none of that name."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0


Run = Callable[[Sequence[str]], Completed]


def run(command: Sequence[str]) -> Completed:
    """Run it and wait for its end, without a terminal."""
    try:
        done = subprocess.run(  # noqa: S603 - every caller passes a fixed command of the system
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=WITHIN,
        )
    except FileNotFoundError:
        return Completed(NOT_FOUND, err=f"{command[0]}: not found")
    except PermissionError:
        return Completed(NOT_FOUND, err=f"{command[0]}: may not be run")
    except subprocess.TimeoutExpired:
        return Completed(TOO_LONG, err=f"{command[0]}: took too long")
    return Completed(done.returncode, done.stdout, done.stderr)
