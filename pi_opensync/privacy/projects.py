"""Which projects may leave this machine at all."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from pathspec import PathSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from pi_opensync.errors import ConfigurationError

LONGEST_PATH = 4096  # characters; the system opens no longer one
HIDDEN_HOME = "[REDACTED:home]"  # what stands for the home folder in a path that is kept
MARKER = ".no-opensync"
_GLOB = re.compile(r"[*?\[\\]")


class Policy:
    """Globs on the project's folder, as in a .gitignore, and a marker file in it or above it.

    `~` stands for the home folder. A pattern that matches a folder covers all below it. With `include`
    only what it matches may leave; `exclude` and the marker win.
    """

    def __init__(
        self,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        home: str = "",
        exists: Callable[[str], bool] = os.path.lexists,
    ) -> None:
        self._include = [(pattern, _spec(pattern, home)) for pattern in include]
        self._exclude = [(pattern, _spec(pattern, home)) for pattern in exclude]
        self._exists = exists
        self._home = home

    def reason(self, project: str | None) -> str | None:
        """Why the project stays here; None where it may leave."""
        if project is None:
            return "it has no project, and include names projects" if self._include else None
        project = project.replace(HIDDEN_HOME, self._home)
        path = project.replace("\\", "/").strip("/") + "/"
        for pattern, spec in self._exclude:
            if spec.match_file(path):
                return f'excluded by "{pattern}"'
        if self._include and not any(spec.match_file(path) for _pattern, spec in self._include):
            return "not among the projects of include"
        marker = self._marker(project)
        return f"excluded by {marker}" if marker is not None else None

    def _marker(self, project: str) -> str | None:
        folder = PurePosixPath(project)
        if not folder.is_absolute() or "\0" in project or len(project) > LONGEST_PATH:
            return None
        candidates = (str(place / MARKER) for place in (folder, *folder.parents))
        return next((candidate for candidate in candidates if self._exists(candidate)), None)


def pattern_for(text: str, *, here: str, home: str) -> str:
    """The pattern that a user means who names a folder or a glob in the folder `here`.

    What holds no glob and is a path, or an existing folder that it would not match as it stands, becomes
    that folder. Raises `ConfigurationError` for what can not match any folder.
    """
    expanded = home + text[1:] if text == "~" or text.startswith("~/") else text
    folder = os.path.normpath(os.path.join(here, expanded))  # noqa: PTH118 - pure, of strings
    is_path = "/" in text.rstrip("/") or text.rstrip("/") in (".", "..")
    if text and (os.path.isdir(folder) or (is_path and not _GLOB.search(text))):  # noqa: PTH112
        if _matches(text, folder, home):
            return text
        folder = folder.replace("\\", "/")  # as `reason` takes it
        return "".join("\\" + c if c in "\\*?[]!#" else c for c in folder.rstrip()) + "\\ " * (
            len(folder) - len(folder.rstrip())
        )
    if not text.strip() or text[0] in "!#":
        raise ConfigurationError(
            f'"{text}" matches no folder', hint="use one such as ~/work/client or **/secret-*"
        )
    _spec(text, home)
    return text


def _matches(pattern: str, folder: str, home: str) -> bool:
    try:
        return Policy(exclude=[pattern], home=home, exists=lambda _path: False).reason(folder) is not None
    except ConfigurationError:
        return False


def _spec(pattern: str, home: str) -> PathSpec[GitIgnoreSpecPattern]:
    expanded = home + pattern[1:] if pattern == "~" or pattern.startswith("~/") else pattern
    try:
        return PathSpec([GitIgnoreSpecPattern(expanded)])
    except ValueError:
        raise ConfigurationError(
            f'"{pattern}" is not a pattern', hint="use one such as ~/work/client or **/secret-*"
        ) from None
