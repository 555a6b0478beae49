"""Where something that must stay here could have ended up."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw

from pi_opensync.journal import beside
from tests.harness import World
from tests.privacy.redact.samples import Sample
from tests.standin.transport import Request

SHORTEST = 6  # characters of a piece of a secret that is worth a look


def strings(value: Any) -> Iterator[str]:
    """Every string of a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def requested(requests: Iterable[Request]) -> str:
    return "\n".join(text for request in requests for text in strings(request.json))


def written(database: Path) -> bytes:
    """All bytes of a database and of what lies beside it."""
    return b"".join(each.read_bytes() for each in (database, *beside(database)) if each.exists())


def kept(folder: Path) -> str:
    """All bytes of all files below the folder, and every value of every table in them."""
    pieces: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            pieces.append(str(path.name))
            pieces.append(path.read_bytes().decode("utf-8", "replace"))
            if path.suffix == ".sqlite3":
                pieces += _values(path)
    return "\n".join(pieces)


def _values(path: Path) -> list[str]:
    """A value may be spread over pages of the file: read it as one."""
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: list[str] = []
    for table in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of the schema
            found += [
                value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in row
            ]
    connection.close()
    return found


def logged(world: World) -> str:
    return "\n".join(str((call.args, call.kwargs)) for call in world.log.calls)


def everywhere(world: World) -> dict[str, str]:
    return {
        "requests": requested(world.transport.log),
        "state": kept(world.state),
        "log": logged(world),
    }


def pieces(secret: str) -> list[str]:
    """The lines of a secret, escaped ones too: none of them may be seen."""
    return [piece for piece in re.split(r"\\n|\n", secret) if len(piece) >= SHORTEST]


def leaks(samples: Iterable[Sample], where: dict[str, str]) -> list[tuple[str, str]]:
    """(place, rule) of each secret of which a line is seen; no secret itself, so that none is printed."""
    return [
        (place, sample.rule)
        for sample in samples
        for place, text in where.items()
        if any(piece in text for piece in pieces(sample.secret))
    ]
