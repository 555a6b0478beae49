"""Where a session comes from: its parents, and which of them must not leave this machine with it."""

import os
from dataclasses import dataclass
from pathlib import Path

from pi_opensync import texts
from pi_opensync.fold import Origin
from pi_opensync.model import Header
from pi_opensync.pi.parents import Parent, file_name, find_parent, first_header, parent_by_folder
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.spelling import is_of_windows
from pi_opensync.store.transcripts import Transcripts

MOST_PARENTS = 100
UNKNOWN = ""  # stands for a parent's project that is not known, of which nothing may leave
UNREADABLE = "the session that it was forked from can not be read"


@dataclass(frozen=True, slots=True)
class Lineage:
    """`projects` of the parents, each with the moment (ms) before which its entries were copied.

    `withheld_before`: older entries came out of an excluded project. `guessed_from` is the name of the
    parent's file where that could not be found.
    """

    origin: Origin
    projects: tuple[tuple[str, int], ...] = ()
    withheld_before: int | None = None
    guessed_from: str | None = None


def lineage_of(
    header: Header, path: bytes, folders: tuple[Path, ...], judge: Judge, transcripts: Transcripts
) -> Lineage:
    """The parents of the session that begins with `header` in the file at `path`."""
    above = parent_by_folder(path, folders)
    parent = above if header.parent is None else _found(header, path, folders, transcripts)
    if parent is None:
        return Lineage(Origin())
    projects: list[tuple[str, int]] = []
    withheld: int | None = None
    child, current, met = header, parent, {path}
    while True:
        boundary = texts.MAX_SAFE_INTEGER if child.timestamp is None else child.timestamp
        project, reason = _judged(current, judge, transcripts)
        if project is not None or reason is not None:
            projects.append((project or UNKNOWN, boundary))
        if reason is not None:
            withheld = max(boundary, withheld or 0)
        if current.header is None or current.header.parent is None or len(projects) > MOST_PARENTS:
            break
        if current.path is not None:
            met.add(current.path)
        child = current.header
        current = _found(child, current.path, folders, transcripts)
        if current.path in met:
            break
    origin = Origin(parent.id if above is None else above.id, is_subagent=above is not None)
    return Lineage(origin, tuple(projects), withheld, parent.guessed_from)


def _found(child: Header, path: bytes | None, folders: tuple[Path, ...], transcripts: Transcripts) -> Parent:
    """The parent that the header of the file at `path` names; where links lead out of the folders, by what
    was found in them. A path that is not absolute may be one from the file's own folder.
    """
    named = child.parent or ""
    if path is not None and named and not named.startswith("/") and not is_of_windows(named):
        beside = os.path.normpath(os.path.join(os.path.dirname(os.fsdecode(path)), named))  # noqa: PTH118, PTH120 - a string
        named = beside if "\0" not in beside and os.path.isfile(beside) else named  # noqa: PTH113 - a string
    parent = find_parent(named, folders, cwd=child.cwd)
    if parent.header is not None or parent.trouble is None:
        return parent
    for there in transcripts.named(texts.storable(file_name(named)).encode()):
        header = first_header(there)
        if header is not None:
            return Parent(header.id, there, header)
    return parent


def _judged(parent: Parent, judge: Judge, transcripts: Transcripts) -> tuple[str | None, str | None]:
    """A parent's project as it may be kept, and why what was copied from it stays here."""
    if parent.header is not None:
        cwd = parent.header.cwd
        return None if cwd is None else judge.name(cwd), judge.reason(cwd)
    known = transcripts.excluded_named(texts.storable(parent.guessed_from or "").encode())
    if known is not None:
        return known.excluded_project, known.excluded
    lost = judge.project_of_lost(parent.guessed_from or "")
    if lost is not None:
        return lost, judge.reason(lost)
    return None, UNREADABLE if parent.trouble is not None else None


def withheld_before(projects: tuple[tuple[str, int], ...], judge: Judge) -> int | None:
    """The moment (ms) before which entries stay here, as the projects are judged now."""
    moments = [
        boundary for project, boundary in projects if project == UNKNOWN or judge.reason(project) is not None
    ]
    return max(moments, default=None)
