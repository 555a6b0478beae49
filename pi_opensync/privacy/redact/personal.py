"""Tier D and the configured key: what only this user's settings can name."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, quote_plus

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from pi_opensync.privacy.redact.engine import Meter

Finder = Callable[[bytes, Meter], Iterator[tuple[int, int]]]

_SHORTEST_KEY = 8
_WINDOW = 2048
_LONGEST_MATCH = 1024
_MATCH_COST = 64


def own_key_forms(key: str) -> tuple[bytes, ...]:
    """The key as it is, JSON-escaped once and twice, and URL-encoded; longest first.

    Raises ValueError for a key so short that its text would be found everywhere.
    """
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"apiKey: fewer than {_SHORTEST_KEY} characters can not be redacted by their text")
    once = json.dumps(key)[1:-1]
    encoded = quote(key, safe="")
    forms = {
        key,
        once,
        once.replace("/", r"\/"),
        json.dumps(once)[1:-1],
        json.dumps(key, ensure_ascii=False)[1:-1],
    }
    forms |= {encoded, quote(key), quote_plus(key), re.sub("%..", lambda code: code[0].lower(), encoded)}
    return tuple(sorted((form.encode("utf-8", "surrogatepass") for form in forms), key=len, reverse=True))


def literal_finder(forms: Sequence[bytes], *, name_goes_on: re.Pattern[bytes] | None = None) -> Finder:
    """Finds any of the forms; not where `name_goes_on` matches right behind it."""

    def find(data: bytes, meter: Meter) -> Iterator[tuple[int, int]]:
        for form in forms:
            meter.charge(len(data) >> 3)
            at = data.find(form)
            while at >= 0:
                end = at + len(form)
                meter.charge(_MATCH_COST)
                if name_goes_on is None or name_goes_on.match(data, end) is None:
                    yield at, end
                at = data.find(form, end)

    return find


def home_forms(home: str) -> tuple[bytes, ...]:
    """The home folder as a path, with doubled backslashes, and as pi writes it in its folders' names."""
    path = home.rstrip("/\\")
    if len(path) < 2:  # noqa: PLR2004  # "/" is the home of no one
        return ()
    slug = "-" + path.strip("/\\").replace("/", "-").replace("\\", "-").replace(":", "-")
    forms = {path, path.replace("\\", "\\\\"), path.replace("\\", "/"), "-" + slug}
    return tuple(sorted((form.encode("utf-8", "surrogatepass") for form in forms), key=len, reverse=True))


NAME_GOES_ON = re.compile(rb"[A-Za-z0-9_.]|[\x80-\xff]")


def pattern_finder(pattern: str) -> Finder:
    """A finder for one pattern of the user's, in RE2 syntax; what it matches is at most 1 KiB long.

    Raises ValueError naming the pattern, for bad syntax or one that matches nothing at all.
    """
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"redactPatterns: {pattern!r} is no RE2 pattern: {_said(error)}") from None
    if compiled.search(b"") is not None:
        raise ValueError(f"redactPatterns: {pattern!r} matches the empty text")

    def find(data: bytes, meter: Meter) -> Iterator[tuple[int, int]]:
        at = 0
        while at < len(data):
            limit = _window_end(data, at)
            match = compiled.search(data, at, limit)
            if match is None:
                meter.charge(limit - at >> 3)
                at = limit if limit == len(data) else max(at + 1, limit - _LONGEST_MATCH)
                continue
            meter.charge(_MATCH_COST)
            start, end = match.span()
            if end > start:
                yield start, end
            at = max(end, start + 1)

    return find


def _window_end(data: bytes, at: int) -> int:
    """Where to stop one search: a match in front must not make RE2 look through all that is behind it."""
    if len(data) - at <= _WINDOW:
        return len(data)
    line = data.rfind(b"\n", at + _LONGEST_MATCH + 1, at + _WINDOW)
    return at + _WINDOW if line < 0 else line + 1


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


_AT_DOMAIN = re2.compile(rb"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}")
_LOCAL_PART = re.compile(rb"[A-Za-z0-9._%+-]{1,64}")
_LONGEST_LOCAL_PART = 64


def find_emails(data: bytes, meter: Meter) -> Iterator[tuple[int, int]]:
    """E-mail addresses, but not `git@host`, which names a repository."""
    at = 0
    while (match := _AT_DOMAIN.search(data, at)) is not None:
        start, end = match.span()
        before = _LOCAL_PART.match(data[max(at, start - _LONGEST_LOCAL_PART) : start][::-1])
        meter.charge(_MATCH_COST + end - start)
        if before is not None and before.group() != b"tig":
            yield start - before.end(), end
        at = end
