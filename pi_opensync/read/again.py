"""What was read before, held against the policy and the settings as they are now.

What is excluded since is taken back; what waits and was read under other settings is read anew, or, where
its transcript is gone, cleaned as it stands; what an older version read is read again by this one.
"""

import os

import msgspec

from pi_opensync.fold import FOLD_VERSION, title
from pi_opensync.model import Options, Whereabouts
from pi_opensync.opensync import payloads
from pi_opensync.pi.parents import first_header
from pi_opensync.privacy.cleaner import WITHHELD, CannotRedact, Cleaner, Withholding
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.projects import HIDDEN_HOME
from pi_opensync.read.families import Families
from pi_opensync.read.lineage import withheld_before
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.readings import Reading, Readings
from pi_opensync.store.transcripts import Transcripts

Paths = tuple[bytes, ...]


class Again:
    """Says which transcripts must be read anew, and makes ready for it. Each raises `StoreUnavailable`."""

    def __init__(self, database: StateDatabase, options: Options, judge: Judge, clean: Cleaner) -> None:
        self._database = database
        self._transcripts = Transcripts(database)
        self._readings = Readings(database)
        self._outbox = Outbox(database)
        self._families = Families(database)
        self._options = options
        self._judge = judge
        self._clean = clean
        self._folders: dict[tuple[int, str], str | None] = {}  # of projects whose names were redacted

    def by_policy(self) -> Paths:
        """Take back what was excluded since it was read, and take up what no longer is."""
        paths: list[bytes] = []
        for project in self._readings.projects():
            if not _is_redacted(project) and self._judge.reason(project) is None:
                continue
            for reading in self._readings.of_project(project):
                reason = self._reason(project, reading.transcript_id)
                if reason is None:
                    if _is_redacted(project):
                        continue
                    break  # nor any other of this project
                with self._database.transaction():
                    self._outbox.withdraw(reading.id)
                    paths += self._families.start_anew([reading.id])
                    self._readings.exclude(reading.id, reason, payloads.without_content(reading.external_id))
        for reading in self._readings.with_lineage():
            if withheld_before(reading.lineage, self._judge) != reading.withheld_before:
                with self._database.transaction():
                    self._outbox.withdraw(reading.id)
                    paths += self._families.start_anew([reading.id])
        for transcript in self._transcripts.excluded():
            if self._reason(transcript.excluded_project, transcript.id) is None:
                with self._database.transaction():
                    paths += self._families.start_anew_at(transcript)
        return tuple(dict.fromkeys(paths))

    def by_settings(self, fingerprint: str) -> Paths:
        """Read again what waits and was read under other settings, and all that an older version read."""
        with self._database.transaction():
            paths = self._by_version()
            before = self._database.meta("read_under")
            if before != fingerprint:
                if before is not None:
                    paths += self._under_other_settings()
                self._database.set_meta("read_under", fingerprint)
        return tuple(dict.fromkeys(paths))

    def sessions(self, external_ids: list[str]) -> Paths:
        """Read these sessions anew: of a message that has no row, its transcript is what is left."""
        with self._database.transaction():
            found = [self._readings.by_external_id(external_id) for external_id in external_ids]
            return self._families.start_anew(one.id for one in found if one is not None)

    def _by_version(self) -> Paths:
        if self._database.meta("fold_version") == FOLD_VERSION:
            return ()
        self._database.set_meta("fold_version", FOLD_VERSION)
        return self._families.start_anew([reading.id for reading in self._readings.all()])

    def _under_other_settings(self) -> Paths:
        paths: Paths = ()
        for session_id in self._readings.with_something_kept():
            if any(os.path.lexists(one.path) for one in self._transcripts.of_session(session_id)):
                self._outbox.withdraw(session_id)
                paths += self._families.start_anew([session_id])
            else:
                self._clean_waiting(session_id)
        for reading in self._readings.all():
            self._clean_session(reading)
        return paths

    def _reason(self, project: str | None, transcript_id: int) -> str | None:
        """Why a project stays here. Of a name that was redacted, the transcript knows the rest."""
        if project is None or not _is_redacted(project):
            return self._judge.reason(project)
        key = transcript_id, project
        if key not in self._folders:
            transcript = self._transcripts.by_id(transcript_id)
            header = None if transcript is None else first_header(transcript.path)
            known = header is not None and header.cwd is not None and self._judge.name(header.cwd) == project
            self._folders[key] = header.cwd if known and header is not None else project
        return self._judge.reason(self._folders[key])

    def _clean_waiting(self, session_id: int) -> None:
        for message_id, wanted in self._outbox.kept(session_id):
            try:
                payload, parked = payloads.cleaned(wanted, self._clean, self._options), None
            except CannotRedact:
                payload, parked = payloads.cleaned(wanted, Withholding(), self._options), WITHHELD
            body = payloads.encode(payload)
            self._outbox.rewrite(message_id, body, payloads.digest(body), parked)

    def _clean_session(self, reading: Reading) -> None:
        session = reading.session
        if session is None:
            return
        cleaned = msgspec.structs.replace(
            session,
            cwd=self._cleaned(session.cwd),
            name=self._cleaned(session.name),
            first_text=self._cleaned(session.first_text),
        )
        if cleaned != session or self._options.extras:
            extras = Whereabouts(machine=self._options.machine) if self._options.extras else None
            delegated = self._readings.delegated(reading.id)
            payload = payloads.session_payload(cleaned, title(cleaned), delegated=delegated, extras=extras)
            wanted = payloads.encode(payload)
            self._readings.save(reading.id, cleaned, wanted, payloads.digest(wanted))
            self._readings.wake(reading.id, 0.0, live=False)
        self._readings.update(reading.id, project=self._cleaned(reading.project))

    def _cleaned(self, text: str | None) -> str | None:
        return None if text is None else self._clean.or_withheld(text)


def _is_redacted(project: str | None) -> bool:
    return project is not None and ("[REDACTED:" in project.replace(HIDDEN_HOME, "") or project == WITHHELD)
