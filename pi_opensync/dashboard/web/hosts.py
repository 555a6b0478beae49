"""The outermost layer: whose requests are heard, and what a browser may do with the answers."""

import ipaddress
import logging
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pi_opensync.sqlite import StoreUnavailable

_LOG = logging.getLogger(__name__)

# Nothing but the page's own files may load or run, so that no transcript can, even if it got its HTML in.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": with that a browser sends the forms of these pages with "Origin: null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE_METHODS = frozenset(("GET", "HEAD"))


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def browser_scheme(scope: Scope) -> str:
    """Return what the browser speaks: `https` also where a proxy says so; no page can say it for one."""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" if forwarded == "https" else str(scope["scheme"])


class KnownHosts:
    """Check Host and Origin, set the headers, and turn what nobody caught into a plain 500.

    A page of another site can make a browser send requests here, and with a name that it lets point to this
    machine (DNS rebinding) read the answers too: so only known names are answered, and no foreign origin.
    The address that a request came in at is no name that could point elsewhere. `hosts` are names besides
    those of the loopback; before them a proxy may speak TLS. `told` makes an answer of a status and words.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        told: Callable[[Request, int, str], Response],
        hosts: Collection[str] = (),
    ) -> None:
        self._app = app
        self._told = told
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        problem = self._problem(scope)
        if problem is not None:
            await JSONResponse({"error": problem}, 403)(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except StoreUnavailable as error:
            # The path in its words is not for everyone who can ask.
            _LOG.warning("%s %s: %s", scope["method"], scope["path"], error)
            if started:
                raise
            answer = self._told(Request(scope), 503, "The database can not be used now.")
            answer.headers["retry-after"] = "5"
            await answer(scope, receive, send_guarded)
        except Exception:
            _LOG.exception("A request failed: %s %s", scope["method"], scope["path"])
            if started:
                raise
            await self._told(Request(scope), 500, "Internal error")(scope, receive, send_guarded)

    def _problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = _name_of(f"//{hosts[0]}") if len(hosts) == 1 else None
        if name is None or not (is_loopback(name) or name in self._hosts or _came_in_at(scope, name)):
            return (
                "This server does not answer to that Host; hostNames in its settings gives it another name."
            )
        schemes = {browser_scheme(scope), "https"} if name in self._hosts else {scope["scheme"]}
        origin = headers.get("origin")
        if origin is not None and origin not in {f"{scheme}://{hosts[0]}" for scheme in schemes}:
            return "Requests of other sites are not answered."
        if scope["method"] not in _SAFE_METHODS and headers.get("sec-fetch-site") in (
            "cross-site",
            "same-site",
        ):
            return "Requests of other sites are not answered."
        return None


def _came_in_at(scope: Scope, name: str) -> bool:
    """Whether a Host is the very address of this machine that the connection was made to."""
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address((scope.get("server") or ("",))[0])
    except ValueError:
        return False


def _name_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname
