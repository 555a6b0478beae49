"""The local OpenSync as one ASGI application."""

import os
from collections.abc import Callable, Collection
from datetime import tzinfo
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from pi_opensync.dashboard.db.budget import Budget
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.show import render
from pi_opensync.dashboard.show.drawing import environment_for
from pi_opensync.dashboard.web.access import Access
from pi_opensync.dashboard.web.api import Api
from pi_opensync.dashboard.web.bodies import TooLargeError
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.dashboard.web.hosts import KnownHosts
from pi_opensync.dashboard.web.keyring import KeyPages
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.pages import Pages
from pi_opensync.dashboard.web.signin import SignIn
from pi_opensync.dashboard.web.statistics import Statistics
from pi_opensync.dashboard.web.streams import Streams
from pi_opensync.privacy.cleaner import Cleaner

_LEAST_TO_COMPRESS = 1000  # bytes
_NO_BUDGET = Budget()
_FOR_PROGRAMS = ("/sync/", "/api/", "/health")
_WORDS = {
    404: "There is nothing here.",
    405: "That cannot be done here.",
    413: "That is too large.",
}


class OnePage:
    """All that is drawn for one request shares one budget."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with render.one_page():
            await self._app(scope, receive, send)


class _Static(StaticFiles):
    """Files in a folder named by what they hold, so they may be kept for good."""

    def get_path(self, scope: Scope) -> str:
        path = super().get_path(scope)
        folder, _, name = path.partition(os.sep)
        return name if name and folder != ".." else path

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def create_app(
    connections: Connections,
    keys: Keys,
    *,
    now: Callable[[], int],
    zone: tzinfo | None = None,
    hosts: Collection[str] = (),
    clean: Cleaner | None = None,
    budget: Budget = _NO_BUDGET,
) -> Starlette:
    """Return the API and the pages over a database.

    `now` gives Unix milliseconds; `zone` is where days begin, None for this machine's; `hosts` are host names
    to answer to besides those of the loopback; `clean` takes the secrets out of what other programs send. The
    connections stay the caller's to close.
    """
    api = Api(connections, now=now, zone=zone, clean=clean)
    templates = environment_for(now, zone)
    streams = Streams(connections)
    pages = Pages(connections, templates, streams, now=now, zone=zone)
    page = Page(templates, zone)
    statistics = Statistics(connections, page, now=now, zone=zone, budget=budget)
    signin = SignIn(keys, templates)

    def problem(request: Request, status: int, text: str, field: str | None = None) -> Response:
        if request.url.path.startswith(_FOR_PROGRAMS):
            answer = {"error": text} | ({"field": field} if field else {})
            return JSONResponse(answer, status)
        return HTMLResponse(templates.get_template("problem.html").render(code=status, text=text), status)

    def bad_payload(request: Request, error: Exception) -> Response:
        field = error.field if isinstance(error, PayloadError) else None
        return problem(request, 400, str(error), field)

    def too_large(request: Request, error: Exception) -> Response:
        return problem(request, 413, str(error))

    def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        answer = problem(request, status, _WORDS.get(status, "That did not work."))
        if isinstance(error, HTTPException) and error.headers:
            answer.headers.update(error.headers)
        return answer

    handlers: dict[type[Exception], ExceptionHandler] = {
        PayloadError: bad_payload,
        TooLargeError: too_large,
        HTTPException: http_error,
    }
    static = Mount("/static", _Static(directory=Path(__file__).parents[1] / "static"))
    app = Starlette(
        routes=[
            *api.routes(),
            *pages.routes(),
            *statistics.routes(),
            *KeyPages(keys, page).routes(),
            *signin.routes(),
            static,
        ],
        middleware=[
            Middleware(KnownHosts, hosts=hosts, told=problem),
            Middleware(GZipMiddleware, minimum_size=_LEAST_TO_COMPRESS, compresslevel=5),
            Middleware(Access, keys=keys),
            Middleware(OnePage),
        ],
        exception_handlers=handlers,
    )
    app.router.redirect_slashes = False
    app.state.streams = streams
    return app
