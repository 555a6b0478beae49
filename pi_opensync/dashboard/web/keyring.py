"""The page of keys: which there are, a new one, and the end of one."""

from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.web.bodies import MAX_FORM, body_of
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.page import Page

_MAX_NAME = 60


class KeyPages:
    """For browsers that are logged in. A new key is shown once, in the answer to the request that made it."""

    def __init__(self, keys: Keys, page: Page) -> None:
        self._keys = keys
        self._page = page

    def routes(self) -> list[Route]:
        return [
            Route("/keys", self.listed),
            Route("/keys", self.make, methods=["POST"]),
            Route("/keys/{id}/revoke", self.revoke, methods=["POST"]),
        ]

    def listed(self, request: Request) -> Response:
        return self._page(request, "keys.html", keys=self._keys.listed(), made=None)

    async def make(self, request: Request) -> Response:
        form = parse_qs((await body_of(request, MAX_FORM)).decode("utf-8", "replace"))
        name = " ".join(form.get("name", [""])[0].split())[:_MAX_NAME] or "plugin"

        def made() -> Response:
            key = self._keys.issue(name)
            return self._page(request, "keys.html", keys=self._keys.listed(), made=key)

        return await run_in_threadpool(made)

    def revoke(self, request: Request) -> Response:
        if not self._keys.revoke(request.path_params["id"]):
            raise HTTPException(404)
        return RedirectResponse("/keys", 303)
