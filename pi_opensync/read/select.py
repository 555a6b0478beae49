"""Which transcripts a `sync` takes: by time, project, session, number.

Of an excluded project's nothing is read past the header.
"""

import functools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pi_opensync.errors import UsageError
from pi_opensync.fold import external_id
from pi_opensync.model import Header
from pi_opensync.pi.discover import Found
from pi_opensync.pi.entries import Entry, decode_line
from pi_opensync.pi.parents import first_header
from pi_opensync.pi.tail import START, Signature, opened, read_piece
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.projects import is_in
from pi_opensync.privacy.spelling import absolute

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TAIL = 64 * 1024  # bytes of a file's end that are searched for its last entry


@dataclass(frozen=True, slots=True)
class Chosen:
    """A transcript with what its first header says; `last_at` in Unix milliseconds.

    `excluded` is why its project stays on this machine.
    """

    found: Found
    header: Header | None
    last_at: int
    excluded: str | None = None

    @property
    def leaves(self) -> bool:
        """Whether it holds a session, and nothing keeps it on this machine."""
        return self.header is not None and self.excluded is None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of a `sync`; moments in Unix milliseconds."""

    since: int | None = None
    until: int | None = None
    project: str | None = None
    session: str | None = None
    limit: int | None = None

    @classmethod
    def parse(
        cls,
        *,
        since: str | None,
        until: str | None,
        project: Path | None,
        session: str | None,
        limit: int | None,
    ) -> "Wanted":
        """Raises `UsageError` for a moment that is neither a span nor a date."""
        return cls(
            since=_moment(since, "--since"),
            until=_moment(until, "--until"),
            project=None
            if project is None
            else absolute(str(project), here=os.getcwd(), home=str(Path.home())),  # noqa: PTH109 - a string
            session=session,
            limit=limit,
        )

    def choose(self, files: Sequence[Found], judge: Judge) -> list[Chosen]:
        """The transcripts that are wanted, the newest first."""
        if (named := self._file(files)) is not None:
            files = [*files, named]
        reason = functools.cache(judge.reason)  # of few projects are many files
        looked = [_look(found, reason) for found in files]
        for item in looked:
            if item.header is not None and item.excluded is not None:
                judge.leave(os.fsdecode(item.found.path.rpartition(b"/")[2]), item.header.cwd)
        chosen = [item for item in looked if self._fits(item)]
        if self.session is not None and not chosen:
            chosen = [item for item in looked if not item.excluded and _holds(item.found.path, self.session)]
        chosen.sort(key=lambda item: item.last_at, reverse=True)
        return chosen[: self.limit]

    def _file(self, files: Sequence[Found]) -> Found | None:
        """The file that is wanted and lies in no folder of sessions."""
        if self.session is None or "\0" in self.session:
            return None
        path = _path(self.session)
        if any(found.path == path for found in files):
            return None
        try:
            with opened(path) as descriptor:
                return Found(path, Signature.of(os.fstat(descriptor)))
        except (OSError, ValueError):
            return None

    def _fits(self, item: Chosen) -> bool:
        header = item.header
        if self.since is not None and item.last_at < self.since:
            return False
        begun = header.timestamp if header and header.timestamp is not None else item.last_at
        if self.until is not None and begun >= self.until:
            return False
        if self.project is not None and not is_in(header.cwd if header else None, self.project):
            return False
        return self.session is None or _is_session(item, self.session)


def _moment(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text.strip().lower())
    if span is not None:
        moment = datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    else:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise UsageError(
                f"{option} {text}: not a time",
                hint="use a span such as 30d or 12h, or a date such as 2026-11-20",
            ) from None
        moment = moment.astimezone() if moment.tzinfo is None else moment
    return round(moment.timestamp() * 1000)


def _path(text: str) -> bytes:
    return os.fsencode(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 - keeps links as they are


def _is_session(item: Chosen, wanted: str) -> bool:
    if item.found.path == _path(wanted) or item.found.path.rpartition(b"/")[2] == os.fsencode(wanted):
        return True
    header = item.header
    return (
        header is not None
        and bool(wanted)
        and (header.id.startswith(wanted) or external_id(header).startswith(wanted))
    )


def _holds(path: bytes, wanted: str) -> bool:
    """Whether a later header of the file begins the wanted session."""
    cursor = START
    if not wanted:
        return False
    try:
        with opened(path) as descriptor:
            size = os.fstat(descriptor).st_size
            while True:
                piece = read_piece(descriptor, cursor, size)
                for line in piece.lines:
                    if line.data is None or b'"session"' not in line.data[:200]:
                        continue
                    if any(
                        isinstance(it, Header) and it.id.startswith(wanted) for it in decode_line(line.data)
                    ):
                        return True
                cursor = piece.cursor
                if piece.at_end:
                    return False
    except OSError:
        return False


def _look(found: Found, reason: Callable[[str | None], str | None]) -> Chosen:
    header = first_header(found.path)
    excluded = None if header is None else reason(header.cwd)
    last = _last_entry_at(found) if excluded is None else None
    begun = header.timestamp if header is not None else None
    return Chosen(found, header, last or begun or found.signature.modified // 1_000_000, excluded)


def _last_entry_at(found: Found) -> int | None:
    try:
        with opened(found.path) as descriptor:
            data = os.pread(descriptor, _TAIL, max(0, found.signature.size - _TAIL))
    except OSError:
        return None
    for line in reversed(data.split(b"\n")[1:]):
        moments = [item.timestamp for item in decode_line(line) if isinstance(item, Entry) and item.timestamp]
        if moments:
            return moments[-1]
    return None
