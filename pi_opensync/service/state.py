"""How a service is."""

from dataclasses import dataclass
from pathlib import Path

from pi_opensync.errors import PiOpensyncError


@dataclass(frozen=True, slots=True)
class State:
    """How the manager says it is, `detail` in its own words.

    `comes_back`: it does not run, and is started again by itself. `interpreter` is the Python that the
    installed service runs.
    """

    installed: bool
    running: bool = False
    comes_back: bool = False
    starts_by_itself: bool = False
    pid: int | None = None
    detail: str = ""
    interpreter: Path | None = None


class ServiceFailed(PiOpensyncError):  # noqa: N818 - named for what the user is told
    """The manager of services did not do what it was asked."""


class NoUserSession(PiOpensyncError):  # noqa: N818 - named for what the user is told
    """Nobody here runs services for this user; the hint says how to go on."""
