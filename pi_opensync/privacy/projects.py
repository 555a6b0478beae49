"""Which projects may leave this machine at all.

Not knowing is never permission: what was excluded stays until its folder is seen without what excluded it,
and a folder that can not be looked at stays.
"""

import errno
import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal

from pi_opensync.errors import ConfigurationError
from pi_opensync.files import Identity
from pi_opensync.privacy.spelling import Pattern, absolute, escaped, has_glob, is_path, is_within, spelled

LONGEST_PATH = 4096  # characters; the system opens no longer one
HIDDEN_HOME = "[REDACTED:home]"  # what stands for the home folder in a path that is kept
MARKER = ".no-opensync"
REMEMBERED = 256  # folders; each is asked for before every request
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


class Disk:
    """The looks at the file system that a judgement takes. Each raises OSError, but not for a path that
    leads nowhere.
    """

    def resolve(self, path: str) -> tuple[str, bool]:
        """The path without symbolic links, as far as it is there, and whether all of it is."""
        try:
            return os.path.realpath(path, strict=True), True
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return os.path.realpath(path), False

    def identity(self, path: str) -> Identity | None:
        """Of what stands at the path itself, also where that is a link; None for nothing."""
        try:
            status = os.lstat(path)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return None
        return status.st_dev, status.st_ino

    def is_empty(self, folder: str) -> bool:
        with os.scandir(folder) as entries:
            return next(entries, None) is None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is to be remembered of an exclusion, to be given to the next judgement of the same project.

    `by` is "setting" with the pattern as `what` (None: include names others), "marker" with its path and
    the identity of the folder that holds it, or "sight": the folder could not be looked at.
    """

    reason: str
    by: Literal["setting", "marker", "sight"]
    what: str | None = None
    folder: Identity | None = None


@dataclass(frozen=True, slots=True)
class MayLeave:
    reason: None = None


@dataclass(frozen=True, slots=True)
class Stays:
    """It is excluded, by a setting or by a marker that is there."""

    exclusion: Exclusion

    @property
    def reason(self) -> str:
        return self.exclusion.reason


@dataclass(frozen=True, slots=True)
class Unseen:
    """It stays because nobody can say that it may leave. `exclusion` is to be remembered as it is."""

    reason: str
    exclusion: Exclusion


Judgement = MayLeave | Stays | Unseen
MAY_LEAVE = MayLeave()


@dataclass(frozen=True, slots=True)
class _Sight:
    """What could be seen of a folder: where it really is, the marker on the way up, what stood in the way."""

    places: tuple[str, ...] = ()  # the paths that lead to it, links resolved
    is_there: bool = False
    trouble: str | None = None
    marker: str | None = None


class Projects:
    """Globs on the project's folder, as in a .gitignore, and a marker file in it or above it.

    `~` stands for the home folder. A pattern that matches a folder covers all below it. With `include`
    only what it matches may leave; `exclude` and the marker win. Compared are the folder as it is written
    and the folder that it leads to, with the pattern as it is written and the folder that it leads to.
    """

    def __init__(
        self,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        home: str = "",
        disk: Disk | None = None,
    ) -> None:
        """Raises `ConfigurationError` for a pattern that can not match any folder."""
        self._include = [Pattern.of(text, home) for text in include]
        self._exclude = [Pattern.of(text, home) for text in exclude]
        self._home = home
        self._disk = disk or Disk()

    def reason(self, project: str | None) -> str | None:
        """Why the project stays here, where nothing is known of it yet; None where it may leave."""
        return self.judge(project).reason

    def judge(self, cwd: str | None, *, known: Exclusion | None = None) -> Judgement:
        """Whether the sessions of the folder `cwd` may leave; `known` is what held them here before."""
        if cwd is None:
            return Stays(_NO_PROJECT) if self._include else MAY_LEAVE
        cwd = cwd.replace(HIDDEN_HOME, self._home)
        sight = self._look(cwd)
        names = tuple(dict.fromkeys(spelled(path) for path in (cwd, *sight.places)))
        for pattern in self._exclude:
            if self._covers(pattern, names):
                return Stays(Exclusion(f'excluded by "{pattern.text}"', "setting", pattern.text))
        if self._include and not any(self._covers(pattern, names) for pattern in self._include):
            return Stays(_NOT_INCLUDED)
        if sight.marker is not None:
            folder = self._place(_parent(sight.marker))
            marker = f"{folder.rstrip('/')}/{MARKER}"
            reason = f"excluded by {sight.marker}"
            return Stays(Exclusion(reason, "marker", marker, self._identity(folder)))
        if known is not None and known.by == "setting" and self._excluding(known.what) is None:
            known = None
        if sight.trouble is not None:
            reason = f"excluded while its folder can not be looked at ({sight.trouble})"
            return Unseen(reason, known or Exclusion(reason, "sight"))
        return MAY_LEAVE if known is None else self._still(known, sight)

    def _still(self, known: Exclusion, sight: _Sight) -> Judgement:
        """The judgement where nothing that can be seen now says what was known before."""
        if not sight.is_there:
            return Unseen(f"{known.reason}, and its folder is not there to be looked at", known)
        if known.by == "setting":
            pattern = self._excluding(known.what)
            if pattern is not None and pattern.prefix is not None and not self._leads(pattern.prefix):
                return Unseen(f"{known.reason}, which leads nowhere now", known)
        if known.by == "marker" and known.what is not None:
            marker = known.what.replace(HIDDEN_HOME, self._home)
            if self._identity(marker):
                return Stays(known)
            folder = _parent(marker)
            if known.folder not in (None, self._identity(folder)) and self._is_empty(folder):
                return Unseen(f"{known.reason}; an empty folder stands in its place now", known)
        return MAY_LEAVE

    def _excluding(self, text: str | None) -> Pattern | None:
        return next((pattern for pattern in self._exclude if pattern.text == text), None)

    def _covers(self, pattern: Pattern, names: Sequence[str]) -> bool:
        if any(pattern.matches(name) for name in names):
            return True
        if pattern.prefix is None:
            return False
        try:
            place, _is_there = self._disk.resolve(pattern.prefix)
        except (OSError, ValueError):
            return False
        if spelled(place) == spelled(pattern.prefix):
            return False
        leading_there = pattern.below(place)
        return any(leading_there.matches(name) for name in names)

    def _look(self, cwd: str) -> _Sight:
        """Look at the folder, however its name is composed, and for a marker in it and above it."""
        if not cwd.startswith("/") or "\0" in cwd or len(cwd) > LONGEST_PATH:
            return _Sight()
        spellings = _spellings(cwd)
        places: dict[str, None] = {}
        is_there, trouble, marker = False, None, None
        for path in spellings:
            try:
                place, whole = self._disk.resolve(path)
            except ValueError:
                continue  # no path of this system
            except OSError as error:
                trouble = error.strerror or type(error).__name__
                continue
            places[place] = None
            is_there = is_there or whole
        for candidate in _markers((*spellings, *places)):
            try:
                if self._disk.identity(candidate) is not None:
                    marker = candidate
                    break
            except ValueError:
                continue
            except OSError as error:
                trouble = error.strerror or type(error).__name__
        return _Sight(tuple(places), is_there, trouble, marker)

    def _place(self, path: str) -> str:
        """Where links lead from the path."""
        try:
            return self._disk.resolve(path)[0]
        except (OSError, ValueError):
            return path

    def _identity(self, path: str) -> Identity | None:
        try:
            return self._disk.identity(path)
        except (OSError, ValueError):
            return None

    def _leads(self, path: str) -> bool:
        try:
            return self._disk.resolve(path)[1]
        except (OSError, ValueError):
            return False

    def _is_empty(self, folder: str) -> bool:
        try:
            return self._disk.is_empty(folder)
        except OSError:
            return True


_NO_PROJECT = Exclusion("excluded: it has no project, and include names projects", "setting")
_NOT_INCLUDED = Exclusion("excluded: not among the projects of include", "setting")


def is_in(cwd: str | None, folder: str, *, disk: Disk | None = None) -> bool:
    """Whether a project is the folder or below it, by its own path or by the one that it leads to.

    `folder` is absolute.
    """
    if cwd is None:
        return False
    places = [_places(path, disk or Disk()) for path in (cwd, folder)]
    return any(is_within(spelled(own), spelled(named)) for own in places[0] for named in places[1])


def pattern_for(text: str, *, here: str, home: str, disk: Disk | None = None) -> str:
    """The pattern that a user means who names a folder or a glob in the folder `here`.

    What holds no glob and is a path, or an existing folder that it would not match as it stands, becomes
    that folder. Raises `ConfigurationError` for what can match no folder, or not the folder that it names.
    """
    folder = absolute(text, here=here, home=home)
    if not text.strip() or (not os.path.isdir(folder) and (not is_path(text) or has_glob(text))):  # noqa: PTH112
        return Pattern.of(text, home).text
    for pattern in (text, escaped("/" + spelled(folder))):
        with suppress(ConfigurationError):
            if Projects(exclude=[pattern], home=home, disk=disk).reason(folder) is not None:
                return pattern
    raise ConfigurationError(
        f'"{text}" does not match the folder that it names',
        hint="use one such as ~/work/client or **/secret-*",
    )


def _places(path: str, disk: Disk) -> tuple[str, ...]:
    """The path, and where it leads."""
    try:
        return path, disk.resolve(path)[0] if path.startswith("/") else path
    except (OSError, ValueError):
        return (path,)


def _spellings(cwd: str) -> tuple[str, ...]:
    """The path as it is, and with its letters composed and decomposed."""
    if cwd.isascii():
        return (cwd,)
    return tuple(dict.fromkeys((cwd, unicodedata.normalize("NFC", cwd), unicodedata.normalize("NFD", cwd))))


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


@lru_cache(maxsize=REMEMBERED)
def _markers(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Where a marker can stand that covers the folder: in it and in each above it, the nearest first."""
    found: dict[str, None] = {}
    for path in paths:
        place = str(PurePosixPath(path))
        while (marker := f"{place.rstrip('/')}/{MARKER}") not in found:
            found[marker] = None
            place = _parent(place)
    return tuple(found)
