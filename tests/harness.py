"""A world for tests: transcripts in a folder, a stand-in of OpenSync, one clock for both, an engine between.

Nothing in it sleeps and nothing opens a socket; a test moves the clock, or lets `sync` move it.
"""

import asyncio
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID, uuid5

import httpx
import msgspec
from structlog.testing import CapturingLogger

from pi_opensync.address import state_folder
from pi_opensync.daemon import build as engine
from pi_opensync.daemon.events import LogEvents
from pi_opensync.daemon.run import FURTHEST_WAIT
from pi_opensync.model import Session
from pi_opensync.settings import Secret, Settings
from pi_opensync.store.database import open_database
from pi_opensync.store.views import Tally, tally
from tests.clock import Clock
from tests.empty import place_state
from tests.standin.backend import OpenSync
from tests.standin.faults import Fault
from tests.standin.transport import Request, StandInTransport

TRANSCRIPTS = Path(__file__).parent / "transcripts"
START = datetime(
    2096, 11, 21, 9, 0, tzinfo=UTC
).timestamp()  # later than any test runs, and so than its files
CWD = "/home/user/src/webapp"
MOST_MOVES = 2_000
SIDE_EFFECTS = (
    "lost_parts",
    "dropped_message_updates",
    "dropped_session_updates",
    "orphan_sessions",
    "duplicate_rows",
    "concurrent_session_writes",
)

Snapshot = dict[str, Any]


class TimedTransport(StandInTransport):
    """Notes when each request came: `moments` go with `log`."""

    def __init__(self, opensync: OpenSync, clock: Clock) -> None:
        super().__init__(opensync)
        self.moments: list[float] = []
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.moments.append(self._clock.now())
        return await super().handle_async_request(request)


class Wire(httpx.AsyncBaseTransport):
    """What the engine sends through; a test may put another transport in its place."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.inner.handle_async_request(request)


class World:
    """Use it as a context manager. `skew`: how many seconds the server's clock is ahead of ours.

    `backfill` is what the first start takes: everything, or what changes from then on. `opensync` may be
    that of another world, so that two of them write to one server.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tool_calls: bool = False,
        thinking: bool = False,
        timestamps: Literal["transcript", "server"] = "transcript",
        batch_keeps_dates: bool = False,
        start: float = START,
        skew: float = 0.0,
        jitter: float = 0.5,
        backfill: bool = True,
        opensync: OpenSync | None = None,
    ) -> None:
        self.sessions = folder / "sessions"
        self.state = folder / "state"
        self.clock = Clock(start)
        self.key = "osk_" + secrets.token_hex(16) if opensync is None else opensync.key
        self.skew = skew
        self.opensync = opensync or OpenSync(
            now=lambda: self.clock.now() + self.skew, key=self.key, batch_keeps_dates=batch_keeps_dates
        )
        self.transport = TimedTransport(self.opensync, self.clock)
        self.wire = Wire(self.transport)
        self.settings = Settings(
            convex_url="https://opensync.test",
            api_key=Secret(self.key),
            sync_tool_calls=tool_calls,
            sync_thinking=thinking,
            timestamps=timestamps,
            state_dir=self.state,
        )
        self.log = CapturingLogger()
        self.jitter = jitter
        self._backfill = backfill
        self.runner = asyncio.Runner()
        self.sessions.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self.start(backfill=self._backfill)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.database.close()
        self.runner.close()

    # the files

    def path(self, name: str) -> Path:
        return self.sessions / name

    def place(self, files: Path) -> None:
        """Copy a tree of transcripts into the sessions folder, changed just now."""
        shutil.copytree(files, self.sessions, dirs_exist_ok=True)
        for path in self.sessions.rglob("*.jsonl"):
            self._touch(path)

    def append(self, name: str, *items: dict[str, Any] | bytes) -> Path:
        """Add entries, a line each, or bytes as they are, to a transcript as pi does: in one write."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(b"".join(item if isinstance(item, bytes) else line(item) for item in items))
        self._touch(path)
        return path

    def _touch(self, path: Path) -> None:
        """The clock of the file system is ours."""
        nanoseconds = round(self.clock.now() * 1e9)
        os.utime(path, ns=(nanoseconds, nanoseconds))

    # what the daemon does, a step at a time

    def sweep(self) -> None:
        follow = self.engine.follow
        follow.compare(follow.list_files())

    def hint(self, name: str) -> None:
        """Tell of a change as the file system's events do."""
        self.engine.follow.hint(os.fsencode(self.path(name)))

    def read(self) -> None:
        follow = self.engine.follow
        follow.drained()
        while follow.has_more:
            follow.read_next()
        self._counts_as_booked()

    def deliver(self) -> float | None:
        """Send what is due now; returns when something is due next."""
        return self.runner.run(self._deliver())

    async def _deliver(self) -> float | None:
        async for came in self.engine.delivery.rounds(endless=False):
            self.engine.events.tell(came)
            if came.trouble is not None:
                raise came.trouble
        return self.engine.delivery.next_due()

    def step(self) -> float | None:
        """Sweep, read and deliver at this moment; returns when there is something to do next."""
        self.sweep()
        self.read()
        due = self.deliver()
        while self.engine.follow.waits_for_room:
            self.engine.follow.drained()
            before = self.engine.follow.left
            self.read()
            due = self.deliver()
            if self.engine.follow.left == before:
                break
        moments = [moment for moment in (due, self.engine.follow.next_look()) if moment is not None]
        return min(moments, default=None)

    def sync(self, moves: int = MOST_MOVES) -> None:
        """Take steps, the clock moved to what is due next, until nothing is left to do."""
        for _ in range(moves):
            due = self.step()
            if due is None:
                return
            self.clock.move_to(due)
        raise AssertionError(f"something is still due after {moves} moves of the clock")

    def _counts_as_booked(self) -> None:
        """What is booked by the quarter of an hour is what the session's sums hold, but for subagents."""
        rows = self.engine.database.rows(
            "SELECT s.state, coalesce(sum(u.prompt), 0), coalesce(sum(u.completion), 0), "
            "coalesce(sum(u.cost), 0.0) FROM sessions s LEFT JOIN usage u ON u.session_id = s.id "
            "WHERE s.state IS NOT NULL AND s.excluded IS NULL GROUP BY s.id"
        )
        for state, prompt, completion, dollars in rows:
            counted = msgspec.msgpack.decode(state, type=Session).usage
            assert (prompt, completion) == (counted.prompt, counted.completion)
            assert isclose(dollars, counted.cost, abs_tol=1e-9)

    def sync_until(self, moment: float, moves: int = MOST_MOVES) -> None:
        """As `sync`, but stop at `moment`, with the clock there."""
        for _ in range(moves):
            due = self.step()
            if due is None or due > moment:
                self.clock.move_to(moment)
                return
            self.clock.move_to(due)
        raise AssertionError(f"something is still due before {moment} after {moves} moves of the clock")

    def set_clock_back(self, seconds: float) -> None:
        """Our clock is set back, the server's goes on; the daemon notices at its next sweep."""
        self.clock.move(-seconds)
        self.skew += seconds
        self.engine.follow.clock_was_set()
        self.engine.delivery.clock_was_set(horizon=0.0, back_by=seconds)

    def restart(self) -> None:
        """Another process takes over: what was in memory is gone, the database stays."""
        self.engine.database.close()
        self.start(backfill=False)

    def lose_state(self) -> None:
        """The state folder is deleted, and everything is taken up again."""
        self.engine.database.close()
        shutil.rmtree(self.state)
        self.start(backfill=True)

    def start(self, *, backfill: bool) -> None:
        base_url, _key = self.settings.require_server()
        folder = state_folder(self.settings.state_dir, base_url)
        place_state(folder)
        database = open_database(folder)
        database.run("PRAGMA synchronous = OFF")  # no test here cuts the power, and fsync takes time
        self.engine = engine.build(
            self.settings,
            (self.sessions,),
            database,
            events=LogEvents(self.log, now=self.clock.now),
            transport=self.wire,
            now=self.clock.now,
            jitter=lambda: self.jitter,
        )
        self.engine.follow.begin(self.engine.follow.list_files(), backfill=backfill)
        self.engine.delivery.clock_was_set(horizon=FURTHEST_WAIT)

    # what came of it

    def snapshot(self, *, dates: bool = True) -> Snapshot:
        """What a dashboard shows; `dates=False` leaves out what the server's clock decides."""
        shown = self.opensync.snapshot()
        return shown if dates else without_dates(shown)

    def titles(self) -> dict[str, str]:
        return {name: str(row.title) for name, row in self.opensync.sessions.items()}

    def texts(self, session: str) -> list[str]:
        """What the messages of a session say, in the order of the dashboard."""
        shown = self.opensync.snapshot()["sessions"][session]["messages"]
        return [message["textContent"] for message in shown]

    def tally(self) -> Tally:
        return tally(self.engine.database)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The values of the log lines about one kind of event, in order."""
        return [call.kwargs for call in self.log.calls if call.args == (event,)]

    def sent(self, path: str) -> list[Request]:
        """The requests to one endpoint, in order."""
        return [request for request in self.transport.log if request.path == path]

    def sent_at(self, path: str) -> list[float]:
        """When the requests to one endpoint came."""
        timed = zip(self.transport.log, self.transport.moments, strict=True)
        return [moment for request, moment in timed if request.path == path]

    def fail(self, fault: Fault | None, when: Callable[[Request], bool] = lambda _request: True) -> None:
        """From now on the requests that `when` holds of meet the fault; `None` ends that."""
        latest: list[Request] = []

        async def note(request: Request) -> None:
            latest[:] = [request]

        self.transport.gate = note
        self.transport.faults = lambda _method, _path: fault if when(latest[0]) else None

    def side_effects(self) -> dict[str, int]:
        """What must never happen on the server, by the number of times it did; empty is well."""
        counters = vars(self.opensync.counters)
        return {name: counters[name] for name in SIDE_EFFECTS if counters[name]}


def without_dates(snapshot: Snapshot) -> Snapshot:
    """A snapshot with the order of its messages and without its dates."""
    return {
        "sessions": {
            name: {
                **_undated(session),
                "messages": [_undated(message) for message in session["messages"]],
            }
            for name, session in snapshot["sessions"].items()
        }
    }


def _undated(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "createdAt"}


# transcripts, line by line


def line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def session_id(name: str) -> str:
    """The UUID that tests give to the session they call `name`."""
    return str(uuid5(UUID(int=0), name))


def header(name: str, at: float, **fields: Any) -> dict[str, Any]:
    return {
        "type": "session",
        "version": 3,
        "id": session_id(name),
        "timestamp": iso(at),
        "cwd": CWD,
    } | fields


def entry(at: float, entry_id: str | None = None, *, type: str, **fields: Any) -> dict[str, Any]:  # noqa: A002 - pi's own name
    identity = entry_id or secrets.token_hex(4)
    return {"type": type, "id": identity, "parentId": None, "timestamp": iso(at)} | fields


def said(role: str, text: str, at: float, entry_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """A message with a text; `calls` are (id, command) of the bash tool."""
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    calls: Iterable[tuple[str, str]] = fields.pop("calls", ())
    content += [
        {"type": "toolCall", "id": call, "name": "bash", "arguments": {"command": command}}
        for call, command in calls
    ]
    message = {"role": role, "content": content, "timestamp": round(at * 1000)} | fields
    return entry(at, entry_id, type="message", message=message)


def result(call: str, text: str, at: float, **fields: Any) -> dict[str, Any]:
    named: dict[str, Any] = {"toolCallId": call, "toolName": "bash", "isError": False}
    return said("toolResult", text, at, **(named | fields))


def usage(prompt: int = 100, completion: int = 10, dollars: float = 0.5) -> dict[str, Any]:
    return {
        "input": prompt,
        "output": completion,
        "cacheRead": 0,
        "cacheWrite": 0,
        "totalTokens": prompt + completion,
        "cost": {"total": dollars},
    }
