"""Lines of transcripts into rows of the store: headers begin sessions, entries are folded into them.

A session is the union of its files by entry. Everything here runs in the transaction that moves the cursors.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from pi_opensync import texts
from pi_opensync.fold import external_id, fold, open_calls
from pi_opensync.model import Booked, Broken, Event, Header, Options, Session
from pi_opensync.opensync import payloads
from pi_opensync.pi.entries import Entry
from pi_opensync.pi.parents import file_key
from pi_opensync.pi.tail import Line
from pi_opensync.pi.translate import answered, translate
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.read.families import age, is_new
from pi_opensync.read.headers import Headers, OutOfOrder
from pi_opensync.read.sources import Source, Written
from pi_opensync.store.booked_usage import UsageRows
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.memory import SessionMemory
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.readings import Reading, Readings
from pi_opensync.store.transcripts import BROKEN, Transcript, Transcripts

RESULTS_WITHIN = 2.0  # seconds that a message waits for the results of its calls
LONGEST_TYPE = 200  # characters of an unknown type that are kept
COPIED = "entries copied out of an excluded project"


@dataclass(slots=True)
class _Open:
    """A session that is added to. `latest_elsewhere`: of its other files, the latest moment read (ms)."""

    reading: Reading
    session: Session
    memory: SessionMemory
    latest_elsewhere: dict[int, int | None] = field(default_factory=dict)
    alone_in: set[int] = field(default_factory=set)  # the file that alone holds it
    booked: list[Booked] = field(default_factory=list)


class Union:
    """One read's worth of lines, of one or several files. To be used once, in a transaction."""

    def __init__(
        self,
        database: StateDatabase,
        options: Options,
        clean: Cleaner,
        judge: Judge,
        folders: tuple[Path, ...],
        *,
        now: float,
        judged: Mapping[str | None, str | None] | None = None,
    ) -> None:
        """`judged`: of the projects that were looked at for this read, why they stay here."""
        self._database = database
        self._transcripts = Transcripts(database)
        self._readings = Readings(database)
        self._outbox = Outbox(database)
        self._options = options
        self._clean = clean
        self._judge = judge
        self._headers = Headers(database, options, clean, judge, folders)
        self._now = now
        self._judged = dict(judged or {})
        self._open: dict[int, _Open] = {}
        self._under: dict[int, int | None] = {}
        self._left_out: dict[int, Counter[str]] = {}
        self._recounted: set[int] = set()  # sessions whose subagents became known
        self._anew: set[int] = set()  # sessions whose parent became known
        self._orphans: set[bytes] = set()  # files without a header whose session became known

    def take(self, source: Source, written: Written) -> None:
        """Raises `OutOfOrder` where the entry is older than what was read from another file."""
        transcript = source.transcript
        under = self._session_under(source)
        for item in written.items:
            if isinstance(item, Header):
                under = self._switch(source, under, item)
            elif isinstance(item, Broken):
                start = written.line.offset + item.start
                self._transcripts.note(transcript.id, BROKEN, start, written.line.offset + item.end)
            elif under is not None:
                self._entry(source, under, item, written.line, written.at)

    def take_open_end(self, source: Source, line: Line, entry: Entry, at: int) -> None:
        """A last line without its newline: read again with it, it is the same entry. Raises as `take`."""
        under = self._session_under(source)
        if under is not None and entry.id is not None and under.session.is_keyed_by_id:
            self._entry(source, under, entry, line, at)

    def _session_under(self, source: Source) -> _Open | None:
        transcript = source.transcript
        session_id = self._under.setdefault(transcript.id, transcript.session_id)
        return None if session_id is None else self._opened(session_id, transcript.id)

    def _opened(self, session_id: int, transcript_id: int) -> _Open | None:
        if session_id not in self._open:
            reading = self._readings.by_id(session_id)
            if reading is None or reading.session is None:
                return None
            memory = SessionMemory(
                self._database, reading.id, reading.generation, threads=self._options.extras
            )
            self._open[session_id] = _Open(reading, reading.session, memory)
        opened = self._open[session_id]
        if transcript_id not in opened.latest_elsewhere:
            others = [one for one in self._transcripts.of_session(session_id) if one.id != transcript_id]
            finished = [one.latest_at or 0 for one in others if not one.merging]
            opened.latest_elsewhere[transcript_id] = max(finished, default=None)
            if not others:
                opened.alone_in.add(transcript_id)
        return opened

    # headers

    def _switch(self, source: Source, under: _Open | None, header: Header) -> _Open | None:
        """The session that a header begins or goes on with; None where it is not to be read here."""
        transcript = source.transcript
        reason = self._reason(header.cwd)
        if reason is not None:
            project = None if header.cwd is None else self._judge.name(header.cwd)
            source.transcript = replace(transcript, excluded=reason, excluded_project=project)
            self._under[transcript.id] = None
            return None
        key = external_id(header)
        if under is not None and under.reading.external_id == key:
            return under
        known = self._readings.by_external_id(key)
        if known is None or known.session is None or known.excluded is not None:
            known = self._begin(transcript, header)
        else:
            known = self._join(transcript.path, known, known.session, header)
        self._transcripts.hold(known.id, transcript.id)
        self._under[transcript.id] = known.id
        return self._opened(known.id, transcript.id)

    def _begin(self, transcript: Transcript, header: Header) -> Reading:
        begun = self._headers.begin(transcript, header)
        self._recounted.update(begun.recounted)
        self._anew.update(begun.anew)
        self._orphans.update(begun.orphans)
        self._open.pop(begun.reading.id, None)
        return begun.reading

    def _join(self, path: bytes, known: Reading, session: Session, header: Header) -> Reading:
        opened = self._open.pop(known.id, None)
        if opened is None:
            return self._headers.join(path, known, session, header)
        self._keep(opened)
        return self._headers.join(path, known, opened.session, header)

    def _reason(self, project: str | None) -> str | None:
        """Why the project stays here, looked at once in a read."""
        if project not in self._judged:
            self._judged[project] = self._judge.reason(project)
        return self._judged[project]

    # entries

    def _entry(self, source: Source, under: _Open, entry: Entry, line: Line, at: int) -> None:
        transcript_id = source.transcript.id
        event = translate(entry, line.data or b"", self._options, self._clean, under.session)
        if event is None:
            self._transcripts.note(transcript_id, BROKEN, line.offset, line.offset + line.length)
            return
        if under.reading.withheld_before is not None and (event.at or 0) < under.reading.withheld_before:
            self._leave_out(transcript_id, [COPIED])
            return
        if under.session.position == 0 and under.session.last_at is None:
            under = self._recognise(source, under, event)
        is_alone = transcript_id in under.alone_in
        extras = self._options.extras
        step = fold(under.session, event, under.memory, extras=extras, is_alone=is_alone)
        if step.is_repeat:
            return
        elsewhere = under.latest_elsewhere.get(transcript_id)
        if elsewhere is not None and at <= elsewhere:
            raise OutOfOrder(under.reading.id)
        under.session = step.session
        under.booked += step.booked
        shown = None if step.message is None else step.message.external_id
        under.memory.remember(step.key, parent_id=event.parent_id, message_id=shown)
        if event.unknown is not None:
            kind = event.unknown[:LONGEST_TYPE]
            self._transcripts.note(transcript_id, kind, line.offset, line.offset + line.length)
        self._leave_out(transcript_id, event.left_out)
        if step.delegations:
            pairs = [(file_key(one.file), one) for one in step.delegations]
            self._readings.delegate(under.reading.id, pairs)
            children = [child for key, _usage in pairs for child in self._readings.in_file(key)]
            self._anew.update(
                one.id for one in children if one.session and is_new(one.session, under.session)
            )
        message = answered(step.message, event, self._clean, under.session)
        if message is not None:
            body = payloads.message_body(message, under.reading.external_id, extras=self._options.extras)
            written = event.at / 1000 if event.at is not None else self._now
            waits = bool(open_calls(message.parts))
            self._outbox.put(
                under.reading.id,
                under.reading.generation,
                message,
                body,
                payloads.digest(body),
                not_before=min(written, self._now) + RESULTS_WITHIN if waits else 0.0,
                parked=event.parked,
            )

    def _recognise(self, source: Source, under: _Open, event: Event) -> _Open:
        """The session that a first entry belongs to: a copy under another id counts nothing twice.

        Of sessions that begin alike the oldest is the original. Those of the same custom id are copies of
        it, those of another id forks whose header does not say so. Raises `OutOfOrder` where it is this one,
        and others must be read again.
        """
        if under.session.has_parent:
            return under
        first = texts.storable(f"{event.key}@{event.at}")
        others = [
            (one, one.session)
            for one in self._readings.by_first_entry(first)
            if one.session is not None and not one.session.has_parent and one.id != under.reading.id
        ]
        younger = [one.id for one, session in others if age(session) > age(under.session)]
        if younger:
            raise OutOfOrder(*younger)
        if not others:
            # Forks are not found by it: of one that is known by its first entry there is never a crowd.
            self._readings.update(under.reading.id, first_entry=first)
            return under
        original = min(others, key=lambda pair: age(pair[1]))[0]
        if original.pi_id == under.reading.pi_id:
            return self._as_copy(source, under, original)
        under.session = msgspec.structs.replace(
            under.session, has_parent=True, parent_id=original.external_id
        )
        return under

    def _as_copy(self, source: Source, under: _Open, original: Reading) -> _Open:
        """Read on as another file of the original; of the session under its own id nothing is wanted."""
        self._outbox.withdraw(under.reading.id)
        self._readings.give_up(under.reading.id)
        self._open.pop(under.reading.id)
        self._transcripts.hold(original.id, source.transcript.id)
        self._under[source.transcript.id] = original.id
        opened = self._opened(original.id, source.transcript.id)
        assert opened is not None  # noqa: S101 - it has a session
        return opened

    def _leave_out(self, transcript_id: int, kinds: list[str] | tuple[str, ...]) -> None:
        for kind in kinds:
            self._left_out.setdefault(transcript_id, Counter())[kind] += 1

    # what came of it

    def close(self, sources: list[Source], *, live: bool) -> tuple[set[int], set[bytes]]:
        """Save the cursors and the sessions, and wake delivery.

        Returns the sessions that must be read anew, as their parent became known, and the files without a
        header that must be looked at again, as their session did.
        """
        for source in sources:
            self._session_under(source)  # also where no line was left: what waited for the end is sent
            transcript = source.moved()
            under = self._under.get(transcript.id, transcript.session_id)
            odd = self._odd(transcript)
            self._transcripts.save(replace(transcript, session_id=under, odd=odd))
            if odd is not None:
                self._transcripts.forget_notes(transcript.id)  # lines of something else are not broken
            self._transcripts.leave_out(transcript.id, self._left_out.get(transcript.id, {}))
            if under is not None:
                self._anew.update(self._headers.found_again(transcript))
        at_end = all(source.is_at_end for source in sources)
        for opened in self._open.values():
            self._keep(opened)
            self._headers.save(opened.reading, opened.session)
            if not at_end:
                self._outbox.hold(opened.reading.id, self._now + RESULTS_WITHIN)
            if at_end or live:
                self._readings.wake(opened.reading.id, self._now, live=live)
        for session_id in self._recounted:
            reading = self._readings.by_id(session_id)
            if reading is not None and reading.session is not None:
                self._headers.save(reading, reading.session)
                self._readings.wake(session_id, self._now, live=False)
        return self._anew, self._orphans

    def _keep(self, opened: _Open) -> None:
        opened.memory.keep()
        UsageRows(self._database).add(opened.reading.id, opened.booked)

    def _odd(self, transcript: Transcript) -> str | None:
        """Why the file holds no session, where it was read to its end and holds none."""
        if not transcript.at_end or transcript.excluded or self._transcripts.sessions_of(transcript.id):
            return None
        return "it is empty" if transcript.signature.size == 0 else "it holds no session of pi's"
