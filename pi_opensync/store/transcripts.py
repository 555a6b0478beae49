"""Rows of the transcripts: what was read of which file, and what in it is not shown or not understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pi_opensync.pi.tail import START, Cursor, Signature
from pi_opensync.store.database import StateDatabase

BROKEN = "broken"
NOT_STORED = 0

_COLUMNS = (
    "id, path, signature, followed, at_end, cursor, session_id, shrunk_at, problem, excluded, "
    "excluded_project, latest_at, odd, merging"
)
_signature = msgspec.msgpack.Decoder(Signature).decode
_cursor = msgspec.msgpack.Decoder(Cursor).decode
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Transcript:
    """`session_id` is of the session under the cursor, `latest_at` the latest moment that was read (ms).

    `problem` is why it can not be read, `excluded` why it is not read past its header, `odd` why what is in
    it belongs to no session. `merging`: it is read again with the other files of its session.
    """

    id: int
    path: bytes
    signature: Signature
    followed: bool = True
    at_end: bool = False
    cursor: Cursor = START
    session_id: int | None = None
    shrunk_at: float | None = None
    problem: str | None = None
    excluded: str | None = None
    excluded_project: str | None = None
    latest_at: int | None = None
    odd: str | None = None
    merging: bool = False


class Transcripts:
    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def all(self) -> list[Transcript]:
        return [_row(row) for row in self._database.rows(f"SELECT {_COLUMNS} FROM transcripts")]

    def looked_at(self) -> Iterator[tuple[bytes, Signature]]:
        """Path and signature of those that need no look until they change."""
        query = "SELECT path, signature FROM transcripts WHERE (at_end OR NOT followed) AND problem IS NULL"
        return ((path, _signature(signature)) for path, signature in self._database.each(query))

    def by_path(self, path: bytes) -> Transcript | None:
        return self._find("path = ?", path)

    def by_id(self, transcript_id: int) -> Transcript | None:
        return self._find("id = ?", transcript_id)

    def by_inode(self, signature: Signature) -> list[Transcript]:
        query = f"SELECT {_COLUMNS} FROM transcripts WHERE device = ? AND inode = ?"
        return [_row(row) for row in self._database.rows(query, (signature.device, signature.inode))]

    def of_session(self, session_id: int) -> list[Transcript]:
        """The files that the session stands in, by path."""
        query = (
            f"SELECT {_COLUMNS} FROM transcripts WHERE id IN "
            "(SELECT transcript_id FROM holdings WHERE session_id = ?) ORDER BY path"
        )
        return [_row(row) for row in self._database.rows(query, (session_id,))]

    def sessions_of(self, transcript_id: int) -> list[int]:
        """The sessions that stand in the file."""
        rows = self._database.rows(
            "SELECT session_id FROM holdings WHERE transcript_id = ?", (transcript_id,)
        )
        return [row[0] for row in rows]

    def hold(self, session_id: int, transcript_id: int) -> None:
        """The session stands in the file."""
        self._database.run("INSERT OR IGNORE INTO holdings VALUES (?, ?)", (session_id, transcript_id))

    def let_go(self, transcript_id: int) -> None:
        """The file holds no session that is known."""
        self._database.run("DELETE FROM holdings WHERE transcript_id = ?", (transcript_id,))

    def odd(self) -> list[Transcript]:
        """Those of which nothing belongs to a session."""
        return [
            _row(row)
            for row in self._database.rows(f"SELECT {_COLUMNS} FROM transcripts WHERE odd IS NOT NULL")
        ]

    def excluded(self) -> list[Transcript]:
        """Those that hold a session of an excluded project."""
        query = f"SELECT {_COLUMNS} FROM transcripts WHERE excluded IS NOT NULL"
        return [_row(row) for row in self._database.rows(query)]

    def excluded_named(self, name: bytes) -> Transcript | None:
        """An excluded file of that name, wherever it was."""
        return next((one for one in self.excluded() if one.path.rpartition(b"/")[2] == name), None)

    def named(self, name: bytes) -> list[bytes]:
        """The paths of the files of that name."""
        end = b"/" + name
        rows = self._database.rows("SELECT path FROM transcripts WHERE substr(path, ?) = ?", (-len(end), end))
        return [row[0] for row in rows]

    def add(self, path: bytes, signature: Signature, *, followed: bool) -> Transcript:
        self._database.run(
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
        self._database.run(
            "UPDATE transcripts SET path = ?, signature = ?, device = ?, inode = ?, size = ?, followed = ?, "
            "at_end = ?, offset = ?, cursor = ?, session_id = ?, shrunk_at = ?, problem = ?, excluded = ?, "
            "excluded_project = ?, latest_at = ?, odd = ?, merging = ? WHERE id = ?",
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
                transcript.shrunk_at,
                transcript.problem,
                transcript.excluded,
                transcript.excluded_project,
                transcript.latest_at,
                transcript.odd,
                transcript.merging,
                transcript.id,
            ),
        )

    def note(self, transcript_id: int, kind: str, start: int, stop: int) -> None:
        """Record bytes that were not understood; broken neighbours, and all of a type, as one."""
        merged = self._database.run(
            "UPDATE oddities SET stop = ?, count = count + 1 "
            "WHERE transcript_id = ? AND kind = ? AND (stop >= ? - 1 OR kind <> ?) AND start = "
            "(SELECT max(start) FROM oddities WHERE transcript_id = ? AND kind = ?)",
            (stop, transcript_id, kind, start, BROKEN, transcript_id, kind),
        )
        if merged == 0:
            self._database.run(
                "INSERT OR REPLACE INTO oddities(transcript_id, start, stop, kind, count) "
                "VALUES (?, ?, ?, ?, 1)",
                (transcript_id, start, stop, kind),
            )

    def leave_out(self, transcript_id: int, counts: Mapping[str, int]) -> None:
        """Count what was read and is not shown."""
        self._database.run_many(
            "INSERT INTO left_out VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(transcript_id, kind, count) for kind, count in counts.items()],
        )

    def forget_notes(self, transcript_id: int) -> None:
        for table in ("oddities", "left_out"):
            self._database.run(f"DELETE FROM {table} WHERE transcript_id = ?", (transcript_id,))

    def _find(self, where: str, value: object) -> Transcript | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM transcripts WHERE {where}", (value,))
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
        shrunk_at=row[7],
        problem=row[8],
        excluded=row[9],
        excluded_project=row[10],
        latest_at=row[11],
        odd=row[12],
        merging=bool(row[13]),
    )
