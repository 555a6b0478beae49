"""From a transcript that changed to rows of the store.

Whether its cursor still holds, and whether this file or another is the one to read its session from, is
decided here; what its lines mean is `intake`'s. One transaction moves the cursor and writes what was read.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from pi_opensync.pi import tail
from pi_opensync.pi.entries import Header, decode_line
from pi_opensync.pi.parents import Parent
from pi_opensync.pi.tail import START, Signature
from pi_opensync.pi.translate import Options
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.projects import Policy
from pi_opensync.read.again import Review
from pi_opensync.read.intake import Intake
from pi_opensync.store.database import Database
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.sessions import Reading, Sessions
from pi_opensync.store.transcripts import Transcript, Transcripts

SETTLED_AFTER = 1.0  # seconds that a file that shrank must rest before it is read again
MAX_SESSION_BACKLOG = (2_000, 8 << 20)  # messages, bytes that one session may have waiting
MAX_BACKLOG = (20_000, 64 << 20)


class Progress(Enum):
    """What is to be done with the transcript next."""

    DONE = "nothing until it changes"
    MORE = "read on at once"
    FULL = "read on when the outbox has drained"
    LATER = "look again in a moment"


class Ingest:
    """Reads transcripts into the store. Not thread-safe; one instance a state folder."""

    def __init__(
        self,
        database: Database,
        options: Options,
        policy: Policy,
        *,
        clean: Cleaner,
        find_parent: Callable[[str], Parent],
        now: Callable[[], float],
        bounded: bool = True,
    ) -> None:
        """`bounded`: stop reading while too much waits to be sent."""
        self._database = database
        self._transcripts = Transcripts(database)
        self._sessions = Sessions(database)
        self._outbox = Outbox(database)
        self._policy = policy
        self._now = now
        self._bounded = bounded
        self._intake = Intake(
            database,
            options,
            policy,
            clean=clean,
            find_parent=find_parent,
            is_held=self._is_held,
            now=now,
        )
        self.review = Review(
            database, options, policy, clean=clean, restart=self._restart, save=self._intake.save, now=now
        )

    @property
    def disturbed(self) -> set[bytes]:
        """Paths of copies that are to be looked at again; the caller takes them out."""
        return self._intake.disturbed

    def read(self, path: bytes, *, live: bool) -> tuple[Progress, Signature]:
        """Read the next piece of the file; returns what to do next and the file as it was opened.

        Raises OSError where it can not be read (recorded), and sqlite3.Error.
        """
        try:
            with tail.opened(path) as descriptor:
                signature = Signature.of(os.fstat(descriptor))
                return self._read(path, descriptor, signature, live=live), signature
        except OSError as error:
            self._record_problem(path, error)
            raise

    def _read(self, path: bytes, descriptor: int, signature: Signature, *, live: bool) -> Progress:
        transcript = self._known(path, signature)
        if self._is_full(transcript):
            return Progress.FULL
        transcript, before = self._verify(transcript, descriptor, signature)
        if isinstance(before, Progress):
            return before
        if transcript.cursor == START:
            header = _first_header(descriptor, signature.size)
            reason = None if header is None else self._policy.reason(header.cwd)
            if header is not None and reason is not None:
                self._leave(transcript, reason, header.cwd)
                return Progress.DONE
        piece = tail.read_piece(descriptor, transcript.cursor, signature.size, before)
        with self._database.transaction():
            self._intake.take(self._transcripts.stored(transcript), piece, live=live)
        if not piece.at_end or self._takes_over(path):
            return Progress.MORE
        return Progress.DONE

    def _known(self, path: bytes, signature: Signature) -> Transcript:
        """The row of this file: of this path, or of the path that it was moved from."""
        known = self._transcripts.by_path(path)
        if known is None:
            for other in self._transcripts.by_inode(signature):
                if not os.path.lexists(other.path):
                    known = replace(other, path=path)
                    break
        if known is None:
            return Transcript.new(path, signature)
        if known.path != path or not known.followed or known.problem:
            known = replace(known, path=path, followed=True, problem=None)
            self._transcripts.save(known)
        return known

    def _is_full(self, transcript: Transcript) -> bool:
        if not self._bounded:
            return False
        own = transcript.session_id
        full = _exceeds(self._outbox.backlog(), MAX_BACKLOG) or (
            own is not None and _exceeds(self._outbox.backlog(own), MAX_SESSION_BACKLOG)
        )
        if full and own is not None:
            self._sessions.wake(own, self._now(), live=False)
        return full

    def _verify(
        self, transcript: Transcript, descriptor: int, signature: Signature
    ) -> tuple[Transcript, bytes | Progress]:
        """The transcript with a cursor that holds for this file and the last bytes before it.

        Or what to do instead of reading on.
        """
        before, cursor = transcript.signature, transcript.cursor
        transcript = replace(transcript, signature=signature, at_end=False)
        if signature.size < cursor.offset and not self._has_settled(transcript, before, signature):
            unsettled = replace(transcript, shrunk_at=self._now())
            self._transcripts.save(unsettled)
            return unsettled, Progress.DONE if signature.size == 0 else Progress.LATER
        window = tail.verified(descriptor, cursor, before, signature)
        if window is not None and self._still_ours(transcript):
            return replace(transcript, shrunk_at=None), window
        return self._restart(transcript), b""

    def _has_settled(self, transcript: Transcript, before: Signature, now: Signature) -> bool:
        """Whether a file that shrank rests: pi empties a file before it writes it anew."""
        return (
            now.size > 0
            and transcript.shrunk_at is not None
            and before == now
            and not 0 <= self._now() - transcript.shrunk_at < SETTLED_AFTER
        )

    def _still_ours(self, transcript: Transcript) -> bool:
        """False where this file has become the one to read a session from, or another one has."""
        if transcript.copy_of is not None:
            copied = self._sessions.reading(transcript.copy_of)
            if copied is None or copied.transcript_id == transcript.id or not self._is_held(copied):
                return False
        if transcript.session_id is None:
            return True
        reading = self._sessions.reading(transcript.session_id)
        return reading is not None and reading.transcript_id == transcript.id

    def _is_held(self, session: Reading) -> bool:
        """Whether the session is known from a file that is still there as it was last opened."""
        holder = self._transcripts.by_id(session.transcript_id)
        if session.state is None or holder is None:
            return False
        try:
            status = os.stat(holder.path)  # noqa: PTH116 - bytes path
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (holder.signature.device, holder.signature.inode)

    def _takes_over(self, path: bytes) -> bool:
        """Read a session from this file from now on if it holds more of it than the one that was read."""
        transcript = self._transcripts.by_path(path)
        copied = None if transcript is None else self._sessions.reading(transcript.copy_of or 0)
        if transcript is None or copied is None:
            return False
        holder = self._transcripts.by_id(copied.transcript_id)
        if holder is None or not holder.at_end or transcript.copy_bytes <= copied.length:
            return False
        with self._database.transaction():
            self._sessions.forget_history(copied.id)
            self._sessions.update(copied.id, transcript_id=transcript.id)
            self._reset(transcript)
        return True

    def _restart(self, transcript: Transcript) -> Transcript:
        """Forget what was read of a transcript, to read it from its start."""
        with self._database.transaction():
            return self._reset(transcript)

    def _reset(self, transcript: Transcript) -> Transcript:
        """The transcript as if it was never read; what was delivered of it stays known."""
        transcript = self._transcripts.stored(transcript)
        transcript = replace(
            transcript,
            cursor=START,
            at_end=False,
            session_id=None,
            copy_of=None,
            copy_bytes=0,
            shrunk_at=None,
            excluded=None,
            excluded_project=None,
        )
        self._transcripts.forget_notes(transcript.id)
        for session_id in self._sessions.of_transcript(transcript.id):
            self._sessions.forget_history(session_id)
            self.disturbed.update(self._transcripts.longer_copies(session_id, -1))
        self._transcripts.save(transcript)
        return transcript

    def _leave(self, transcript: Transcript, reason: str, project: str | None) -> None:
        """Read no more of a file whose header names an excluded project."""
        kept = None if project is None else self._intake.name(project)
        with self._database.transaction():
            transcript = self._transcripts.stored(transcript)
            self._transcripts.save(replace(transcript, at_end=True, excluded=reason, excluded_project=kept))

    def _record_problem(self, path: bytes, error: OSError) -> None:
        known = self._transcripts.by_path(path)
        if known is not None:
            for session_id in self._sessions.of_transcript(known.id):
                self._sessions.wake(session_id, self._now(), live=False)  # what was read is sent
        try:
            signature = Signature.of(os.stat(path))  # noqa: PTH116 - bytes path
        except OSError:
            return  # gone: there is nothing to read, and nothing to forget
        known = known or self._transcripts.add(path, signature, followed=True)
        reason = error.strerror or type(error).__name__
        self._transcripts.save(replace(known, problem=reason, at_end=False))


def _exceeds(backlog: tuple[int, int], limit: tuple[int, int]) -> bool:
    return backlog[0] >= limit[0] or backlog[1] >= limit[1]


def _first_header(descriptor: int, size: int) -> Header | None:
    items = decode_line(tail.first_line(descriptor, size))
    return next((item for item in items if isinstance(item, Header)), None)
