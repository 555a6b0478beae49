"""The way in for a browser: a link that is good once, or a key; and the way out."""

import re
from urllib.parse import parse_qs

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.web.access import cookie_name, cookies_of, is_logged_in
from pi_opensync.dashboard.web.bodies import MAX_FORM, body_of
from pi_opensync.dashboard.web.hosts import browser_scheme
from pi_opensync.dashboard.web.keys import COOKIE_MS, Keys

_PATH = re.compile(r"/(?![/\\])[!-~]{0,2000}")


class SignIn:
    """Give browsers their cookie."""

    def __init__(self, keys: Keys, templates: Environment) -> None:
        self._keys = keys
        self._templates = templates

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    def login(self, request: Request) -> Response:
        token = request.query_params.get("token")
        if token is None:
            return self._form(None, 200, request.query_params.get("to", "/"))
        if request.method == "HEAD":
            return Response()  # what only asks whether there is something must not use up the link
        if "prefetch" in request.headers.get("sec-purpose", ""):
            # A browser that only looks ahead must not use up the link.
            return Response(status_code=503)
        cookie = self._keys.redeem(token)
        if cookie is None and is_logged_in(request.scope, self._keys):
            return RedirectResponse("/", 303)
        if cookie is None:
            return self._form("This link has been used or is too old.", 403)
        return _welcome(request, cookie, "/")

    async def enter(self, request: Request) -> Response:
        form = parse_qs((await body_of(request, MAX_FORM)).decode("utf-8", "replace"))
        cookie = await run_in_threadpool(self._keys.admit, form.get("key", [""])[0].strip())
        to = form.get("to", ["/"])[0]
        if cookie is None:
            return self._form("That is not a key of this server.", 403, to)
        return _welcome(request, cookie, to)

    def leave(self, request: Request) -> Response:
        for cookie in cookies_of(request.scope):
            self._keys.forget(cookie)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(cookie_name(request.scope))
        return answer

    def _form(self, problem: str | None, status: int, to: str = "/") -> Response:
        page = self._templates.get_template("login.html")
        return HTMLResponse(page.render(problem=problem, to=_within(to)), status)


def _within(address: str) -> str:
    """Return a path of this server; the start page for what could lead elsewhere."""
    return address if _PATH.fullmatch(address) else "/"


def _welcome(request: Request, cookie: str, to: str) -> Response:
    answer = RedirectResponse(_within(to), 303)
    answer.set_cookie(
        cookie_name(request.scope),
        cookie,
        max_age=COOKIE_MS // 1000,
        path="/",
        secure=browser_scheme(request.scope) == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
