"""The one place that talks to OpenSync. Failures of the network are outcomes here, not exceptions."""

import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from pi_opensync import __version__
from pi_opensync.lean import without
from pi_opensync.opensync.outcomes import Outcome, Verdict, judge

with without("click", "pygments", "rich"):
    import httpx

Transport = httpx.AsyncBaseTransport
TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)


class Client:
    """OpenSync's endpoints. Bodies go out as given: JSON bytes."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        now: Callable[[], float],
        connections: int = 6,
        transport: Transport | None = None,
    ) -> None:
        self.host = urlsplit(base_url).netloc
        self._now = now
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "User-Agent": f"pi-opensync/{__version__}",
            },
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
            # Over https a proxy sees nothing of the key; over http to this machine it would see all.
            trust_env=base_url.startswith("https:"),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def session(self, payload: bytes) -> Outcome:
        return await self._ask("POST", "/sync/session", payload)

    async def message(self, payload: bytes) -> Outcome:
        return await self._ask("POST", "/sync/message", payload)

    async def batch(self, messages: Sequence[bytes]) -> Outcome:
        return await self._ask("POST", "/sync/batch", b'{"messages":[' + b",".join(messages) + b"]}")

    async def session_ids(self) -> Outcome:
        """The external ids of every session of this key: `body["sessionIds"]`."""
        return await self._ask("GET", "/sync/sessions/list")

    async def sessions(self, limit: int) -> Outcome:
        """The sessions, newest-updated first: `body["sessions"]`."""
        return await self._ask("GET", "/api/sessions", params={"limit": str(limit)})

    async def read_session(self, server_id: str) -> Outcome:
        """A session with its messages: `body["session"]`, `body["messages"]`."""
        return await self._ask("GET", "/api/sessions/get", params={"id": server_id})

    async def health(self) -> Outcome:
        return await self._ask("GET", "/health")

    async def _ask(
        self, method: str, path: str, payload: bytes | None = None, params: dict[str, str] | None = None
    ) -> Outcome:
        try:
            answer = await self._http.request(method, path, content=payload, params=params)
        except httpx.ConnectTimeout:
            return _away("no answer from the server while connecting", arrived=False)
        except httpx.ConnectError as error:
            return _away(_connect_reason(error), arrived=False)
        except httpx.PoolTimeout:
            return _away("too many requests under way", arrived=False)
        except httpx.TimeoutException:
            return _away("the server did not answer in time")
        except httpx.TransportError:
            return _away("the connection broke")
        return judge(
            answer.status_code, answer.headers, answer.content, now=self._now(), reads=method == "GET"
        )


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
