"""What a sync would send, found out by the ingest itself over a store that is thrown away."""

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pi_opensync.engine import clean
from pi_opensync.ingest import Ingest, Progress
from pi_opensync.messages import Options
from pi_opensync.pi.discover import Found
from pi_opensync.pi.parents import parent_id
from pi_opensync.store.database import Database
from pi_opensync.store.schema import migrate


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A session as it would be sent; `bytes` of its messages' JSON, `created_at` in Unix milliseconds."""

    external_id: str
    title: str
    project: str
    created_at: int | None
    messages: int
    bytes: int
    tokens: int
    cost: float


def survey(
    files: Iterable[Found],
    folders: tuple[Path, ...],
    names: dict[bytes, bytes],
    options: Options,
    now: Callable[[], float],
) -> tuple[list[Surveyed], dict[bytes, str]]:
    """The sessions of these transcripts, and the files that could not be read with the reason."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    database = Database(connection, Path(":memory:"))
    ingest = Ingest(
        database,
        options,
        clean=clean,
        parent_id=lambda parent: parent_id(parent, folders, names.get),
        now=now,
    )
    problems: dict[bytes, str] = {}
    for found in files:
        try:
            while ingest.read(found.path, live=False)[0] in (Progress.MORE, Progress.FULL):
                database.execute("UPDATE messages SET wanted = NULL")
        except OSError as error:
            problems[found.path] = error.strerror or type(error).__name__
        database.execute("UPDATE messages SET wanted = NULL WHERE wanted IS NOT NULL")
    rows = database.execute(
        "SELECT s.wanted, count(m.id), coalesce(sum(m.bytes), 0) FROM sessions s "
        "LEFT JOIN messages m ON m.session_id = s.id GROUP BY s.id"
    ).fetchall()
    database.close()
    return [_surveyed(*row) for row in rows], problems


def _surveyed(wanted: bytes, messages: int, size: int) -> Surveyed:
    payload = json.loads(wanted)
    return Surveyed(
        external_id=payload["externalId"],
        title=payload["title"],
        project=payload.get("projectName", "-"),
        created_at=payload.get("createdAt"),
        messages=messages,
        bytes=size,
        tokens=payload["promptTokens"] + payload["completionTokens"],
        cost=payload["cost"],
    )
