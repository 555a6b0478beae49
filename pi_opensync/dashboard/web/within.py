"""Finding in one session: which messages hold the words, and where in a message they stand."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pi_opensync.dashboard.db import finding
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.query import MAX_QUERY, Query, parse
from pi_opensync.dashboard.snippets import places_of
from pi_opensync.dashboard.web.api import Json
from pi_opensync.dashboard.web.bodies import body_of, id_of
from pi_opensync.dashboard.web.session import found

_MAX_TEXT = 4 * 1024 * 1024
_MOST_MARKS = 500


class Within:
    """For the page of a session, which shows what these answer."""

    def __init__(self, store: Connections) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("/sessions/{id}/find", self.find),
            Route("/sessions/{id}/marks", self.marks, methods=["POST"]),
        ]

    def find(self, request: Request) -> Response:
        """Return `{ids, wide}`: the messages that hold all the words, in order.

        `wide`: none did, but these hold longer words that begin so.
        """
        query = _asked(request)
        with self._store.read() as con:
            session_id = found(con, id_of(request))["id"]
        ids = finding.ids_in(self._store.read, query, session_id) if query.groups else []
        is_wide = not ids and query.widened() != query
        if is_wide:
            ids = finding.ids_in(self._store.read, query.widened(), session_id)
        return Json({"ids": [str(message_id) for message_id in ids], "wide": is_wide})

    async def marks(self, request: Request) -> Response:
        """Return the `[begin, end]` of each of the words in a text that a page shows, in UTF-16 units."""
        query = _asked(request)
        wanted = query.widened() if request.query_params.get("wide") else query
        text = (await body_of(request, _MAX_TEXT)).decode("utf-8", "replace")
        return Json(await run_in_threadpool(lambda: _in_utf16(text, places_of(text, wanted, _MOST_MARKS))))


def _asked(request: Request) -> Query:
    return parse(request.query_params.get("q", "").strip()[: MAX_QUERY + 1])


def _in_utf16(text: str, places: list[tuple[int, int]]) -> list[list[int]]:
    """Places as JavaScript counts them: a character beyond the first 65,536 is two."""
    converted = []
    seen = units = 0
    for place in places:
        pair = []
        for index in place:
            units += len(text[seen:index].encode("utf-16-le", "surrogatepass")) // 2
            seen = index
            pair.append(units)
        converted.append(pair)
    return converted
