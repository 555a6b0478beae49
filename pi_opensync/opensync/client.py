"""The one place that talks to OpenSync. Failures of the network are outcomes here, not exceptions."""

import asyncio
import ssl
import zlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from pi_opensync import __version__
from pi_opensync.lean import without
from pi_opensync.opensync.outcomes import Outcome, Verdict, judge
from pi_opensync.opensync.transport import Straight, Transport, transport_to

with without("click", "pygments", "rich"):
    import httpx

PATIENCE = {"timeout": httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0).as_dict()}
DEADLINE = 180.0  # seconds for a request and its whole answer, however it trickles
MAX_ANSWER = 1 << 20  # bytes of an answer to a write, decoded
MAX_READ = 64 << 20  # bytes of an answer to a reading request, decoded: a session of 16 MiB in JSON


class _AnswerTooLargeError(Exception):
    """More came than an answer of OpenSync can have."""


class _EncodingError(Exception):
    """The answer is encoded in a way that was not asked for, or not as it says."""


class Client:
    """OpenSync's endpoints. Bodies go out as given: JSON bytes."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        now: Callable[[], float],
        transport: Transport | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """Raises `ConfigurationError` where the proxy that the environment names can not be used."""
        self._deadline = deadline
        self.host = urlsplit(base_url).netloc
        self._now = now
        self._base_url = base_url.rstrip("/")
        self._urls: dict[str, httpx.URL] = {}  # to take one apart takes as long as to send it
        self._headers = httpx.Headers(
            {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"pi-opensync/{__version__}",
            }
        )
        self._transport = transport or transport_to(base_url)
        self._under_way = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    @property
    def is_talking(self) -> bool:
        """Whether a request may have reached the server and is not answered; one that connects has not."""
        connecting = self._transport.connecting if isinstance(self._transport, Straight) else 0
        return self._under_way > connecting

    async def session(self, payload: bytes) -> Outcome:
        return await self._ask("POST", "/sync/session", payload)

    async def message(self, payload: bytes) -> Outcome:
        return await self._ask("POST", "/sync/message", payload)

    async def batch(self, messages: Sequence[bytes]) -> Outcome:
        return await self._ask("POST", "/sync/batch", b'{"messages":[' + b",".join(messages) + b"]}")

    async def session_ids(self) -> Outcome:
        """The external ids of every session of this key: `body["sessionIds"]`."""
        return await self._ask("GET", "/sync/sessions/list")

    async def search(self, words: str, limit: int) -> Outcome:
        """The sessions whose search text holds one of the words, the best first: `body["results"]`."""
        return await self._ask("GET", "/api/search", params={"q": words, "limit": str(limit)})

    async def sessions(self, limit: int) -> Outcome:
        """The sessions, newest-updated first: `body["sessions"]`."""
        return await self._ask("GET", "/api/sessions", params={"limit": str(limit)})

    async def read_session(self, server_id: str) -> Outcome:
        """A session with its messages: `body["session"]`, `body["messages"]`."""
        return await self._ask("GET", "/api/sessions/get", params={"id": server_id})

    async def health(self) -> Outcome:
        return await self._ask("GET", "/health")

    def _request(
        self, method: str, path: str, payload: bytes | None, params: dict[str, str] | None
    ) -> httpx.Request:
        if path not in self._urls:
            self._urls[path] = httpx.URL(self._base_url + path)
        url = self._urls[path].copy_merge_params(params) if params else self._urls[path]
        return httpx.Request(method, url, headers=self._headers, content=payload, extensions=PATIENCE)

    async def _ask(
        self, method: str, path: str, payload: bytes | None = None, params: dict[str, str] | None = None
    ) -> Outcome:
        reads = method == "GET"
        self._under_way += 1
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._transport.handle_async_request(
                    self._request(method, path, payload, params)
                )
                try:
                    body = await _body(answer, MAX_READ if reads else MAX_ANSWER)
                finally:
                    await answer.aclose()
        except httpx.ConnectTimeout:
            return _away("no answer from the server while connecting", arrived=False)
        except httpx.ConnectError as error:
            return _away(_connect_reason(error), arrived=False)
        except (httpx.TimeoutException, TimeoutError):
            return _late(reads=reads)
        except _AnswerTooLargeError:
            return _too_much(reads=reads)
        except (httpx.TransportError, httpx.DecodingError, _EncodingError):
            return _away("the connection broke")
        finally:
            self._under_way -= 1
        return judge(
            answer.status_code,
            answer.headers,
            body,
            now=self._now(),
            reads=reads,
            sent=len(payload or b""),
        )


async def _body(answer: httpx.Response, limit: int) -> bytes:
    """The whole body, decoded piece by piece, so that a small one can not unpack into all of memory.

    Raises `_AnswerTooLargeError`, `_EncodingError`.
    """
    if answer.is_stream_consumed:  # by a transport that holds the answer in memory
        return answer.content
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise _EncodingError
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    async for piece in answer.aiter_raw():
        try:
            body += unpack.decompress(piece, limit + 1 - len(body)) if unpack else piece
        except zlib.error:
            raise _EncodingError from None
        if len(body) > limit:
            raise _AnswerTooLargeError
    return bytes(body)


def _late(*, reads: bool) -> Outcome:
    """A question that takes too long says nothing about the others, a write that does says so of all."""
    reason = "the server did not answer in time"
    return Outcome(Verdict.UNCLEAR, reason) if reads else _away(reason)


def _too_much(*, reads: bool) -> Outcome:
    if reads:
        return Outcome(Verdict.UNCLEAR, "the answer is too large to be read")
    return _away("something that is not OpenSync answered, without end")


def _away(reason: str, *, arrived: bool = True) -> Outcome:
    return Outcome(Verdict.AWAY, reason, arrived=arrived)


def _connect_reason(error: BaseException | None) -> str:
    seen: Any = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "the server's certificate is not trusted, or TLS failed"
        seen = seen.__cause__ or seen.__context__
    text = str(error).lower()
    if "name" in text or "getaddrinfo" in text or "nodename" in text:
        return "the server's name is not known (DNS), or this machine is offline"
    return "the server can not be reached"
