"""What several sessions write at one moment goes to the disk in one transaction, and is waited for once."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from pi_opensync.store.database import StateDatabase

T = TypeVar("T")

_Asked = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Together:
    """Steps that are taken by the turn of the event loop in which they are asked for.

    Each is all or nothing by itself; all of them are on disk, or none, when their callers go on.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database
        self._waiting: list[_Asked] = []

    async def write(self, step: Callable[[], T]) -> T:
        """What the step returns, once it is on disk. Raises what it raises, and `StoreUnavailable`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._write)
        self._waiting.append((step, done))
        return await done

    def _write(self) -> None:
        waiting = [(step, done) for step, done in self._waiting if not done.cancelled()]
        self._waiting = []
        try:
            results = self._taken(waiting)
        except BaseException as error:  # noqa: BLE001 - each caller gets it
            error.__traceback__ = None  # its frames may hold statements half read, and so the lock
            for _step, done in waiting:
                _fail(done, error)
            return
        for done, result in results:
            if not done.done():
                done.set_result(result)

    def _taken(self, waiting: "list[_Asked]") -> "list[tuple[asyncio.Future[Any], Any]]":
        """What the steps returned that did not fail."""
        results: list[tuple[asyncio.Future[Any], Any]] = []
        if not waiting:
            return results
        with self._database.transaction():
            for step, done in waiting:
                try:
                    with self._database.transaction():
                        results.append((done, step()))
                except Exception as error:
                    if not self._database.is_in_transaction:
                        raise  # as on a full disk: nothing of it is left
                    _fail(done, error)
        return results


def _fail(done: "asyncio.Future[Any]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
