"""`python -m bench.server`: an OpenSync that answers at once, forgets, and notes when what arrived.

It is a process of its own, so that what is measured pays nothing for it. `GET /bench` tells what it noted.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate

import msgspec

REFUSAL = b"Messages batch error: Object contains extra field `createdAt` that is not in the validator"
END = b"\r\n\r\n"


class Sent(msgspec.Struct):
    """What the server looks at of a message."""

    externalId: str  # noqa: N815 - the wire's name
    createdAt: int | None = None  # noqa: N815 - the wire's name


class Batch(msgspec.Struct):
    messages: list[Sent] = []


class Said(msgspec.Struct):
    timestamp: int


class Line(msgspec.Struct):
    """A line of a transcript as it stands there, which a shipper of logs sends."""

    message: Said


_line = msgspec.json.Decoder(Line).decode
_message = msgspec.json.Decoder(Sent).decode
_batch = msgspec.json.Decoder(Batch).decode


class Notes(msgspec.Struct):
    """`arrivals` by the id of the message, in ns of the machine's monotonic clock."""

    requests: dict[str, int] = {}
    arrivals: dict[str, int] = {}
    received: int = 0


class OpenSync:
    """Today's contract, or the one whose batch keeps dates."""

    def __init__(self, *, keeps_dates: bool) -> None:
        self._keeps_dates = keeps_dates
        self._requests: Counter[str] = Counter()
        self._arrivals: dict[str, int] = {}
        self._received = 0
        self._asked: list[Sent] = []
        self._routes: dict[bytes, Callable[[bytes, int], bytes]] = {
            b"/sync/message": self._one,
            b"/sync/batch": self._many,
            b"/sync/session": lambda _body, _at: b'{"ok":true,"sessionId":"s1"}',
            b"/sync/sessions/list": lambda _body, _at: b'{"sessionIds":[]}',
            b"/api/sessions/get": lambda _body, _at: self._read_back(),
            b"/lines": self._as_it_stands,
            b"/bench": lambda _body, _at: self._noted(),
        }

    def answer(self, target: bytes, body: bytes, at: int) -> bytes:
        path = target.partition(b"?")[0]
        if path != b"/bench":
            self._requests[path.decode()] += 1
            self._received += len(body)
        return self._routes[path](body, at)

    def _one(self, body: bytes, at: int) -> bytes:
        self._arrivals.setdefault(_message(body).externalId, at)
        return b'{"ok":true,"messageId":"m1"}'

    def _as_it_stands(self, body: bytes, at: int) -> bytes:
        for each in body.splitlines():
            if b'"message"' in each:
                self._arrivals.setdefault(f"line-{_line(each).message.timestamp}", at)
        return b"{}"

    def _many(self, body: bytes, at: int) -> bytes:
        sent = _batch(body).messages
        if not self._keeps_dates and any(message.createdAt is not None for message in sent):
            return b'{"ok":true,"sessions":0,"messages":0,"errors":["' + REFUSAL + b'"]}'
        for message in sent:
            self._arrivals.setdefault(message.externalId, at)
        self._asked = sent if len(sent) == 1 else self._asked
        return b'{"ok":true,"sessions":0,"messages":%d,"errors":[]}' % len(sent)

    def _read_back(self) -> bytes:
        return msgspec.json.encode({"session": {}, "messages": self._asked})

    def _noted(self) -> bytes:
        return msgspec.json.encode(Notes(dict(self._requests), self._arrivals, self._received))


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one request at a time, each answered `delay` seconds after it came."""

    def __init__(self, opensync: OpenSync, delay: float) -> None:
        self._opensync = opensync
        self._delay = delay
        self._data = bytearray()
        self._began = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._data:
            self._began = time.monotonic_ns()
        self._data += data
        head, end, _rest = self._data.partition(END)
        if not end:
            return
        length = _length(bytes(head))
        if len(self._data) < len(head) + len(END) + length:
            return
        body = bytes(self._data[len(head) + len(END) :])
        self._data.clear()
        answer = self._opensync.answer(bytes(head).split(b" ", 2)[1], body, self._began)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, answer)
        else:
            self._write(answer)

    def _write(self, body: bytes) -> None:
        if self._transport is not None:
            date = formatdate(usegmt=True).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Date: %s\r\nContent-Length: %d\r\n\r\n%s" % (date, len(body), body)
            )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(opensync: OpenSync, delay: float) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(opensync, delay), "127.0.0.1", 0)
    sys.stdout.write(f"{listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.server", description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--batch-keeps-dates", action="store_true")
    options = parser.parse_args()
    asyncio.run(serve(OpenSync(keeps_dates=options.batch_keeps_dates), options.delay_ms / 1000))


if __name__ == "__main__":
    main()
