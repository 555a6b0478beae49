"""Rows of the transcripts: what was read of which file, and what in it was not understood."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from pi_opensync.pi.tail import START, Cursor, Signature
from pi_opensync.store.database import Database

BROKEN = "broken"
NOT_STORED = 0

_COLUMNS = (
    "id, path, signature, followed, at_end, cursor, session_id, copy_of, shrunk_at, problem, excluded, "
    "copy_bytes, excluded_project"
)
_signature = msgspec.msgpack.Decoder(Signature).decode
_cursor = msgspec.msgpack.Decoder(Cursor).decode
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Transcript:
    id: int
    path: bytes
    signature: Signature
    followed: bool
    at_end: bool
    cursor: Cursor
    session_id: int | None
    copy_of: int | None
    shrunk_at: float | None
    problem: str | None
    excluded: str | None = None
    copy_bytes: int = 0
    excluded_project: str | None = None

    @classmethod
    def new(cls, path: bytes, signature: Signature) -> "Transcript":
        """One that has no row yet."""
        return cls(
            id=NOT_STORED,
            path=path,
            signature=signature,
            followed=True,
            at_end=False,
            cursor=START,
            session_id=None,
            copy_of=None,
            shrunk_at=None,
            problem=None,
        )

    @property
    def belongs_somewhere(self) -> bool:
        """Whether a session of pi's stands in it, here or in the file that it is a copy of."""
        return not (self.session_id is None and self.copy_of is None and self.excluded is None)


class Transcripts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Transcript]:
        return [_row(row) for row in self._database.execute(f"SELECT {_COLUMNS} FROM transcripts")]

    def looked_at(self) -> Iterator[tuple[bytes, Signature]]:
        """Path and signature of those that need no look until they change."""
        query = "SELECT path, signature FROM transcripts WHERE (at_end OR NOT followed) AND problem IS NULL"
        return ((path, _signature(signature)) for path, signature in self._database.execute(query))

    def by_path(self, path: bytes) -> Transcript | None:
        return self._find("path = ?", path)

    def by_id(self, transcript_id: int) -> Transcript | None:
        return self._find("id = ?", transcript_id)

    def by_inode(self, signature: Signature) -> list[Transcript]:
        query = f"SELECT {_COLUMNS} FROM transcripts WHERE device = ? AND inode = ?"
        return [_row(row) for row in self._database.execute(query, (signature.device, signature.inode))]

    def longer_copies(self, session_id: int, length: int) -> list[bytes]:
        """Have the copies of a session looked at again that hold more of it; returns their paths."""
        query = "UPDATE transcripts SET at_end = 0 WHERE copy_of = ? AND copy_bytes > ? RETURNING path"
        return [row[0] for row in self._database.execute(query, (session_id, length)).fetchall()]

    def excluded(self) -> list[Transcript]:
        """Those that hold a session of an excluded project."""
        query = f"SELECT {_COLUMNS} FROM transcripts WHERE excluded IS NOT NULL"
        return [_row(row) for row in self._database.execute(query)]

    def copies(self) -> list[tuple[bytes, bytes]]:
        """The path of each copy with that of the transcript that its session is read from."""
        query = (
            "SELECT c.path, t.path FROM transcripts c JOIN sessions s ON s.id = c.copy_of "
            "JOIN transcripts t ON t.id = s.transcript_id"
        )
        return self._database.execute(query).fetchall()

    def add(self, path: bytes, signature: Signature, *, followed: bool) -> Transcript:
        self._database.execute(
            "INSERT INTO transcripts(path, signature, device, inode, size, followed) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (path, _encode(signature), signature.device, signature.inode, signature.size, followed),
        )
        added = self.by_path(path)
        assert added is not None  # noqa: S101 - inserted one statement ago
        return added

    def stored(self, transcript: Transcript) -> Transcript:
        """The transcript with a row of its own."""
        if transcript.id != NOT_STORED:
            return transcript
        return self.add(transcript.path, transcript.signature, followed=transcript.followed)

    def save(self, transcript: Transcript) -> None:
        self._database.execute(
            "UPDATE transcripts SET path = ?, signature = ?, device = ?, inode = ?, size = ?, followed = ?, "
            "at_end = ?, offset = ?, cursor = ?, session_id = ?, copy_of = ?, shrunk_at = ?, problem = ?, "
            "excluded = ?, copy_bytes = ?, excluded_project = ? WHERE id = ?",
            (
                transcript.path,
                _encode(transcript.signature),
                transcript.signature.device,
                transcript.signature.inode,
                transcript.signature.size,
                transcript.followed,
                transcript.at_end,
                transcript.cursor.offset,
                _encode(transcript.cursor),
                transcript.session_id,
                transcript.copy_of,
                transcript.shrunk_at,
                transcript.problem,
                transcript.excluded,
                transcript.copy_bytes,
                transcript.excluded_project,
                transcript.id,
            ),
        )

    def note(self, transcript_id: int, kind: str, start: int, stop: int) -> None:
        """Record bytes that were not understood; broken neighbours, and all of a type, as one."""
        merged = self._database.execute(
            "UPDATE oddities SET stop = ?, count = count + 1 "
            "WHERE transcript_id = ? AND kind = ? AND (stop >= ? - 1 OR kind <> ?) AND start = "
            "(SELECT max(start) FROM oddities WHERE transcript_id = ? AND kind = ?)",
            (stop, transcript_id, kind, start, BROKEN, transcript_id, kind),
        )
        if merged.rowcount == 0:
            self._database.execute(
                "INSERT OR REPLACE INTO oddities(transcript_id, start, stop, kind, count) "
                "VALUES (?, ?, ?, ?, 1)",
                (transcript_id, start, stop, kind),
            )

    def forget_notes(self, transcript_id: int) -> None:
        self._database.execute("DELETE FROM oddities WHERE transcript_id = ?", (transcript_id,))

    def _find(self, where: str, value: object) -> Transcript | None:
        query = f"SELECT {_COLUMNS} FROM transcripts WHERE {where}"
        row = self._database.execute(query, (value,)).fetchone()
        return None if row is None else _row(row)


def _row(row: tuple[Any, ...]) -> Transcript:
    return Transcript(
        id=row[0],
        path=row[1],
        signature=_signature(row[2]),
        followed=bool(row[3]),
        at_end=bool(row[4]),
        cursor=_cursor(row[5]) if row[5] else START,
        session_id=row[6],
        copy_of=row[7],
        shrunk_at=row[8],
        problem=row[9],
        excluded=row[10],
        copy_bytes=row[11],
        excluded_project=row[12],
    )
