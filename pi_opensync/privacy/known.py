"""What is remembered of excluded projects: one that can not be seen any more stays excluded.

Kept in a file of the state folder and not in a dashboard's own state, so that it holds for every dashboard,
and also where a state was lost.
"""

import json
from dataclasses import asdict
from pathlib import Path

from pi_opensync.files import write_private
from pi_opensync.privacy.projects import Exclusion
from pi_opensync.sqlite import StoreUnavailable

FILE = "exclusions.json"


class KnownExclusions:
    """Exclusions by the projects' folders, as those may be kept. `path` None: in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._known: dict[str, Exclusion] = {}

    def of(self, project: str) -> Exclusion | None:
        """What is known of the project, or of a folder above it that held a marker.

        Raises `StoreUnavailable` where the file can not be read: not knowing is never permission.
        """
        self._refresh()
        found = self._known.get(project)
        if found is not None:
            return found
        above = (one for one in self._known.values() if _is_below(project, one))
        return next(above, None)

    def remember(self, project: str, exclusion: Exclusion) -> None:
        """Raises `StoreUnavailable` where it can not be written down."""
        self._refresh()
        if self._known.get(project) != exclusion:
            self._known[project] = exclusion
            self._write()

    def forget(self, project: str) -> None:
        """Raises as `remember`."""
        self._refresh()
        if self._known.pop(project, None) is not None:
            self._write()

    def _refresh(self) -> None:
        """Read the file again where another process has changed it."""
        if self._path is None:
            return
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unavailable(self._path, error.strerror or "unreadable") from None
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp == self._read_at:
            return
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self._known = {
                project: Exclusion(**{**value, "folder": _identity(value.get("folder"))})
                for project, value in stored.items()
            }
        except OSError as error:
            raise _unavailable(self._path, error.strerror or "unreadable") from None
        except (ValueError, TypeError, AttributeError):
            raise _unavailable(self._path, "it is damaged") from None
        self._read_at = stamp

    def _write(self) -> None:
        if self._path is None:
            return
        text = json.dumps({project: asdict(one) for project, one in sorted(self._known.items())}, indent=1)
        try:
            write_private(self._path, text, durable=True)
            status = self._path.stat()
        except OSError as error:
            raise _unavailable(self._path, error.strerror or "it can not be written") from None
        self._read_at = (status.st_mtime_ns, status.st_ino)


def _identity(value: object) -> tuple[int, int] | None:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, int) for one in value):  # noqa: PLR2004 - device, inode
        return value[0], value[1]
    return None


def _is_below(project: str, exclusion: Exclusion) -> bool:
    if exclusion.by != "marker" or exclusion.what is None:
        return False
    return project.startswith(exclusion.what.rpartition("/")[0].rstrip("/") + "/")


def _unavailable(path: Path, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"which folders are excluded can not be looked up in {path}: {reason}",
        hint="nothing is sent meanwhile; mend the file, or delete it to forget what was excluded by markers",
    )
