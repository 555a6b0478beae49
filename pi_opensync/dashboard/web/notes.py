"""Taking down what a reader keeps beside a session, and deleting one."""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.db import deleted, noted
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.noted import Noted
from pi_opensync.dashboard.web.bodies import MAX_FORM, body_of, id_of
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.session import found


class Notes:
    """Stars, tags, notes, what is hidden and what is deleted: they stay here, and no server is told.

    `now` gives ms.
    """

    def __init__(self, store: Connections, page: Page, *, now: Callable[[], int]) -> None:
        self._store = store
        self._page = page
        self._now = now

    def routes(self) -> list[Route]:
        return [
            Route("/sessions/{id}/noted", self.keep, methods=["POST"]),
            Route("/sessions/{id}/delete", self.delete, methods=["POST"]),
            Route("/deleted", self.deleted),
            Route("/deleted", self.take_back, methods=["POST"]),
        ]

    async def keep(self, request: Request) -> Response:
        body = (await body_of(request, MAX_FORM)).decode("utf-8", "replace")
        form = {name: values[0] for name, values in parse_qs(body).items()}
        session_id = id_of(request)
        kept = Noted(
            is_starred="star" in form,
            is_hidden="hide" in form,
            tags=noted.tags_of(form.get("tags", "")),
            note=form.get("note", "").replace("\r\n", "\n").strip()[: noted.MAX_NOTE],
        )

        def write() -> None:
            with self._store.write() as database:
                found(database, session_id)
                noted.keep(database, session_id, kept)

        await run_in_threadpool(write)
        return RedirectResponse(f"/sessions/{session_id}", 303)

    async def delete(self, request: Request) -> Response:
        session_id = id_of(request)

        def write() -> None:
            with self._store.write() as database:
                deleted.delete(database, found(database, session_id), self._now())

        await run_in_threadpool(write)
        return RedirectResponse("/deleted", 303)

    def deleted(self, request: Request) -> Response:
        with self._store.read() as database:
            return self._page(request, "deleted.html", deleted=deleted.all_of(database))

    async def take_back(self, request: Request) -> Response:
        form = parse_qs((await body_of(request, MAX_FORM)).decode("utf-8", "replace"))
        external_id = form.get("id", [""])[0]

        def write() -> None:
            with self._store.write() as database:
                deleted.take_back(database, external_id)

        await run_in_threadpool(write)
        return RedirectResponse("/deleted", 303)
