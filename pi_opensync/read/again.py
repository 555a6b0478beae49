"""What was read before, held against the policy and the settings as they are now.

What is excluded since is taken back; what waits and was read under other settings is read anew, or, where
its transcript is gone, cleaned as it stands.
"""

import os
from collections.abc import Callable, Iterable

import msgspec

from pi_opensync.fold import SessionState
from pi_opensync.opensync import payloads
from pi_opensync.pi.parents import first_header
from pi_opensync.pi.translate import Options
from pi_opensync.privacy.cleaner import WITHHELD, CannotRedact, Cleaner, Withholding
from pi_opensync.privacy.projects import HIDDEN_HOME, Policy
from pi_opensync.store.database import Database
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.sessions import Sessions
from pi_opensync.store.transcripts import Transcript, Transcripts


class Review:
    def __init__(
        self,
        database: Database,
        options: Options,
        policy: Policy,
        *,
        clean: Cleaner,
        restart: Callable[[Transcript], object],
        save: Callable[[int, SessionState], None],
        now: Callable[[], float],
    ) -> None:
        """`restart` makes a transcript as if it was never read, `save` keeps the state of a session."""
        self._database = database
        self._transcripts = Transcripts(database)
        self._sessions = Sessions(database)
        self._outbox = Outbox(database)
        self._options = options
        self._policy = policy
        self._clean = clean
        self._restart = restart
        self._save = save
        self._now = now
        self._folders: dict[tuple[int, str], str | None] = {}  # of projects whose names were redacted

    def by_policy(self) -> list[bytes]:
        """Take back what was excluded since it was read; returns the files to read anew."""
        anew: set[int] = set()
        for project in self._sessions.projects():
            for session_id, transcript_id in self._sessions.of_project(project):
                reason = self._reason(project, transcript_id)
                if reason is None:
                    if _is_redacted(project):
                        continue
                    break  # nor any other of this project
                with self._database.transaction():
                    self._withdraw(session_id)
                    self._sessions.exclude(session_id, reason)
                anew.add(transcript_id)
        allowed = (
            transcript.id
            for transcript in self._transcripts.excluded()
            if self._reason(transcript.excluded_project, transcript.id) is None
        )
        return self._read_anew({*anew, *allowed})

    def by_settings(self, fingerprint: str) -> list[bytes]:
        """Look again at what was read under other settings; returns the files to read anew."""
        before = self._database.meta("read_under")
        if before == fingerprint:
            return []
        anew: set[int] = set()
        with self._database.transaction():
            if before is not None:
                for session_id, transcript_id in self._sessions.with_something_kept():
                    if self._is_there(transcript_id):
                        self._withdraw(session_id)
                        anew.add(transcript_id)
                    else:
                        self._clean_waiting(session_id)
                self._clean_sessions()
            self._database.set_meta("read_under", fingerprint)
        return self._read_anew(anew)

    def _reason(self, project: str | None, transcript_id: int) -> str | None:
        """Why a project stays here. Of a name that was redacted, the transcript knows the rest."""
        if project is None or not _is_redacted(project):
            return self._policy.reason(project)
        key = transcript_id, project
        if key not in self._folders:
            transcript = self._transcripts.by_id(transcript_id)
            header = None if transcript is None else first_header(transcript.path)
            known = header is not None and self._cleaned(header.cwd) == project
            self._folders[key] = header.cwd if known and header is not None else project
        return self._policy.reason(self._folders[key])

    def _is_there(self, transcript_id: int) -> bool:
        transcript = self._transcripts.by_id(transcript_id)
        return transcript is not None and os.path.lexists(transcript.path)

    def _withdraw(self, session_id: int) -> None:
        self._outbox.withdraw(session_id)
        self._sessions.forget_history(session_id)

    def _clean_waiting(self, session_id: int) -> None:
        for message_id, wanted in self._outbox.kept(session_id):
            try:
                payload, parked = payloads.cleaned(wanted, self._clean, self._options), None
            except CannotRedact:
                payload, parked = payloads.cleaned(wanted, Withholding(), self._options), WITHHELD
            self._outbox.rewrite(message_id, payloads.encode(payload), payloads.digest(payload), parked)

    def _clean_sessions(self) -> None:
        for session_id, state, project in self._sessions.states():
            cleaned = msgspec.structs.replace(
                state,
                cwd=self._cleaned(state.cwd),
                name=self._cleaned(state.name),
                first_text=self._cleaned(state.first_text),
            )
            if cleaned != state:
                self._save(session_id, cleaned)
                self._sessions.wake(session_id, self._now(), live=False)
            self._sessions.update(session_id, project=self._cleaned(project))

    def _cleaned(self, text: str | None) -> str | None:
        return None if text is None else self._clean.or_withheld(text)

    def _read_anew(self, transcript_ids: Iterable[int]) -> list[bytes]:
        paths: list[bytes] = []
        for transcript_id in transcript_ids:
            transcript = self._transcripts.by_id(transcript_id)
            if transcript is not None:
                self._restart(transcript)
                paths.append(transcript.path)
        return paths


def _is_redacted(project: str | None) -> bool:
    return project is not None and ("[REDACTED:" in project.replace(HIDDEN_HOME, "") or project == WITHHELD)
