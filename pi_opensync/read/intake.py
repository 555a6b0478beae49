"""Lines of one transcript into rows of the store: headers begin sessions, entries are folded into them.

Everything here runs in the transaction that also moves the cursor.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import msgspec

from pi_opensync import texts
from pi_opensync.fold import Message, SessionState, Step, begin, external_id, fold
from pi_opensync.opensync import payloads
from pi_opensync.pi.entries import Broken, Entry, Header, decode_line, flattened
from pi_opensync.pi.parents import Parent
from pi_opensync.pi.tail import Line, Piece
from pi_opensync.pi.translate import Options, open_calls
from pi_opensync.privacy.cleaner import WITHHELD, CannotRedact, Cleaner, Withholding
from pi_opensync.privacy.projects import Policy
from pi_opensync.store.database import Database
from pi_opensync.store.outbox import Outbox, SessionMemory
from pi_opensync.store.sessions import Reading, Sessions
from pi_opensync.store.transcripts import BROKEN, Transcript, Transcripts

RESULTS_WITHIN = 2.0  # seconds that a message waits for the results of its calls
LONGEST_TYPE = 200  # characters of an unknown type that are kept


@dataclass(slots=True)
class _Open:
    """A session that a piece adds to."""

    reading: Reading
    state: SessionState
    memory: SessionMemory
    length: int


class Intake:
    """`is_held` says whether the file that a session is read from still holds it."""

    def __init__(
        self,
        database: Database,
        options: Options,
        policy: Policy,
        *,
        clean: Cleaner,
        find_parent: Callable[[str], Parent],
        is_held: Callable[[Reading], bool],
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._transcripts = Transcripts(database)
        self._sessions = Sessions(database)
        self._outbox = Outbox(database)
        self._options = options
        self._policy = policy
        self._clean = clean
        self._find_parent = find_parent
        self._is_held = is_held
        self._now = now
        self.disturbed: set[bytes] = set()  # copies that turned out to hold more of their session

    def take(self, transcript: Transcript, piece: Piece, *, live: bool) -> None:
        self._name_children(transcript.path)
        touched: dict[int, _Open] = {}
        under = self._open(transcript.session_id, touched)
        for line in piece.lines:
            for item in self._decoded(transcript, line):
                if isinstance(item, Header):
                    transcript, under = self._switch(transcript, under, item, touched)
                elif under is not None:
                    self._fold(transcript, under, item, line)
                elif transcript.copy_of is None and transcript.excluded is None:
                    self._note_broken(transcript, line)
            if under is not None:
                under.length += line.length + 1
            elif transcript.copy_of is not None:
                transcript = replace(transcript, copy_bytes=transcript.copy_bytes + line.length + 1)
        self._transcripts.save(replace(transcript, cursor=piece.cursor, at_end=piece.at_end))
        for opened in touched.values():
            self._settle(opened, at_end=piece.at_end, live=live)

    def _name_children(self, path: bytes) -> None:
        """Give the forks of this file, met before it could be read, their parent's id."""
        name = os.fsdecode(path.rpartition(b"/")[2])
        for child in self._sessions.guessed(self.name(name)):
            parent = self._find_parent(name)
            if parent.guessed_from is None and parent.id is not None and child.state is not None:
                state = msgspec.structs.replace(child.state, parent_id=texts.well_formed(parent.id))
                self._sessions.update(child.id, guessed_parent=None)
                self.save(child.id, state)
                self._sessions.wake(child.id, self._now(), live=False)

    def _decoded(self, transcript: Transcript, line: Line) -> Iterator[Entry | Header]:
        if line.data is None:
            self._note_broken(transcript, line)
            return
        for item in decode_line(line.data):
            if isinstance(item, Broken):
                start = line.offset + item.start
                self._transcripts.note(transcript.id, BROKEN, start, line.offset + item.end)
            else:
                yield item

    def _note_broken(self, transcript: Transcript, line: Line) -> None:
        self._transcripts.note(transcript.id, BROKEN, line.offset, line.offset + line.length)

    def _open(self, session_id: int | None, touched: dict[int, _Open]) -> _Open | None:
        if session_id is None:
            return None
        if session_id not in touched:
            reading = self._sessions.reading(session_id)
            if reading is None or reading.state is None:
                return None
            memory = SessionMemory(self._database, reading.id, reading.generation)
            touched[session_id] = _Open(reading, reading.state, memory, reading.length)
        return touched[session_id]

    def _switch(
        self, transcript: Transcript, under: _Open | None, header: Header, touched: dict[int, _Open]
    ) -> tuple[Transcript, _Open | None]:
        """The session that a header begins or goes on with; None where it is not to be read here."""
        excluded = self._policy.reason(header.cwd)
        if excluded is not None:
            project = None if header.cwd is None else self.name(header.cwd)
            return replace(transcript, session_id=None, excluded=excluded, excluded_project=project), None
        key = external_id(header)
        if under is not None and under.reading.external_id == key:
            return transcript, under
        known = self._sessions.reading_of(key)
        if known is not None and known.transcript_id != transcript.id:
            if self._is_held(known):
                return replace(transcript, session_id=None, copy_of=known.id, copy_bytes=0), None
            self._sessions.forget_history(known.id)
            touched.pop(known.id, None)
            known = None
        if known is None or known.state is None:
            known = self._begin(transcript, header)
        return replace(transcript, session_id=known.id), self._open(known.id, touched)

    def _begin(self, transcript: Transcript, header: Header) -> Reading:
        parent = self._find_parent(header.parent) if header.parent is not None else Parent(None)
        try:
            state = begin(header, parent.id, self._clean)
        except CannotRedact:
            state = begin(header, parent.id, Withholding())
        wanted = payloads.session_payload(state, extras=self._options.extras)
        return self._sessions.begin(
            state,
            transcript.id,
            payloads.encode(wanted),
            payloads.digest(wanted),
            guessed_parent=None if parent.guessed_from is None else self.name(parent.guessed_from),
            project=None if header.cwd is None else self.name(header.cwd),
        )

    def name(self, text: str) -> str:
        """A path or a name as it may be kept."""
        return self._clean.or_withheld(text)

    def _fold(self, transcript: Transcript, under: _Open, entry: Entry, line: Line) -> None:
        parked = None
        try:
            try:
                step = self._step(under, entry, self._clean)
            except RecursionError:
                entries = [item for item in flattened(line.data or b"") if isinstance(item, Entry)]
                if not entries:
                    self._note_broken(transcript, line)
                    return
                entry = entries[0]
                step = self._step(under, entry, self._clean)
        except CannotRedact:
            parked = WITHHELD
            step = self._step(under, entry, Withholding())
        under.state = step.state
        if step.repeat:
            return
        if entry.id is not None:
            under.memory.remember(entry.id)
        if step.unknown is not None:
            kind = self.name(step.unknown)[:LONGEST_TYPE]
            self._transcripts.note(transcript.id, kind, line.offset, line.offset + line.length)
        if step.message is not None:
            self._put(under, step.message, entry, parked)

    def _step(self, under: _Open, entry: Entry, clean: Cleaner) -> Step:
        return fold(under.state, entry, under.memory, self._options, clean)

    def _put(self, under: _Open, message: Message, entry: Entry, parked: str | None) -> None:
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
            parked=parked,
        )

    def _settle(self, opened: _Open, *, at_end: bool, live: bool) -> None:
        now = self._now()
        session_id = opened.reading.id
        self.save(session_id, opened.state)
        self._sessions.save_length(session_id, opened.length)
        if at_end:
            self.disturbed.update(self._transcripts.longer_copies(session_id, opened.length))
        else:
            self._outbox.hold(session_id, now + RESULTS_WITHIN)
        if at_end or live:
            self._sessions.wake(session_id, now, live=live)

    def save(self, session_id: int, state: SessionState) -> None:
        wanted = payloads.session_payload(state, extras=self._options.extras)
        self._sessions.save_state(session_id, state, payloads.encode(wanted), payloads.digest(wanted))
