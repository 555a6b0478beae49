"""How soon a history is on the server, beside the way of the other plugins against the same server."""

import shutil
import statistics
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bench import corpus, plugins
from bench.processes import MB, cpu, daemon, server, variables
from bench.rows import Row, Target, row
from bench.server import Notes
from pi_opensync.opensync.limits import MAX_BATCH

NAME = "backfill"
SESSIONS = 200
TURNS = 50  # of each: 100 messages, 500 kB
SAMPLE = 300  # messages that the plugins' way sends at 20 ms: it is one after another, so the rate holds
BESIDE = "a request a message, one after another, a session after each turn"


@dataclass(frozen=True, slots=True)
class Mode:
    what: str
    delay_ms: float = 0.0
    keeps_dates: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    rounds: int = 3
    target: Target | None = None


TOOLS = (("PI_OPENSYNC_TOOL_CALLS", "true"),)
MODES = (
    Mode("20 ms, batch keeps dates", 20, keeps_dates=True, target=Target(40, most=False, of="ratio")),
    Mode("20 ms, today's contract", 20, rounds=1, target=Target(12, most=False, of="ratio")),
    Mode("20 ms, today's contract, server's dates", 20, variables=(("PI_OPENSYNC_TIMESTAMPS", "server"),)),
    Mode("0 ms, batch keeps dates", keeps_dates=True),
    Mode("0 ms, today's contract", rounds=1, target=Target(0.8, most=False, of="ratio")),
    Mode("0 ms, batch keeps dates, with tool calls", keeps_dates=True, variables=TOOLS),
)
SPEED = Target(40.0, most=False)


def run(scale: float, folder: Path) -> list[Row]:
    sessions = folder / "sessions"
    count = max(3, round(SESSIONS * scale))
    size = corpus.history(sessions, count, TURNS)
    messages = count * TURNS * corpus.MESSAGES
    rows: list[Row] = []
    for mode in MODES:
        rounds = max(1, round(mode.rounds * min(1.0, 10 * scale)))
        taken, own, notes = _backfill(mode, rounds, sessions, folder / "home", messages)
        with server(delay_ms=mode.delay_ms, keeps_dates=mode.keeps_dates) as opensync:
            most = round(SAMPLE * min(1.0, 10 * scale)) * (1 if mode.delay_ms else 10)
            other = plugins.send(sessions, opensync.url, most=most)
        counts = {"sessions": count, "messages": messages, **notes.requests}
        rows.append(
            row(
                NAME,
                mode.what,
                messages / taken,
                "messages/s",
                beside=BESIDE,
                other=other,
                target=mode.target,
                counts=counts,
            )
        )
        if mode == Mode("0 ms, batch keeps dates", keeps_dates=True):
            rows += _throughput(size / MB / taken, size / MB / own, sessions, size)
    return rows


def _throughput(speed: float, by_cpu: float, sessions: Path, size: int) -> list[Row]:
    from bench.pieces import decoding  # noqa: PLC0415 - the figures do not need one another otherwise

    data = b"".join(path.read_bytes() for path in sorted(sessions.rglob("*.jsonl"))[:20])
    what = "0 ms, batch keeps dates, redaction on"
    beside, other = "msgspec's decoder alone", decoding(data.splitlines())
    return [
        row(
            NAME,
            f"{what}, with the start of the process",
            speed,
            "MB/s",
            beside=beside,
            other=other,
            target=SPEED,
        ),
        row(
            NAME,
            f"{what}, by the CPU it took",
            by_cpu,
            "MB/s",
            beside=beside,
            other=other,
            counts={"bytes": size},
        ),
    ]


def _backfill(
    mode: Mode, rounds: int, sessions: Path, home: Path, messages: int
) -> tuple[float, float, Notes]:
    """Seconds from the start of the process to the last message's arrival, and of its CPU: medians."""
    taken: list[float] = []
    own: list[float] = []
    notes = Notes()
    for _ in range(rounds):
        with server(delay_ms=mode.delay_ms, keeps_dates=mode.keeps_dates) as opensync:
            settings = variables(home, sessions, opensync.url) | dict(mode.variables)
            with daemon(settings, "--backfill") as running:
                notes = opensync.wait_for(messages)
                own.append(cpu(running.pid))
            taken.append((max(notes.arrivals.values()) - running.began) / 1e9)
        shutil.rmtree(home)
    return statistics.median(taken), statistics.median(own), notes


def expected_requests(mode: Mode, sessions: int, messages: int) -> dict[str, int]:
    """What a history of equal sessions, short enough for a batch by size, takes."""
    each = messages // sessions
    expected = {"/sync/sessions/list": 1, "/sync/session": sessions}
    if dict(mode.variables).get("PI_OPENSYNC_TIMESTAMPS") == "server":
        return expected | {"/sync/batch": sessions * ceil(each / MAX_BATCH)}
    if not mode.keeps_dates:
        return expected | {"/sync/batch": 1, "/sync/message": messages}  # the one asked, and refused
    asked = 1 + ceil((each - 1) / MAX_BATCH)
    batches = asked + (sessions - 1) * ceil(each / MAX_BATCH)
    return expected | {"/sync/batch": batches, "/api/sessions/get": 1}
