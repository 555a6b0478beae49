"""A world whose dashboard is pi-opensync's own, in the same process."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from structlog.testing import CapturingLogger

from pi_opensync.daemon import build as engine
from pi_opensync.daemon.events import LogEvents
from pi_opensync.dashboard.db.connections import FILE, Connections
from pi_opensync.dashboard.db.contents import unpack
from pi_opensync.dashboard.handed import Handed
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.settings import Secret, Settings
from pi_opensync.store.database import open_database
from pi_opensync.store.views import Tally, tally
from tests.clock import Clock
from tests.harness import START, line

BY_RUN = {"id", "session_id", "revision", "updated_at", "root_id", "parent_id", "body"}
MOST_MOVES = 200


class OwnWorld:
    """Use it as a context manager. `is_inside`: what is read is handed over, not sent."""

    def __init__(
        self,
        folder: Path,
        *,
        is_inside: bool = True,
        sessions: Path | None = None,
        dashboard: Path | None = None,
    ) -> None:
        self.folder = folder
        self.dashboard = dashboard or folder / "own"
        self.sessions = sessions or folder / "sessions"
        self.sessions.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(START)
        self.is_inside = is_inside
        self.runner = asyncio.Runner()
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.runner.close()

    def write(self, name: str, *items: dict[str, Any]) -> None:
        with (self.sessions / name).open("ab") as file:
            file.write(b"".join(map(line, items)))

    def start(self) -> None:
        self.connections = Connections.open(self.dashboard / FILE, busy_seconds=0.1)
        with self.connections.write() as writer:
            pass
        database = open_database(self.folder / "state")
        for one in (writer, database):
            one.run("PRAGMA synchronous = OFF")  # no test here cuts the power, and fsync takes time
        keys = Keys(self.connections, now=self.milliseconds)
        app = create_app(self.connections, keys, now=self.milliseconds)
        settings = Settings(
            convex_url="http://127.0.0.1",
            api_key=Secret(keys.issue_for_this_run()),
            sync_tool_calls=True,
            sync_thinking=True,
            timestamps="transcript",
            state_dir=self.folder / "state",
        )
        self.engine = engine.build(
            settings,
            (self.sessions,),
            database,
            events=LogEvents(CapturingLogger(), now=self.clock.now),
            transport=_Noting(httpx.ASGITransport(app), self.requests),
            inside=Handed(self.connections, now=self.milliseconds) if self.is_inside else None,
            extras=True,
            now=self.clock.now,
            jitter=lambda: 0.5,
        )
        self.engine.follow.begin(self.engine.follow.list_files(), backfill=True)

    def stop(self) -> None:
        self.engine.database.close()
        self.connections.close()

    def milliseconds(self) -> int:
        return round(self.clock.now() * 1000)

    def read_next(self) -> None:
        async def read() -> None:
            self.engine.read_next()

        self.runner.run(read())

    def sync(self) -> None:
        for _ in range(MOST_MOVES):
            self.engine.follow.compare(self.engine.follow.list_files())
            due = self.runner.run(self._step())
            if due is None:
                return
            self.clock.move_to(due)
        raise AssertionError("something is still due")

    async def _step(self) -> float | None:
        follow, delivery = self.engine.follow, self.engine.delivery
        while follow.has_more:
            self.engine.read_next()
        async for came in delivery.rounds(endless=False):
            if came.trouble is not None:
                raise came.trouble
        moments = [moment for moment in (delivery.next_due(), follow.next_look()) if moment is not None]
        return min(moments, default=None)

    def tally(self) -> Tally:
        return tally(self.engine.database)

    def shown(self) -> dict[str, Any]:
        """All that the dashboard has, but for what differs from run to run."""
        with self.connections.read() as database:
            sessions = {}
            for row in database.rows("SELECT * FROM sessions"):
                messages = database.rows(
                    "SELECT * FROM messages WHERE session_id = ? ORDER BY id", (row["id"],)
                )
                kept = {name: row[name] for name in row.keys() if name not in BY_RUN}  # noqa: SIM118 - a Row
                kept["messages"] = [_message(message) for message in messages]
                for table in ("usage", "tools", "spent", "touched"):
                    kept[table] = sorted(_of(database, table, row["id"]), key=repr)
                sessions[row["external_id"]] = kept
            return sessions


class _Noting(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, paths: list[str]) -> None:
        self._inner = inner
        self._paths = paths

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._paths.append(request.url.path)
        return await self._inner.handle_async_request(request)


def _message(row: Any) -> dict[str, Any]:
    content = unpack(row["body"])
    kept = {name: row[name] for name in row.keys() if name not in BY_RUN}  # noqa: SIM118 - a Row
    return kept | {"text": content.text, "parts": content.parts}


def _of(database: Any, table: str, session_id: int) -> list[tuple[Any, ...]]:
    rows = database.rows(f"SELECT * FROM {table} WHERE session_id = ?", (session_id,))  # noqa: S608
    return [tuple(row[name] for name in row.keys() if name != "session_id") for row in rows]  # noqa: SIM118
