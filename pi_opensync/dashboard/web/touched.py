"""The page of one file: the sessions that read or wrote it; without one, the files of late."""

from datetime import tzinfo

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pi_opensync.dashboard.db import finding, listing
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.runs import MAX_PATH, Touch
from pi_opensync.dashboard.web.page import Page

_TOUCHES = {Touch.READ: "read", Touch.WRITTEN: "written", Touch.READ | Touch.WRITTEN: "read and written"}


def touched_how(kinds: int) -> str:
    """Return `read`, `written` or `read and written`."""
    return _TOUCHES[Touch(kinds)]


class FilePages:
    """`zone` is the reader's where the browser told none."""

    def __init__(self, store: Connections, templates: Environment, *, zone: tzinfo | None) -> None:
        self._store = store
        self._page = Page(templates, zone)

    def routes(self) -> list[Route]:
        return [Route("/files", self.file)]

    def file(self, request: Request) -> Response:
        path = request.query_params.get("path", "").strip()[:MAX_PATH]
        with self._store.read() as con:
            sessions = finding.sessions_that_touched(con, path) if path else []
            files = [] if path else finding.files_of_late(con)
            labels = listing.project_labels(con)
        return self._page(
            request, "file.html", path=path, sessions=sessions, files=files, labels=labels, how=touched_how
        )
