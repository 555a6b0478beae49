"""What launchd runs: `watch`, or what else the plist says, its log lines in a file that rotates.

launchd restarts whatever ends with a failure and can not be told of exit codes that no restart mends, so
those end with 0 here, their reason in the log.
"""

import runpy
import sys
from io import TextIOBase
from pathlib import Path

from pi_opensync.service.units import WATCH

MAX_BYTES = 5 << 20
KEPT = 3
NOT_MENDED_BY_A_RESTART = frozenset({5, 6, 7})


class RotatingFile(TextIOBase):
    """A text file that moves to `.1`, and that to `.2`, when it would grow over `max_bytes`."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._open()

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "backslashreplace")
        if self._size and self._size + len(data) > self._max_bytes:
            self._file.close()
            for number in range(self._kept - 1, 0, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
            self._open()
        self._file.write(data)
        self._file.flush()
        self._size += len(data)
        return len(text)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = self._path.open("ab")
        self._size = self._file.tell()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def main() -> None:
    log = RotatingFile(Path(sys.argv[1]))
    sys.stderr = log
    sys.argv = ["pi-opensync", *(sys.argv[2:] or WATCH), "--log-format", "text"]
    try:
        runpy.run_module("pi_opensync", run_name="__main__")
    except SystemExit as end:
        sys.exit(0 if end.code in NOT_MENDED_BY_A_RESTART else end.code)


if __name__ == "__main__":
    main()
