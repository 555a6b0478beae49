"""Open pages are told at once that something has changed: server-sent events that carry a revision alone.

What has changed the page then asks for, so that nothing is lost with a connection, and none is told twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pi_opensync.dashboard.db.connections import Connections

# Another process may have written; and a connection that is gone is noticed only when something is sent.
_LONGEST_WAIT_S = 5.0
# A backfill writes many times a second; a page need not be drawn as often.
_LEAST_GAP_S = 0.1


class Streams:
    """Wake those who wait whenever something was written."""

    def __init__(self, connections: Connections) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._is_open = True
        connections.when_written(self._wake)

    def answer(self, request: Request, revision: Callable[[], int | None]) -> Response:
        """Tell of each new `revision`, the first one at once, until the browser leaves or it is None."""
        del request
        return StreamingResponse(
            self._events(revision),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def close(self) -> None:
        """End all of them: the server stops. May be called twice."""
        self._is_open = False
        self._wake()

    async def _events(self, revision: Callable[[], int | None]) -> AsyncIterator[str]:
        changed = asyncio.Event()
        waiting = (asyncio.get_running_loop(), changed)
        self._waiting.add(waiting)
        try:
            told = None
            while self._is_open:
                changed.clear()
                now_at = await run_in_threadpool(revision)
                if now_at is None:
                    return
                yield f"data: {now_at}\n\n" if now_at != told else ": still here\n\n"
                if now_at != told:
                    await asyncio.sleep(_LEAST_GAP_S)
                told = now_at
                try:
                    async with asyncio.timeout(_LONGEST_WAIT_S):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            self._waiting.discard(waiting)

    def _wake(self) -> None:
        for loop, changed in tuple(self._waiting):
            try:
                loop.call_soon_threadsafe(changed.set)
            except RuntimeError:  # that loop has ended, and its stream with it
                self._waiting.discard((loop, changed))
