"""One spelling for the path of a folder, however it was written, and for the patterns that name folders.

Paths come from transcripts of any system, from command lines and from settings. Compared are Unicode in
form C, `/` between names, no empty name, `.` or `..`, and a drive's letter as a capital; otherwise upper
and lower case stay as they are.
"""

import posixpath
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pathspec import PathSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from pi_opensync.errors import ConfigurationError

_OF_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\[^\\]")  # a drive, or a share
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_SPECIAL = "*?[]!# "  # what a backslash takes its meaning from, in a pattern
_GLOB = re.compile(r"(?<!\\)[*?\[]")


def is_of_windows(path: str) -> bool:
    """Whether it is an absolute path as Windows writes them, of a drive or a share."""
    return _OF_WINDOWS.match(path) is not None


def is_path(text: str) -> bool:
    """Whether it says where a folder is, not only how it is named."""
    return (
        is_of_windows(text)
        or "/" in _with_slashes(text, "/").rstrip("/")
        or text.rstrip("/") in ("", ".", "..")
    )


def has_glob(text: str) -> bool:
    return _GLOB.search(text) is not None


@lru_cache(maxsize=256)
def spelled(path: str) -> str:
    """The path as it is compared, without the slashes around it; empty for the root."""
    folded = unicodedata.normalize("NFC", path).replace("\\", "/")
    folded = posixpath.normpath("/" + folded).strip("/")
    return folded[:1].upper() + folded[1:] if _OF_WINDOWS.match(folded) else folded


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is the folder or below it; both are `spelled`."""
    return not folder or path == folder or path.startswith(folder + "/")


def absolute(text: str, *, here: str, home: str) -> str:
    """The folder that a user names who is in `here`; links stay as they are."""
    if is_of_windows(text):
        return text
    expanded = home + text[1:] if text == "~" or text.startswith("~/") else text
    return posixpath.normpath(posixpath.join(here, expanded))


def escaped(path: str) -> str:
    """The pattern that matches this path, which is written with `/`, and no other."""
    text = "".join("\\" + sign if sign in "\\*?[]!#" else sign for sign in path)
    return text + "/" if path[-1:].isspace() else text  # blanks at the end of a pattern count for nothing


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob on folders, as in a .gitignore; what matches a folder covers all below it.

    `text` is as the user wrote it. `prefix` is the path of the folder that it begins with, up to its first
    name with a glob, and `rest` the pattern behind; `prefix` is None where it begins at no fixed folder.
    """

    text: str
    prefix: str | None
    rest: str
    _spec: PathSpec[GitIgnoreSpecPattern] | None  # None: every folder

    @classmethod
    def of(cls, text: str, home: str = "") -> "Pattern":
        """Raises `ConfigurationError` for what can not match any folder."""
        glob = _with_slashes(unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", home))
        if not glob.strip() or glob[0] in "!#":
            raise ConfigurationError(
                f'"{text}" matches no folder', hint="use one such as ~/work/client or **/secret-*"
            )
        if not glob.strip("/*"):
            return cls(text, None, "", None)
        prefix, rest = _divided(glob)
        try:
            return cls(text, prefix, rest, PathSpec([GitIgnoreSpecPattern(glob)]))
        except ValueError:
            raise ConfigurationError(
                f'"{text}" is not a pattern', hint="use one such as ~/work/client or **/secret-*"
            ) from None

    def matches(self, path: str) -> bool:
        """Whether it covers the folder; `path` is `spelled`."""
        return self._spec is None or self._spec.match_file(path + "/")

    def below(self, prefix: str) -> "Pattern":
        """The same pattern with another folder in the place of its prefix."""
        return Pattern.of(escaped("/" + spelled(prefix)) + self.rest)


def _with_slashes(pattern: str, home: str) -> str:
    """The pattern with `/` between names; a backslash is left only where it takes a sign's meaning."""
    if is_of_windows(pattern):
        pattern = "/" + pattern.replace("\\", "/")
    else:
        pattern = _ESCAPED.sub(_kept_or_slash, pattern)
        if pattern == "~" or pattern.startswith("~/"):
            pattern = escaped(home.replace("\\", "/")) + pattern[1:]
    pattern = re.sub(r"/{2,}", "/", pattern)
    if not {".", ".."}.isdisjoint(pattern.split("/")) and not _GLOB.search(pattern):
        pattern = posixpath.normpath(pattern) + "/" * pattern.endswith("/")
    return "/" + pattern[1].upper() + pattern[2:] if _OF_WINDOWS.match(pattern, 1) else pattern


def _kept_or_slash(match: re.Match[str]) -> str:
    return match[0] if match[1] and match[1] in _SPECIAL else "/" + match[1].replace("\\", "/")


def _divided(glob: str) -> tuple[str | None, str]:
    if not glob.startswith("/"):
        return None, glob
    match = _GLOB.search(glob)
    end = len(glob) if match is None else glob.rindex("/", 0, match.start())
    prefix = glob[:end].rstrip("/")
    return _ESCAPED.sub(r"\1", prefix) or None, glob[len(prefix) :]
