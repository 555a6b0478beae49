"""Projects told apart by their paths, and named as briefly as that allows."""

import unicodedata
from collections.abc import Iterable

NONE = ""  # the key of what belongs to no project


def key_of(path: str | None, name: str | None) -> str:
    r"""What tells a project from others: its path, in one spelling; its name where no path is known.

    NFC and NFD spellings, `\` and `/`, with and without a slash at the end are one.
    """
    path = unicodedata.normalize("NFC", path or "").replace("\\", "/")
    return path.rstrip("/") or path[:1] or unicodedata.normalize("NFC", name or "")


def labels(keys: Iterable[str]) -> dict[str, str]:
    """Name each project by the shortest end of its path that no other one has.

    >>> labels(["/home/a/web", "/home/b/web", "/srv/notes"])
    {'/home/a/web': 'a/web', '/home/b/web': 'b/web', '/srv/notes': 'notes'}
    """
    every = dict.fromkeys(keys)
    found: dict[str, str] = {}
    waiting = {key: [piece for piece in key.split("/") if piece] or [key] for key in every}
    length = 1
    while waiting:
        ends: dict[tuple[str, ...], list[str]] = {}
        for key, pieces in waiting.items():
            ends.setdefault(tuple(pieces[-length:]), []).append(key)
        for end, sharing in ends.items():
            for key in sharing:
                if len(sharing) == 1:
                    found[key] = "/".join(end)
                elif length >= len(waiting[key]):
                    found[key] = key
        waiting = {key: pieces for key, pieces in waiting.items() if key not in found}
        length += 1
    return {key: found[key] for key in every}
