"""From a transcript that changed to rows of the store.

One transaction moves the cursor and writes what was read.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import msgspec

from pi_opensync import texts
from pi_opensync.fold import Message, SessionState, begin, external_id, fold
from pi_opensync.messages import Clean, Options, open_calls
from pi_opensync.opensync import payloads
from pi_opensync.pi import tail
from pi_opensync.pi.entries import Broken, Entry, Header, decode_line, flattened
from pi_opensync.pi.parents import Parent
from pi_opensync.pi.tail import START, Line, Piece, Signature
from pi_opensync.store.database import Database
from pi_opensync.store.outbox import Outbox, SessionMemory
from pi_opensync.store.sessions import Reading, Sessions
from pi_opensync.store.transcripts import BROKEN, Transcript, Transcripts

RESULTS_WITHIN = 2.0  # seconds that a message waits for the results of its calls
SETTLED_AFTER = 1.0  # seconds that a file that shrank must rest before it is read again
MAX_SESSION_BACKLOG = (2_000, 8 << 20)  # messages, bytes that one session may have waiting
MAX_BACKLOG = (20_000, 64 << 20)


class Progress(Enum):
    """What is to be done with the transcript next."""

    DONE = "nothing until it changes"
    MORE = "read on at once"
    FULL = "read on when the outbox has drained"
    LATER = "look again in a moment"


@dataclass(slots=True)
class _Open:
    """The session under the cursor while a piece is folded."""

    reading: Reading
    state: SessionState
    memory: SessionMemory
    changed: bool = False


class Ingest:
    """Reads transcripts into the store. Not thread-safe; one instance a state folder."""

    def __init__(
        self,
        database: Database,
        options: Options,
        *,
        clean: Clean,
        find_parent: Callable[[str], Parent],
        now: Callable[[], float],
        bounded: bool = True,
    ) -> None:
        """`bounded`: stop reading while too much waits to be sent."""
        self._bounded = bounded
        self.disturbed: set[bytes] = set()  # copies that may have become the longer one
        self._database = database
        self._transcripts = Transcripts(database)
        self._sessions = Sessions(database)
        self._outbox = Outbox(database)
        self._options = options
        self._clean = clean
        self._find_parent = find_parent
        self._now = now

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
        transcript, progress = self._verify(transcript, descriptor, signature)
        if progress is not None:
            return progress
        piece = tail.read_piece(descriptor, transcript.cursor, signature.size)
        with self._database.transaction():
            self._take(transcript, piece, live=live)
        return Progress.DONE if piece.at_end else Progress.MORE

    def _known(self, path: bytes, signature: Signature) -> Transcript:
        """The row of this file: of this path, or of the path that it was moved from."""
        known = self._transcripts.by_path(path)
        if known is None:
            for other in self._transcripts.by_inode(signature):
                if not os.path.lexists(other.path):
                    known = replace(other, path=path)
                    break
        if known is None:
            known = self._transcripts.add(path, signature, followed=True)
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
    ) -> tuple[Transcript, Progress | None]:
        """The transcript with a cursor that holds for this file, or what to do instead of reading on."""
        before, cursor = transcript.signature, transcript.cursor
        transcript = replace(transcript, signature=signature, at_end=False)
        if signature.size < cursor.offset and not self._has_settled(transcript, before, signature):
            unsettled = replace(transcript, shrunk_at=self._now())
            self._transcripts.save(unsettled)
            return unsettled, Progress.DONE if signature.size == 0 else Progress.LATER
        holds = tail.verified(descriptor, cursor, before, signature) is not None
        if holds and self._still_ours(transcript):
            return replace(transcript, shrunk_at=None), None
        return self._restart(transcript), None

    def _has_settled(self, transcript: Transcript, before: Signature, now: Signature) -> bool:
        """Whether a file that shrank rests: pi empties a file before it writes it anew."""
        return (
            now.size > 0
            and transcript.shrunk_at is not None
            and before == now
            and not 0 <= self._now() - transcript.shrunk_at < SETTLED_AFTER
        )

    def _still_ours(self, transcript: Transcript) -> bool:
        """False where another file has become the one to read this session from, or this one has."""
        if transcript.copy_of is not None and not self._is_longer(
            transcript.copy_of, transcript.signature.size
        ):
            return False
        if transcript.session_id is None:
            return True
        reading = self._sessions.reading(transcript.session_id)
        return reading is not None and reading.transcript_id == transcript.id

    def _is_longer(self, transcript_id: int, size: int) -> bool:
        """Whether that transcript's file exists and is not shorter than `size` bytes."""
        other = self._transcripts.by_id(transcript_id)
        try:
            return other is not None and os.stat(other.path).st_size >= size  # noqa: PTH116 - bytes path
        except OSError:
            return False

    def _restart(self, transcript: Transcript) -> Transcript:
        transcript = replace(transcript, cursor=START, session_id=None, copy_of=None, shrunk_at=None)
        with self._database.transaction():
            self._transcripts.forget_notes(transcript.id)
            for session_id in self._sessions.of_transcript(transcript.id):
                self._sessions.forget_history(session_id)
            self.disturbed.update(self._transcripts.unsettle_copies(transcript.id))
            self._transcripts.save(transcript)
        return transcript

    def _take(self, transcript: Transcript, piece: Piece, *, live: bool) -> None:
        self._name_children(transcript.path)
        touched: dict[int, _Open] = {}
        under = self._open(transcript.session_id, touched)
        for line in piece.lines:
            for item in self._decoded(transcript, line):
                if isinstance(item, Header):
                    transcript, under = self._switch(transcript, under, item, touched)
                elif under is not None:
                    self._fold(transcript, under, item, line)
                elif transcript.copy_of is None:
                    self._transcripts.note(transcript.id, BROKEN, line.offset, line.offset + line.length)
        self._transcripts.save(replace(transcript, cursor=piece.cursor, at_end=piece.at_end))
        for opened in touched.values():
            self._settle(opened, at_end=piece.at_end, live=live)

    def _name_children(self, path: bytes) -> None:
        """Give the forks of this file, met before it could be read, their parent's id."""
        name = os.fsdecode(path.rpartition(b"/")[2])
        for child in self._sessions.guessed(texts.well_formed(name)):
            parent = self._find_parent(name)
            if parent.guessed_from is None and parent.id is not None and child.state is not None:
                state = msgspec.structs.replace(child.state, parent_id=texts.well_formed(parent.id))
                self._sessions.update(child.id, guessed_parent=None)
                self._save(child.id, state)
                self._sessions.wake(child.id, self._now(), live=False)

    def _save(self, session_id: int, state: SessionState) -> None:
        wanted = payloads.session_payload(state)
        self._sessions.save_state(session_id, state, payloads.encode(wanted), payloads.digest(wanted))

    def _decoded(self, transcript: Transcript, line: Line) -> Iterator[Entry | Header]:
        if line.data is None:
            self._transcripts.note(transcript.id, BROKEN, line.offset, line.offset + line.length)
            return
        for item in decode_line(line.data):
            if isinstance(item, Broken):
                self._transcripts.note(
                    transcript.id, BROKEN, line.offset + item.start, line.offset + item.end
                )
            else:
                yield item

    def _open(self, session_id: int | None, touched: dict[int, _Open]) -> _Open | None:
        if session_id is None:
            return None
        if session_id not in touched:
            reading = self._sessions.reading(session_id)
            if reading is None or reading.state is None:
                return None
            memory = SessionMemory(self._database, reading.id, reading.generation)
            touched[session_id] = _Open(reading, reading.state, memory)
        return touched[session_id]

    def _switch(
        self, transcript: Transcript, under: _Open | None, header: Header, touched: dict[int, _Open]
    ) -> tuple[Transcript, _Open | None]:
        """The session that a header begins or goes on with; None where another file holds it."""
        key = external_id(header)
        if under is not None and under.reading.external_id == key:
            return transcript, under
        known = self._sessions.reading_of(key)
        if known is not None and known.transcript_id != transcript.id:
            held = known.state is not None
            if held and self._is_longer(known.transcript_id, transcript.signature.size):
                return replace(transcript, session_id=None, copy_of=known.transcript_id), None
            self._sessions.forget_history(known.id)
            touched.pop(known.id, None)
            known = None
        if known is None or known.state is None:
            parent = self._find_parent(header.parent) if header.parent is not None else Parent(None)
            state = begin(header, parent.id, self._clean)
            wanted = payloads.session_payload(state)
            known = self._sessions.begin(
                state,
                transcript.id,
                payloads.encode(wanted),
                payloads.digest(wanted),
                texts.well_formed(parent.guessed_from) if parent.guessed_from else None,
            )
        transcript = replace(transcript, session_id=known.id)
        return transcript, self._open(known.id, touched)

    def _fold(self, transcript: Transcript, under: _Open, entry: Entry, line: Line) -> None:
        under.changed = True
        try:
            step = fold(under.state, entry, under.memory, self._options, self._clean)
        except RecursionError:
            entries = [item for item in flattened(line.data or b"") if isinstance(item, Entry)]
            if not entries:
                self._transcripts.note(transcript.id, BROKEN, line.offset, line.offset + line.length)
                return
            entry = entries[0]
            step = fold(under.state, entry, under.memory, self._options, self._clean)
        under.state = step.state
        if step.repeat:
            return
        if entry.id is not None:
            under.memory.remember(entry.id)
        if step.unknown is not None:
            kind = step.unknown.encode("utf-8", "backslashreplace").decode()[:200]
            self._transcripts.note(transcript.id, kind, line.offset, line.offset + line.length)
        if step.message is not None:
            self._put(under, step.message, entry)

    def _put(self, under: _Open, message: Message, entry: Entry) -> None:
        payload = payloads.message_payload(message, under.reading.external_id)
        now = self._now()
        written = entry.timestamp / 1000 if entry.timestamp is not None else now
        self._outbox.put(
            under.reading.id,
            under.reading.generation,
            message,
            payloads.encode(payload),
            payloads.digest(payload),
            not_before=min(written, now) + RESULTS_WITHIN if open_calls(message.parts) else 0.0,
        )

    def _settle(self, opened: _Open, *, at_end: bool, live: bool) -> None:
        if not opened.changed:
            return
        now = self._now()
        session_id = opened.reading.id
        self._save(session_id, opened.state)
        if not at_end:
            self._outbox.hold(session_id, now + RESULTS_WITHIN)
        if at_end or live:
            self._sessions.wake(session_id, now, live=live)

    def _record_problem(self, path: bytes, error: OSError) -> None:
        try:
            signature = Signature.of(os.stat(path))  # noqa: PTH116 - bytes path
        except OSError:
            return  # gone: there is nothing to read, and nothing to forget
        known = self._transcripts.by_path(path) or self._transcripts.add(path, signature, followed=True)
        reason = error.strerror or type(error).__name__
        self._transcripts.save(replace(known, problem=reason, at_end=False))


def _exceeds(backlog: tuple[int, int], limit: tuple[int, int]) -> bool:
    return backlog[0] >= limit[0] or backlog[1] >= limit[1]
