"""How soon a history can be looked at on this machine, from nothing: `watch --local --once`.

Beside agentsview, which indexes the same files for the same use, where it is installed, and beside reading
and decoding the files.
"""

import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.corpus import history
from bench.peers import program
from bench.processes import MB, Spent, spent
from bench.rows import Row, Target, row

NAME = "index"
ROUNDS = 3
OURS = ("-m", "pi_opensync", "watch", "--local", "--once", "--backfill", "--port", "0", "--no-link")
DECODE = (
    "import sys, pathlib, msgspec\n"
    "for path in pathlib.Path(sys.argv[1]).rglob('*.jsonl'):\n"
    "    for line in path.read_bytes().splitlines():\n"
    "        msgspec.json.decode(line)\n"
)
FLOOR = "reading and decoding the files"
PEER = "agentsview sync"
DISK = Target(1.0, of="ratio")


@dataclass(frozen=True, slots=True)
class Corpus:
    sessions: int
    turns: int
    target: Target | None = None


LARGE = Corpus(400, 20)
SMALL = Corpus(60, 5, Target(0.6))
OF_PEER = Target(0.33, of="ratio")


def run(scale: float, folder: Path) -> list[Row]:
    rows: list[Row] = []
    for corpus in (LARGE, SMALL):
        where = folder / str(corpus.sessions)
        sessions = where / "sessions"
        count = max(3, round(corpus.sessions * scale))
        size = history(sessions, count, corpus.turns)
        what = f"{size / MB:.3g} MB in {count} files"
        rounds = max(1, round(ROUNDS * min(1.0, 10 * scale)))
        ours = _rounds(rounds, where / "ours", partial(_index, sessions))
        floor = _rounds(rounds, where / "floor", partial(_decode, sessions))
        rows += _beside(what, ours, floor, FLOOR, size, seconds=corpus.target)
        rows.append(
            row(
                NAME,
                f"{what}, on disk",
                _disk(where / "ours") / MB,
                "MB",
                beside="the transcripts",
                other=size / MB,
                target=DISK,
            )
        )
        agentsview = program("agentsview")
        if agentsview is not None:
            peer = _rounds(rounds, where / "peer", partial(_peer, agentsview, sessions))
            rows += _beside(what, ours, peer, PEER, size, seconds=OF_PEER, cpu=OF_PEER)
            rows.append(
                row(
                    NAME,
                    f"{what}, on disk",
                    _disk(where / "ours") / MB,
                    "MB",
                    beside=PEER,
                    other=_disk(where / "peer") / MB,
                )
            )
    return rows


def _beside(
    what: str,
    ours: Spent,
    other: Spent,
    name: str,
    size: int,
    *,
    seconds: Target | None = None,
    cpu: Target | None = None,
) -> list[Row]:
    return [
        row(
            NAME,
            what,
            ours.seconds,
            "s",
            beside=name,
            other=other.seconds,
            target=seconds,
            counts={"bytes": size},
        ),
        row(NAME, f"{what}, CPU", ours.cpu, "s", beside=name, other=other.cpu, target=cpu),
    ]


def _rounds(rounds: int, home: Path, once: Callable[[Path], Spent]) -> Spent:
    """The median of rounds that each begin with nothing; the last one's files are left."""
    taken: list[Spent] = []
    for _ in range(rounds):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        taken.append(once(home))
    return Spent(
        statistics.median(each.seconds for each in taken), statistics.median(each.cpu for each in taken)
    )


def _index(sessions: Path, home: Path) -> Spent:
    settings = {
        "HOME": str(home),
        "PI_OPENSYNC_STATE_DIR": str(home / "state"),
        "PI_OPENSYNC_SESSIONS_DIR": str(sessions),
    }
    return spent(sys.executable, *OURS, variables=settings)


def _decode(sessions: Path, _home: Path) -> Spent:
    return spent(sys.executable, "-c", DECODE, str(sessions))


def _peer(agentsview: str, sessions: Path, home: Path) -> Spent:
    settings = {"HOME": str(home), "PI_DIR": str(sessions), "AGENTSVIEW_NO_DAEMON": "1"}
    return spent(agentsview, "sync", variables=settings)


def _disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
