"""Counts every call that touches files, the database or the network, and may end the run at any of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import apsw
import httpx

from pi_opensync.pi import tail
from pi_opensync.store.database import StateDatabase

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
    def counted(
        self, database: StateDatabase, *, files: bool = True, statements: bool = True
    ) -> Iterator[None]:
        """Count the statements of this database and the reading of transcripts while the block runs."""
        connection = database.connection
        reading = SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
        for name in ("open", "pread", "fstat") if files else ():
            setattr(reading, name, self.around(getattr(os, name)))
        if statements:
            database.connection = cast("apsw.Connection", _Counted(connection, self))
        tail.os = reading  # type: ignore[assignment, attr-defined]  # put back below
        try:
            yield
        finally:
            database.connection = connection
            tail.os = os  # type: ignore[attr-defined]  # as it was


class _Counted:
    """A connection whose statements are steps."""

    def __init__(self, connection: apsw.Connection, steps: Steps) -> None:
        self._connection = connection
        self._execute = steps.around(connection.execute)
        self.executemany = steps.around(connection.executemany)

    def execute(self, statement: str, *values: Any) -> apsw.Cursor:
        is_rollback = statement == "ROLLBACK"  # what SQLite does by itself where a process ends
        return (self._connection.execute if is_rollback else self._execute)(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


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
