"""Who may see what: the API needs a key, the pages a cookie; only a few paths need neither."""

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pi_opensync.dashboard.web.keys import KeyHolder, Keys

HOLDER = "holder"  # whose key a request to the API carries, in its state

_OPEN = frozenset(("/health", "/login", "/api/openapi.json"))
_API = ("/sync/", "/api/")
_MOST_COOKIES = 4


def cookie_name(scope: Scope) -> str:
    """One for each port: a browser sends the cookies of a host to all of its ports."""
    server = scope.get("server")
    return f"opensync_{server[1] if server else 0}"


def cookies_of(scope: Scope) -> list[str]:
    """Return what the browser sent under our name; what other programs of this host set may be anything."""
    ours = cookie_name(scope)
    pairs = (
        piece.strip().partition("=")
        for header in Headers(scope=scope).getlist("cookie")
        for piece in header.split(";")
    )
    return [value.strip('"') for name, _, value in pairs if name == ours and value][:_MOST_COOKIES]


def is_logged_in(scope: Scope, keys: Keys) -> bool:
    return any(keys.knows(cookie) for cookie in cookies_of(scope))


def _login_for(scope: Scope) -> str:
    """Return the login page that leads back to what was asked for."""
    asked = URL(scope=scope)
    if scope["method"] != "GET" or asked.path == "/":
        return "/login"
    return f"/login?{urlencode({'to': f'{asked.path}?{asked.query}'.rstrip('?')})}"


class Access:
    """Nothing is open unless it is named here."""

    def __init__(self, app: ASGIApp, *, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in _OPEN or path.startswith("/static/"):
            await self._app(scope, receive, send)
            return
        if path.startswith(_API):
            holder = await self._holder(scope)
            if holder is not None:
                scope.setdefault("state", {})[HOLDER] = holder
                await self._app(scope, receive, send)
            else:
                await JSONResponse({"error": "Invalid API key"}, 401)(scope, receive, send)
            return
        if await run_in_threadpool(is_logged_in, scope, self._keys):
            await self._app(scope, receive, send)
        else:
            await RedirectResponse(_login_for(scope), 303)(scope, receive, send)

    async def _holder(self, scope: Scope) -> KeyHolder | None:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        return await run_in_threadpool(self._keys.holder, key.strip()) if scheme.lower() == "bearer" else None
