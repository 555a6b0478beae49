"""A pause that the user asked for: nothing is sent until it ends, also across restarts."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.errors import cannot_keep_state
from pi_opensync.files import read_regular, require_private_folder, write_private

FILE = "paused.json"


@dataclass(frozen=True, slots=True)
class PauseAsked:
    """`until` in seconds since the epoch; None until the user resumes."""

    until: float | None


def pause(folder: Path, until: float | None) -> None:
    """Raises `ConfigurationError` where the state folder can not be written."""
    try:
        require_private_folder(folder)
        write_private(folder / FILE, json.dumps({"until": until}))
    except OSError as error:
        raise cannot_keep_state(folder, error) from None


def resume(folder: Path) -> bool:
    """End the pause; returns whether there was one."""
    try:
        (folder / FILE).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise cannot_keep_state(folder, error) from None
    return True


def asked(folder: Path, now: float) -> PauseAsked | None:
    """The pause that holds now. A file that can not be understood pauses: it was put there to."""
    try:
        text = read_regular(folder / FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return PauseAsked(None)
    until: object = None
    with suppress(ValueError, AttributeError, RecursionError):
        until = json.loads(text).get("until")
    if isinstance(until, int | float) and not isinstance(until, bool):
        return PauseAsked(float(until)) if now < until else None
    return PauseAsked(None)
