"""What is remembered of excluded projects: one that can not be seen any more stays excluded.

Kept in a file of the state folder and not in a dashboard's own state, so that it holds for every dashboard,
and also where a state was lost.
"""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pi_opensync.files import append_private, read_regular, write_private
from pi_opensync.privacy.projects import Exclusion
from pi_opensync.sqlite import StoreUnavailable

FILE = "exclusions.json"
FILES = "excluded-files.jsonl"  # a line a file, added at the end; beside the other


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
        except (FileNotFoundError, NotADirectoryError):
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


class ExcludedFiles:
    """The names of transcripts that hold sessions of excluded projects, each with its project's folder.

    What was forked from one that is gone is known by its name. `path` None: in memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._read_to = 0
        self._projects: dict[str, str] = {}

    def project(self, name: str) -> str | None:
        """The folder of the project that the file of that name belongs to. Raises `StoreUnavailable`."""
        self._refresh()
        return self._projects.get(name)

    def remember(self, name: str, project: str) -> None:
        """Raises `StoreUnavailable` where it can not be written down."""
        self._refresh()
        if self._projects.get(name) == project:
            return
        self._projects[name] = project
        if self._path is not None:
            try:
                append_private(self._path, json.dumps([name, project]) + "\n")
            except OSError as error:
                raise _unavailable(self._path, error.strerror or "it can not be written") from None

    def _refresh(self) -> None:
        """Read on where another process has added something; a line that is not whole yet is left."""
        if self._path is None:
            return
        try:
            if self._path.stat().st_size == self._read_to:
                return
            data = read_regular(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _unavailable(self._path, error.strerror or "unreadable") from None
        for line in data[: data.rfind(b"\n") + 1].splitlines():
            with suppress(ValueError, TypeError):
                name, project = json.loads(line)
                self._projects[name] = project
        self._read_to = len(data)


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
        hint="nothing is sent meanwhile; fix the file, or delete it to forget what was excluded by markers",
    )
