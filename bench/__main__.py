"""`python -m bench [NAME ...] [--scale F] [--json FILE]`: measure, and print a table."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from bench.rows import Row, as_json, table

FIGURES = (
    *("latency", "backfill", "index", "pages", "start", "idle", "growth", "memory", "pieces", "commands"),
)


def figure(name: str) -> Callable[[float, Path], list[Row]]:
    """The figure's `run(scale, folder)`."""
    found: Callable[[float, Path], list[Row]] = import_module(f"bench.{name}").run
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; all without one")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes: 0.05 takes seconds each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in FIGURES]
    if unknown or not options.scale > 0:
        parser.error(f"no such figure: {', '.join(unknown)}" if unknown else "a scale is above 0")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pi-opensync-bench-") as folder:
        for name in options.names or FIGURES:
            begun = time.monotonic()
            rows += figure(name)(options.scale, Path(folder) / name)
            sys.stderr.write(f"{name}: {time.monotonic() - begun:.0f} s\n")
    if options.json is not None:
        options.json.write_text(json.dumps(_report(options.scale, rows), indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(table(rows) + "\n")


def _report(scale: float, rows: Sequence[Row]) -> dict[str, object]:
    return {
        "scale": scale,
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "rows": [as_json(row) for row in rows],
    }


if __name__ == "__main__":
    main()
