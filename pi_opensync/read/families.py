"""The files that hold one session, and those that share one with them; what is forgotten of them together."""

import os
from collections.abc import Iterable
from dataclasses import replace

from pi_opensync import texts
from pi_opensync.model import Session
from pi_opensync.pi.tail import START
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.readings import Readings
from pi_opensync.store.transcripts import Transcript, Transcripts


class Families:
    """Transcripts that are read together, as they hold the same sessions."""

    def __init__(self, database: StateDatabase) -> None:
        self._transcripts = Transcripts(database)
        self._readings = Readings(database)

    def of(self, session_ids: Iterable[int]) -> tuple[list[Transcript], set[int]]:
        """The files that hold these sessions, and those that share sessions with them; and all sessions."""
        sessions: set[int] = set()
        transcripts: dict[int, Transcript] = {}
        pending = list(session_ids)
        while pending:
            session_id = pending.pop()
            if session_id in sessions:
                continue
            sessions.add(session_id)
            for transcript in self._transcripts.of_session(session_id):
                if not is_there(transcript):
                    continue
                transcripts[transcript.id] = transcript
                pending += self._transcripts.sessions_of(transcript.id)
        return sorted(transcripts.values(), key=lambda one: one.path), sessions

    def start_anew(self, session_ids: Iterable[int]) -> tuple[bytes, ...]:
        """Forget what was read of these sessions; returns the files to read again.

        What was delivered of them stays known. To be called in a transaction.
        """
        wanted = set(session_ids)
        paths: list[bytes] = []
        while wanted:
            transcripts, sessions = self.of(wanted)
            wanted -= sessions
            for session_id in sessions:
                self._forget(session_id)
            for transcript in transcripts:
                self._reset(transcript, merging=len(transcripts) > 1)
                paths.append(transcript.path)
        return tuple(paths)

    def start_anew_at(self, transcript: Transcript) -> tuple[bytes, ...]:
        """The same for the sessions of a file; also where it holds none. To be called in a transaction."""
        paths = self.start_anew(self._transcripts.sessions_of(transcript.id))
        self._reset(transcript, merging=False)
        self._transcripts.let_go(transcript.id)
        return tuple(dict.fromkeys([transcript.path, *paths]))

    def _forget(self, session_id: int) -> None:
        reading = self._readings.by_id(session_id)
        if reading is not None and not reading.is_rootless:
            self._readings.forget_history(session_id)
            for transcript in self._transcripts.of_session(session_id):
                if not is_there(transcript):
                    self._reset(transcript, merging=False)
                    self._transcripts.let_go(transcript.id)

    def _reset(self, transcript: Transcript, *, merging: bool) -> None:
        """The transcript as if it was never read."""
        self._transcripts.forget_notes(transcript.id)
        self._transcripts.save(
            replace(
                transcript,
                cursor=START,
                at_end=False,
                session_id=None,
                shrunk_at=None,
                excluded=None,
                excluded_project=None,
                latest_at=None,
                odd=None,
                merging=merging,
            )
        )


def is_there(transcript: Transcript) -> bool:
    """False only for a file that is known to be gone: one that can not be looked at is there."""
    try:
        os.stat(transcript.path)  # noqa: PTH116 - bytes path
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def age(session: Session) -> tuple[int, str]:
    """What is less of the session that came first."""
    started = session.started_at
    return (texts.MAX_SAFE_INTEGER if started is None else started, session.external_id)


def is_older(session: Session, than: int | None) -> bool:
    """A tool that lists sessions names older ones, and a subagent may name the session that asked it."""
    return session.started_at is not None and than is not None and session.started_at < than


def is_new(child: Session, asking: Session) -> bool:
    """It is not known yet that the child is a subagent's session."""
    return not child.is_subagent and is_older(asking, child.started_at)
