"""The repository that a project is a worktree of, as git notes it in a file `.git`: `gitdir: …/worktrees/…`.

See gitrepository-layout(5) and git-worktree(1).
"""

import os
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pi_opensync.files import read_regular

_BEGIN = "gitdir:"
_MOST_ABOVE = 40  # folders


@lru_cache(maxsize=1024)
def repository_of(project: str) -> str | None:
    """The working folder of the repository; None where the project is in no worktree beside it."""
    if not project.startswith("/"):
        return None
    for folder in [Path(project), *Path(project).parents][:_MOST_ABOVE]:
        try:
            if not os.path.lexists(folder / ".git"):
                continue
            noted = read_regular(folder / ".git").decode()
        except (OSError, ValueError):
            return None  # a folder: it is the repository itself
        return _repository_in(noted, folder)
    return None


def _repository_in(noted: str, folder: Path) -> str | None:
    if not noted.startswith(_BEGIN):
        return None
    place = PurePosixPath(os.path.normpath(folder / noted.removeprefix(_BEGIN).strip()))
    if place.parent.name != "worktrees":
        return None  # of a submodule
    common = place.parent.parent
    return str(common.parent if common.name == ".git" else common)
