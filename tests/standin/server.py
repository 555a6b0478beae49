"""The stand-in as a real HTTP/1.1 server on the loopback, for clients in another process."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from http import HTTPStatus
from random import Random
from threading import Thread
from typing import Any

from tests.standin.backend import OpenSync, Reply
from tests.standin.faults import (
    FAULTS_THAT_ANSWER,
    Broken,
    Faults,
    answer,
    no_faults,
    random_faults,
)
from tests.standin.inflight import InFlight, parsed_json, sessions_written

_HEAD_LIMIT = 64 << 10
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Server:
    """Serves `opensync` on 127.0.0.1; `delay` seconds pass between a request and its handling.

    Requests overlap only while a delay holds them: without one each is handled in a single step. The paths
    under `/_standin/` need no key: GET `snapshot` and `counters`, POST `faults {"rate": 0.3, "seed": 1}`.
    """

    def __init__(self, opensync: OpenSync, *, delay: float = 0, faults: Faults = no_faults) -> None:
        self.opensync = opensync
        self.faults = faults
        self.url = ""
        self.delay = delay
        self.begun = 0  # requests, those that are held by the delay among them
        self._in_flight = InFlight(opensync.counters)
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", port, limit=_HEAD_LIMIT)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        connected = writer.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._exchange(reader, writer):
                await writer.drain()
        except (ConnectionError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # The client went away or sent no HTTP, or the server is stopping: the connection just ends.
            writer.transport.abort()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply; whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head.rstrip().split("\r\n")
        method, target, _version = request_line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "100-continue" in headers.get("expect", ""):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if target.startswith("/_standin/"):
            reply: Reply | Broken = self._control(method, target, body)
        else:
            reply = await self._serve(method, target, headers, body)
        if reply is Broken.CUT:
            writer.transport.abort()
            return False
        if reply is Broken.HANG:
            await reader.read()
            return False
        assert isinstance(reply, Reply)
        _write(writer, reply)
        return headers.get("connection", "").lower() != "close"

    async def _serve(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | Broken:
        path = target.partition("?")[0]
        self.begun += 1
        if self.delay:
            with self._in_flight.writing(sessions_written(path, parsed_json(body))):
                await asyncio.sleep(self.delay)
        fault = self.faults(method, path)
        return answer(self.opensync, fault, lambda: self.opensync.handle(method, target, headers, body))

    def _control(self, method: str, target: str, body: bytes) -> Reply:
        if (method, target) == ("GET", "/_standin/snapshot"):
            return self.opensync.reply(200, self.opensync.snapshot())
        if (method, target) == ("GET", "/_standin/counters"):
            return self.opensync.reply(200, asdict(self.opensync.counters))
        if (method, target) == ("POST", "/_standin/faults"):
            wanted: dict[str, Any] = json.loads(body)
            self.faults = seeded_faults(wanted["rate"], wanted["seed"])
            return self.opensync.reply(200, {"ok": True})
        return self.opensync.reply(404, {"error": "no such path"})


def seeded_faults(rate: float, seed: int) -> Faults:
    """Those that end soon: a hanging server would cost a client in another process its whole time-out."""
    random = Random(seed)  # noqa: S311 - a seed makes a run repeatable; nothing is secret here
    return random_faults(random, rate, FAULTS_THAT_ANSWER) if rate else no_faults


def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    lines = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + reply.body)


@contextmanager
def running(opensync: OpenSync, *, delay: float = 0, faults: Faults = no_faults) -> Iterator[Server]:
    """Serves from a thread of its own until the block ends; `delay` in seconds."""
    server = Server(opensync, delay=delay, faults=faults)
    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(server.start())
        thread = Thread(target=loop.run_forever, name="opensync-stand-in", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_asyncgens())
