"""The stand-in as an httpx transport: no socket, no clock of its own, the same every time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.standin.backend import OpenSync
from tests.standin.faults import Broken, CutAfter, Faults, answer, no_faults
from tests.standin.inflight import InFlight, parsed_json, sessions_written


@dataclass
class Request:
    """One request as it arrived; `status` is set once it is answered, and stays `None` if it never is."""

    method: str
    path: str
    json: Any
    status: int | None = None


class StandInTransport(httpx.AsyncBaseTransport):
    """`faults` decides what befalls a request; `gate`, if any, is awaited while one is under way."""

    def __init__(self, opensync: OpenSync) -> None:
        self.opensync = opensync
        self.faults: Faults = no_faults
        self.gate: Callable[[Request], Awaitable[None]] | None = None
        self.log: list[Request] = []
        self._in_flight = InFlight(opensync.counters)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        path, method = request.url.path, request.method
        entry = Request(method, path, parsed_json(body))
        self.log.append(entry)
        with self._in_flight.writing(sessions_written(path, entry.json)):
            if self.gate is not None:
                await self.gate(entry)
            fault = self.faults(method, path)
            target = request.url.raw_path.decode("ascii")
            reply = answer(
                self.opensync,
                fault,
                lambda: self.opensync.handle(method, target, dict(request.headers), body),
            )
        if reply is Broken.HANG:
            raise httpx.ReadTimeout("the server does not answer", request=request)
        if reply is Broken.CUT and isinstance(fault, CutAfter):
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        if isinstance(reply, Broken):
            raise httpx.ReadError("the connection was reset", request=request)
        entry.status = reply.status
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body, request=request)
