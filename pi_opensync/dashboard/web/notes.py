"""Taking down what a reader keeps beside a session."""

from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pi_opensync.dashboard.db import noted
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.noted import Noted
from pi_opensync.dashboard.web.bodies import MAX_FORM, body_of, id_of
from pi_opensync.dashboard.web.session import found


class Notes:
    """Stars, tags, notes and what is hidden: they stay here, and no server is told."""

    def __init__(self, store: Connections) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [Route("/sessions/{id}/noted", self.keep, methods=["POST"])]

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
