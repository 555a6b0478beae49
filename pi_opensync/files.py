"""The one way in which a file of ours is written: at once or not at all, readable by the user alone."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, data: str | bytes, *, durable: bool = False) -> None:
    """Put `data` (text as UTF-8) in the place of whatever `path` holds, mode 0600, in a folder of mode 0700.

    `durable`: on disk when this returns, also if the power fails then. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
