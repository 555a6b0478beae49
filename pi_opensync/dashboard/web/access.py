"""Who may see what: the API needs a key, the pages a cookie; only a few paths need neither."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pi_opensync.dashboard.web.keys import Keys

_OPEN = frozenset(("/health", "/login"))
_API = ("/sync/", "/api/")


def cookie_name(scope: Scope) -> str:
    """One for each port: a browser sends the cookies of a host to all of its ports."""
    server = scope.get("server")
    return f"opensync_{server[1] if server else 0}"


def cookie_of(scope: Scope) -> str | None:
    try:
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return None
    morsel = cookies.get(cookie_name(scope))
    return morsel.value if morsel else None


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
            if await self._has_key(scope):
                await self._app(scope, receive, send)
            else:
                await JSONResponse({"error": "Invalid API key"}, 401)(scope, receive, send)
            return
        cookie = cookie_of(scope)
        if cookie is not None and await run_in_threadpool(self._keys.knows, cookie):
            await self._app(scope, receive, send)
        else:
            await RedirectResponse(_login_for(scope), 303)(scope, receive, send)

    async def _has_key(self, scope: Scope) -> bool:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and await run_in_threadpool(self._keys.holds, key.strip())
