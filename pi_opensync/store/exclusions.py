"""What is remembered of excluded projects, so that one that can not be seen stays excluded."""

import msgspec

from pi_opensync.privacy.projects import Exclusion
from pi_opensync.store.database import Database

_encode = msgspec.msgpack.Encoder().encode
_exclusion = msgspec.msgpack.Decoder(Exclusion).decode


class Exclusions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, project: str) -> Exclusion | None:
        """What is known of the project, or of a folder above it that holds a marker."""
        stored = self._database.one("SELECT exclusion FROM exclusions WHERE project = ?", project)
        if stored is not None:
            return _exclusion(stored)
        rows = self._database.rows(
            "SELECT exclusion FROM exclusions WHERE marker IS NOT NULL AND "
            "substr(?, 1, length(marker)) = marker ORDER BY project LIMIT 1",
            (project,),
        )
        return _exclusion(rows[0][0]) if rows else None

    def remember(self, project: str, exclusion: Exclusion, marker_folder: str | None) -> None:
        """`marker_folder`: the folder, with a slash behind it, below which all is excluded."""
        self._database.run(
            "INSERT INTO exclusions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "exclusion = excluded.exclusion, marker = excluded.marker",
            (project, _encode(exclusion), marker_folder),
        )

    def forget(self, project: str) -> None:
        self._database.run("DELETE FROM exclusions WHERE project = ?", (project,))
