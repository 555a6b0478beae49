"""From a transcript that changed to rows of the store.

One transaction moves the cursor and writes what was read.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from pi_opensync.model import Header, Options
from pi_opensync.pi import tail
from pi_opensync.pi.discover import SUFFIX
from pi_opensync.pi.entries import Entry, decode_line
from pi_opensync.pi.parents import header_of
from pi_opensync.pi.tail import START, Signature
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.read import decide
from pi_opensync.read.decide import Continue, Excluded, Full, Later, ReadOn, StartAnew
from pi_opensync.read.families import Families, is_there
from pi_opensync.read.headers import OutOfOrder
from pi_opensync.read.sources import Source, in_order
from pi_opensync.read.union import Union
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.readings import Readings
from pi_opensync.store.transcripts import Transcript, Transcripts

BUDGET = 2 * tail.PIECE  # bytes of lines a transaction


class Progress(Enum):
    """What is to be done with the transcript next."""

    DONE = "nothing until it changes"
    MORE = "read on at once"
    FULL = "read on when the outbox has drained"
    LATER = "look again in a moment"


@dataclass(frozen=True, slots=True)
class Read:
    """What came of reading a piece.

    `signature` is the file's as it was opened; `seconds` until the next look, with LATER; `look_again` are
    other files that must be read again; `odd` is why the file holds no session.
    """

    progress: Progress
    signature: Signature
    seconds: float = 0.0
    look_again: tuple[bytes, ...] = ()
    odd: str | None = None


class Reader:
    """Reads transcripts into the store. Not thread-safe; one a state folder."""

    def __init__(
        self,
        database: StateDatabase,
        options: Options,
        judge: Judge,
        *,
        clean: Cleaner,
        folders: tuple[Path, ...],
        now: Callable[[], float],
        bounded: bool = True,
    ) -> None:
        """`bounded`: stop reading while too much waits to be sent."""
        self._database = database
        self._transcripts = Transcripts(database)
        self._readings = Readings(database)
        self._families = Families(database)
        self._outbox = Outbox(database)
        self._options = options
        self._clean = clean
        self._judge = judge
        self._folders = folders
        self._now = now
        self._bounded = bounded

    def read(self, path: bytes, *, live: bool) -> Read:
        """Read the next piece of the file.

        Raises OSError where it can not be read (recorded), and `StoreUnavailable`.
        """
        try:
            with ExitStack() as opened:
                descriptor = opened.enter_context(tail.opened(path))
                signature = Signature.of(os.fstat(descriptor))
                return self._read(path, descriptor, signature, opened, live=live)
        except OSError as error:
            self._record_problem(path, error)
            raise

    # one read, from the file to its rows

    def _read(
        self,
        path: bytes,
        descriptor: int,
        signature: Signature,
        opened: ExitStack,
        *,
        live: bool,
    ) -> Read:
        known = self._known(path, signature)
        first = decide.before_a_look(
            known,
            signature,
            self._now(),
            backlog=self._backlog(),
            own_backlog=self._own_backlog(known),
        )
        if isinstance(first, Full):
            self._wake_sessions(known)
            return Read(Progress.FULL, signature)
        if isinstance(first, Later):
            self._save_shrunk(known, signature)
            progress = Progress.DONE if first.seconds is None else Progress.LATER
            return Read(progress, signature, first.seconds or 0.0)
        seen = self._look(known, descriptor, signature)
        decision = decide.after_a_look(known, seen)
        known = replace(known, signature=signature, at_end=False)
        if isinstance(decision, Excluded):
            left = self._leave(known, decision.reason, seen.header)
            return Read(Progress.DONE, signature, look_again=left)
        again: tuple[bytes, ...] = ()
        window = decision.window if isinstance(decision, ReadOn) else b""
        if isinstance(decision, StartAnew):
            with self._database.transaction():
                known = self._transcripts.stored(known)
                again = self._families.start_anew_at(known)
                known = self._transcripts.by_id(known.id) or known
        elif isinstance(decision, Continue):
            known = self._continued(known, decision)
        judged = {} if seen.header is None else {seen.header.cwd: seen.excluded}
        read = self._take(Source(known, descriptor, signature, window), opened, judged, live=live)
        others = (*again, *read.look_again)
        return replace(read, look_again=tuple(other for other in others if other != path))

    def _known(self, path: bytes, signature: Signature) -> Transcript:
        """The row of this file: of this path, or of the path that it was moved from."""
        known = self._transcripts.by_path(path)
        if known is None:
            for other in self._transcripts.by_inode(signature):
                if not os.path.lexists(other.path):
                    known = replace(other, path=path)
                    break
        if known is None:
            return Transcript(0, path, signature)
        if known.path != path or not known.followed or known.problem:
            known = replace(known, path=path, followed=True, problem=None)
            self._transcripts.save(known)
        return known

    def _backlog(self) -> tuple[int, int]:
        return self._outbox.backlog() if self._bounded else (0, 0)

    def _own_backlog(self, known: Transcript) -> tuple[int, int]:
        """What waits of the session under the cursor; a file that was never read has nothing waiting."""
        if not self._bounded or known.session_id is None:
            return 0, 0
        return self._outbox.backlog(known.session_id)

    def _look(self, known: Transcript, descriptor: int, signature: Signature) -> decide.Seen:
        window = tail.verified(descriptor, known.cursor, known.signature, signature)
        is_known = self._is_known_session(known)
        if window is not None and known.cursor.offset > 0 and is_known and known.odd is None:
            return decide.Seen(window, is_known_session=True)
        header = header_of(descriptor, signature.size)
        if header is not None:
            return decide.Seen(window, is_known, header, excluded=self._judge.reason(header.cwd))
        continues = self._continues(known, descriptor, signature)
        is_read_on = is_known and (known.odd is None or continues is None)
        return decide.Seen(window, is_read_on, continues=continues)

    def _is_known_session(self, known: Transcript) -> bool:
        """Whether what was read of the file still counts, and no file that it was read with is gone."""
        for session_id in self._transcripts.sessions_of(known.id):
            reading = self._readings.by_id(session_id)
            if reading is None or reading.session is None:
                return False
            if any(not is_there(one) for one in self._transcripts.of_session(session_id)):
                return reading.is_rootless
        return known.session_id is None or self._readings.by_id(known.session_id) is not None

    def _continues(self, known: Transcript, descriptor: int, signature: Signature) -> Continue | None:
        """The session that a file without a header goes on with: by its path, its name, its first parent."""
        entries = _first_entries(descriptor, signature.size)
        if not entries:
            return None
        name = known.path.rpartition(b"/")[2].removesuffix(SUFFIX)
        by_path = self._transcripts.sessions_of(known.id)
        named = name.partition(b"_")[2].decode("utf-8", "replace")
        found = [self._readings.by_id(one) for one in by_path]
        found += self._readings.by_pi_id(named) if named else []
        parent = entries[0].body.get("parentId")
        found += self._readings.by_entry(parent) if isinstance(parent, str) else []
        for reading in found:
            if reading is not None and reading.session is not None and reading.excluded is None:
                others = [
                    one
                    for one in self._transcripts.of_session(reading.id)
                    if one.id != known.id and is_there(one)
                ]
                return Continue(reading.id, is_rootless=not others)
        return None

    def _continued(self, known: Transcript, decision: Continue) -> Transcript:
        with self._database.transaction():
            known = self._transcripts.stored(known)
            self._transcripts.forget_notes(known.id)
            self._transcripts.hold(decision.session_id, known.id)
            if decision.is_rootless:
                self._readings.update(decision.session_id, is_rootless=1)
            known = replace(known, cursor=START, latest_at=None, session_id=decision.session_id)
            self._transcripts.save(known)
        return known

    def _take(
        self,
        source: Source,
        opened: ExitStack,
        judged: Mapping[str | None, str | None],
        *,
        live: bool,
    ) -> Read:
        """Fold the next lines, together with those of the files that are read again with it."""
        try:
            with self._database.transaction():
                source.transcript = self._transcripts.stored(source.transcript)
                sources = [source, *self._read_with(source.transcript, opened)]
                return self._fold(sources, judged, live=live)
        except OutOfOrder as error:
            with self._database.transaction():
                again = self._families.start_anew(error.session_ids)
                for session_id in error.session_ids:
                    self._outbox.withdraw(session_id)
            return Read(Progress.MORE, source.signature, look_again=again)

    def _read_with(self, known: Transcript, opened: ExitStack) -> list[Source]:
        """The other files of its sessions that are being read again; one that can not be read waits."""
        if not known.merging:
            return []
        transcripts, _sessions = self._families.of(self._transcripts.sessions_of(known.id))
        sources = []
        for other in transcripts:
            if other.id == known.id or not other.merging or other.at_end:
                continue
            with suppress(OSError):
                descriptor = opened.enter_context(tail.opened(other.path))
                signature = Signature.of(os.fstat(descriptor))
                window = tail.verified(descriptor, other.cursor, other.signature, signature)
                if window is not None:
                    sources.append(Source(other, descriptor, signature, window))
        return sources

    def _fold(self, sources: list[Source], judged: Mapping[str | None, str | None], *, live: bool) -> Read:
        now = self._now()
        union = Union(
            self._database, self._options, self._clean, self._judge, self._folders, now=now, judged=judged
        )
        for source, written in in_order(sources, BUDGET):
            union.take(source, written)
        first = sources[0]
        signature = first.signature
        seconds = None
        if all(source.is_at_end for source in sources):
            seconds = self._take_open_end(first, union)
        anew, orphans = union.close(sources, live=live)
        again = (*self._families.start_anew(anew), *orphans)
        if not all(source.is_at_end for source in sources):
            return Read(Progress.MORE, signature, look_again=again)
        again += tuple(source.transcript.path for source in sources[1:])
        self._end_merging(sources)
        read = self._transcripts.by_id(first.transcript.id)
        odd = None if read is None or live else read.odd
        if seconds is not None:
            return Read(Progress.LATER, signature, seconds, again, odd)
        return Read(Progress.DONE, signature, look_again=again, odd=odd)

    def _take_open_end(self, source: Source, union: Union) -> float | None:
        """Fold a last line without its newline where it is whole and rests; seconds until it may."""
        line = source.open_end()
        items = [] if line is None or line.data is None else decode_line(line.data)
        if line is None or len(items) != 1 or not isinstance(items[0], Entry):
            return None
        seconds = decide.of_an_open_end(source.signature, self._now())
        if seconds is None:
            latest = source.moved().latest_at or 0
            union.take_open_end(source, line, items[0], max(latest, items[0].timestamp or 0))
        return seconds

    def _end_merging(self, sources: list[Source]) -> None:
        """All files that were read again are at their end: from here on each is read by itself."""
        if not sources[0].transcript.merging:
            return
        transcripts, _sessions = self._families.of(self._transcripts.sessions_of(sources[0].transcript.id))
        if all(one.at_end for one in transcripts if one.merging):
            for one in transcripts:
                self._transcripts.save(replace(one, merging=False))

    # what is forgotten, left, recorded

    def _save_shrunk(self, known: Transcript, signature: Signature) -> None:
        self._transcripts.save(replace(known, signature=signature, at_end=False, shrunk_at=self._now()))

    def _leave(self, transcript: Transcript, reason: str, header: Header | None) -> tuple[bytes, ...]:
        """Read no more of a file whose header names an excluded project; returns files to read again."""
        kept = None if header is None or header.cwd is None else self._judge.name(header.cwd)
        file = os.fsdecode(transcript.path.rpartition(b"/")[2])
        name = self._judge.name(file)
        self._judge.leave(file, None if header is None else header.cwd)
        with self._database.transaction():
            transcript = self._transcripts.stored(transcript)
            again = self._families.start_anew_at(transcript)
            children = self._readings.guessed(name)
            again += self._families.start_anew(child.id for child in children)
            for child in children:
                self._readings.update(child.id, guessed_parent=None)
            left = self._transcripts.by_id(transcript.id) or transcript
            self._transcripts.save(
                replace(
                    left,
                    signature=transcript.signature,
                    at_end=True,
                    excluded=reason,
                    excluded_project=kept,
                )
            )
        return tuple(path for path in again if path != transcript.path)

    def _wake_sessions(self, known: Transcript) -> None:
        """What was read is sent."""
        for session_id in self._transcripts.sessions_of(known.id):
            self._readings.wake(session_id, self._now(), live=False)

    def _record_problem(self, path: bytes, error: OSError) -> None:
        known = self._transcripts.by_path(path)
        if known is not None:
            self._wake_sessions(known)
        try:
            signature = Signature.of(os.stat(path))  # noqa: PTH116 - bytes path
        except OSError:
            return  # gone: there is nothing to read, and nothing to forget
        known = known or self._transcripts.add(path, signature, followed=True)
        reason = error.strerror or type(error).__name__
        self._transcripts.save(replace(known, problem=reason, at_end=False))


def _first_entries(descriptor: int, size: int) -> list[Entry]:
    """The entries of a file's first line that holds any."""
    for line in tail.read_piece(descriptor, START, size).lines:
        found = [item for item in decode_line(line.data or b"") if isinstance(item, Entry)]
        if found:
            return found
    return []
