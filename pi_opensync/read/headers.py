"""Sessions at their headers: begun, joined by further files, and saved as they were folded."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pi_opensync import texts
from pi_opensync.fold import Origin, begin, counts_alike, external_id, joined, title
from pi_opensync.model import Header, Options, Session, Whereabouts
from pi_opensync.opensync import payloads
from pi_opensync.pi.parents import file_key, first_header
from pi_opensync.privacy.cleaner import CannotRedact, Cleaner, Withholding
from pi_opensync.privacy.judge import Judge
from pi_opensync.read.families import is_older, is_there
from pi_opensync.read.lineage import Lineage, lineage_of
from pi_opensync.read.worktrees import repository_of
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.readings import Reading, Readings
from pi_opensync.store.transcripts import Transcript, Transcripts


class OutOfOrder(Exception):  # noqa: N818 - named for what happened
    """A session's files must be read again, together: `session_ids` are theirs."""

    def __init__(self, *session_ids: int) -> None:
        super().__init__()
        self.session_ids = session_ids


@dataclass(frozen=True, slots=True)
class BegunSession:
    """A session that was begun, and what else is to be done since it is known.

    `recounted` are sessions whose subagent it is, `anew` those whose parent it is, to be read again;
    `orphans` are files without a header that may go on with it.
    """

    reading: Reading
    recounted: Sequence[int]
    anew: Sequence[int]
    orphans: Sequence[bytes]


class Headers:
    """To be used in the transaction that moves the cursors."""

    def __init__(
        self,
        database: StateDatabase,
        options: Options,
        clean: Cleaner,
        judge: Judge,
        folders: tuple[Path, ...],
    ) -> None:
        self._transcripts = Transcripts(database)
        self._readings = Readings(database)
        self._options = options
        self._clean = clean
        self._judge = judge
        self._folders = folders

    def begin(self, transcript: Transcript, header: Header) -> BegunSession:
        """Add the session, or start its history anew from this transcript."""
        path = transcript.path
        lineage = self._lineage(header, path)
        known = self._readings.by_external_id(external_id(header))
        holders = [] if known is None else self._transcripts.of_session(known.id)
        is_alone = all(one.id == transcript.id for one in holders)
        key = file_key(texts.shown_path(path))
        session = self._session(header, self._origin(header, lineage, key), is_alone=is_alone)
        wanted = self._body(None, session, path)
        begun = self._readings.begin(
            session,
            transcript.id,
            wanted,
            payloads.digest(wanted),
            pi_id=texts.storable(self._clean.or_withheld(header.id)),
            file_key=key,
            guessed_parent=None if lineage.guessed_from is None else self._judge.name(lineage.guessed_from),
            project=None if header.cwd is None else self._judge.name(header.cwd),
            lineage=lineage.projects,
            withheld_before=lineage.withheld_before,
        )
        # A child in this very file is read with it.
        anew = [child.id for child, _files in self._guessing(transcript)]
        recounted = [parent.id for parent in self._readings.delegating_to(key)]
        return BegunSession(begun, recounted, anew, self._met_before(header.id))

    def found_again(self, transcript: Transcript) -> list[int]:
        """The sessions whose parent stands in this file, and was not found there while it was rewritten."""
        return [child.id for child, files in self._guessing(transcript) if any(map(self._names_it, files))]

    def _guessing(self, transcript: Transcript) -> Iterator[tuple[Reading, list[Transcript]]]:
        """The sessions of other files whose parent's id was only guessed from this file's name."""
        for child in self._readings.guessed(self._file_name(transcript.path)):
            files = [one for one in self._transcripts.of_session(child.id) if one.id != transcript.id]
            if files:
                yield child, files

    def _names_it(self, child: Transcript) -> bool:
        """Whether the parent that the file names is found now."""
        header = first_header(child.path)
        if header is None or header.parent is None:
            return False
        return self._lineage(header, child.path).guessed_from is None

    def join(self, path: bytes, known: Reading, session: Session, header: Header) -> Reading:
        """Take another file of a session that is known: what its header says counts as if it was met first.

        Raises `OutOfOrder` where what was counted would count otherwise, or came out of a file that is gone.
        """
        if not known.is_rootless and not all(map(is_there, self._transcripts.of_session(known.id))):
            raise OutOfOrder(known.id)
        lineage = self._lineage(header, path)
        origin = self._origin(header, lineage, file_key(texts.shown_path(path)))
        try:
            both = joined(session, header, origin, self._clean)
        except CannotRedact:
            both = joined(session, header, origin, Withholding())
        if session.last_at is not None and not counts_alike(session, both):
            raise OutOfOrder(known.id)
        withheld = max(known.withheld_before or 0, lineage.withheld_before or 0) or None
        if session.last_at is not None and withheld != known.withheld_before:
            raise OutOfOrder(known.id)
        projects = tuple(dict.fromkeys([*known.lineage, *lineage.projects]))
        values = {"lineage": msgspec.msgpack.encode(projects), "withheld_before": withheld}
        self._readings.update(known.id, **values)
        self.save(known, both)
        return replace(known, session=both, lineage=projects, withheld_before=withheld)

    def save(self, reading: Reading, session: Session) -> None:
        """Write the session as it was folded, and what is wanted of it on the dashboard."""
        transcript = self._transcripts.by_id(reading.transcript_id)
        wanted = self._body(reading.id, session, None if transcript is None else transcript.path)
        self._readings.save(reading.id, session, wanted, payloads.digest(wanted))

    def _body(self, session_id: int | None, session: Session, path: bytes | None) -> bytes:
        delegated = payloads.NOTHING
        if session.has_delegations and session_id is not None:
            delegated = self._readings.delegated(session_id)
        extras = self._whereabouts(session, path) if self._options.extras else None
        payload = payloads.session_payload(session, title(session), delegated=delegated, extras=extras)
        return payloads.encode(payload)

    def _whereabouts(self, session: Session, path: bytes | None) -> Whereabouts:
        file = None if path is None else self._judge.name(texts.shown_path(path))
        repository = None if session.cwd is None else repository_of(session.cwd)
        if repository is not None:
            is_told = self._judge.reason(repository) is None
            repository = self._judge.name(repository) if is_told else None
        return Whereabouts(file, self._options.machine, repository)

    def _lineage(self, header: Header, path: bytes) -> Lineage:
        return lineage_of(header, path, self._folders, self._judge, self._transcripts)

    def _origin(self, header: Header, lineage: Lineage, key: str) -> Origin:
        """A transcript that an older session's tool result names is its subagent's, wherever it lies."""
        asking = [
            one.pi_id or one.external_id
            for one in self._readings.delegating_to(key)
            if one.session is not None and is_older(one.session, header.timestamp)
        ]
        if not asking:
            return lineage.origin
        return Origin(lineage.origin.parent_id or min(asking), is_subagent=True)

    def _session(self, header: Header, origin: Origin, *, is_alone: bool) -> Session:
        try:
            return begin(header, origin, self._clean, is_alone=is_alone)
        except CannotRedact:
            return begin(header, origin, Withholding(), is_alone=is_alone)

    def _met_before(self, pi_id: str) -> list[bytes]:
        """The files without a header that bear the session's id in their names."""
        name = os.fsencode(texts.storable(pi_id))
        return [one.path for one in self._transcripts.odd() if name in one.path]

    def _file_name(self, path: bytes) -> str:
        """The file's name as it may be kept."""
        return self._judge.name(os.fsdecode(path.rpartition(b"/")[2]))
