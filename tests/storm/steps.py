"""Counts every call that touches files, the database or the network, and may end the run at any of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx

from pi_opensync.pi import tail
from pi_opensync.store.database import Database

Result = TypeVar("Result")


class Steps:
    """Two steps a call: before it and after it. `at(number)` hears of each; it may raise, or never return."""

    def __init__(self, at: Callable[[int], None]) -> None:
        self.taken = 0
        self._at = at

    def step(self) -> None:
        self.taken += 1
        self._at(self.taken)

    def around(self, call: Callable[..., Result]) -> Callable[..., Result]:
        def stepped(*args: Any, **kwargs: Any) -> Result:
            self.step()
            result = call(*args, **kwargs)
            self.step()
            return result

        return stepped

    @contextmanager
    def counted(self, database: Database, *, files_only: bool = False) -> Iterator[None]:
        """Count the calls of this database and of the reading of transcripts while the block runs."""
        calls = SimpleNamespace(execute=database.execute, executemany=database.executemany)
        reading = SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
        for name in ("open", "pread", "fstat"):
            setattr(reading, name, self.around(getattr(os, name)))
        if not files_only:
            database.execute = self.around(calls.execute)
            database.executemany = self.around(calls.executemany)
        tail.os = reading  # type: ignore[assignment, attr-defined]  # put back below
        try:
            yield
        finally:
            database.execute, database.executemany = calls.execute, calls.executemany
            tail.os = os  # type: ignore[attr-defined]  # as it was


class SteppedTransport(httpx.AsyncBaseTransport):
    """Two steps a request: before it is sent and when its answer is there."""

    def __init__(self, steps: Steps, inner: httpx.AsyncBaseTransport) -> None:
        self._steps = steps
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._steps.step()
        response = await self._inner.handle_async_request(request)
        self._steps.step()
        return response
