"""OpenSync's API, with OpenSync's answers; but nothing is dropped silently, and what is wrong gets a 4xx.

A batch is written whole or, if anything in it is wrong, not at all; `errors` then names everything.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from pi_opensync.dashboard.cleaning import cleaned_message, cleaned_session
from pi_opensync.dashboard.db import deleted, finding, listing, numbers, readback
from pi_opensync.dashboard.db.connections import Connections, revision
from pi_opensync.dashboard.db.upsert import Saved, save
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.dashboard.parts import to_json
from pi_opensync.dashboard.query import Query, parse
from pi_opensync.dashboard.show import document, recall
from pi_opensync.dashboard.times import at
from pi_opensync.dashboard.web import openapi, received
from pi_opensync.dashboard.web.access import HOLDER
from pi_opensync.dashboard.web.bodies import body_of, id_of, number_of
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.dashboard.web.keys import KeyHolder
from pi_opensync.opensync.answers import DELETED, OWN_SERVER
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.sqlite import Row

_MAX_LISTED = 10_000
_MAX_HITS = 200
_MAX_IN_CONTEXT = 50  # sessions


class Json(Response):
    """JSON in UTF-8 of anything that was stored."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return to_json(content).encode()


class Api:
    """The endpoints; `now` gives ms.

    What others than our own daemon send is stored as `clean` leaves it; the daemon has redacted it before.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        now: Callable[[], int],
        zone: tzinfo | None,
        clean: Cleaner | None = None,
    ) -> None:
        self._clean = clean
        self._connections = connections
        self._now = now
        self._zone = zone

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/sync/session", self.put_session, methods=["POST"]),
            Route("/sync/message", self.put_message, methods=["POST"]),
            Route("/sync/batch", self.put_batch, methods=["POST"]),
            Route("/sync/sessions/list", self.list_ids),
            Route("/api/sessions", self.list_sessions),
            Route("/api/sessions/get", self.get_session),
            Route("/api/search", self.find),
            Route("/api/context", self.context),
            Route("/api/stats", self.stats),
            Route("/api/export", self.export),
            Route("/api/openapi.json", self.describe),
        ]

    def health(self, request: Request) -> Response:
        """Well is only what can read its database; anything else is answered with a 503."""
        del request
        with self._connections.read() as database:
            revision(database)
        return Json({"status": "ok", "timestamp": self._now(), "server": OWN_SERVER})

    async def put_session(self, request: Request) -> Response:
        body = await body_of(request)

        def put() -> dict[str, Any]:
            data = received.decode(body)
            saved = self._save(request, [received.session_from(data)], [])
            return {
                "ok": True,
                "sessionId": str(saved.session_ids[0]),
                **_ignored(received.ignored_in(data, message=False)),
            }

        return Json(await run_in_threadpool(put))

    async def put_message(self, request: Request) -> Response:
        body = await body_of(request)

        def put() -> dict[str, Any]:
            data = received.decode(body)
            saved = self._save(request, [], [received.message_from(data)])
            return {
                "ok": True,
                "messageId": str(saved.message_ids[0]),
                **_ignored(received.ignored_in(data, message=True)),
            }

        return Json(await run_in_threadpool(put))

    async def put_batch(self, request: Request) -> Response:
        body = await body_of(request)

        def put() -> tuple[int, dict[str, Any]]:
            data = received.decode(body)
            sessions, messages, errors = received.batch_from(data)
            if errors:
                return 400, {
                    "ok": False,
                    "error": str(errors[0]),
                    "field": errors[0].field,
                    "sessions": 0,
                    "messages": 0,
                    "errors": [str(error) for error in errors],
                }
            self._save(request, sessions, messages)
            return 200, {"ok": True, "sessions": len(sessions), "messages": len(messages), "errors": []}

        status, answer = await run_in_threadpool(put)
        return Json(answer, status)

    def _save(self, request: Request, sessions: Sequence[SessionIn], messages: Sequence[MessageIn]) -> Saved:
        clean = self._clean
        if clean is not None and request.scope["state"].get(HOLDER) is not KeyHolder.OWN_DAEMON:
            sessions = [cleaned_session(session, clean) for session in sessions]
            messages = [cleaned_message(message, clean) for message in messages]
        return save(self._connections, sessions, messages, self._now())

    def list_ids(self, request: Request) -> Response:
        del request
        with self._connections.read() as database:
            return Json({"sessionIds": listing.external_ids(database)})

    def list_sessions(self, request: Request) -> Response:
        limit = number_of(request, "limit", 50, least=1, most=_MAX_LISTED) or 50
        with self._connections.read() as database:
            rows = listing.newest_sessions(database, limit)
            gone = [row["external_id"] for row in deleted.all_of(database)]
        found = {"sessions": [document.session_json(row) for row in rows]}
        return Json(found | ({DELETED: gone} if gone else {}))

    def get_session(self, request: Request) -> Response:
        session = self._session(id_of(request))
        return (
            _stream(document.as_json(self._connections.read, session), "application/json")
            if session
            else _not_found()
        )

    def find(self, request: Request) -> Response:
        """OpenSync answers with sessions: those whose title fits, then those whose newest messages do."""
        query = self._query(_asked(request))
        limit = number_of(request, "limit", 20, least=1, most=_MAX_HITS) or 20
        results = [document.session_json(row) for row in self._found(query, limit)]
        return Json({"results": results} | ({"problems": query.problems} if query.problems else {}))

    def context(self, request: Request) -> Response:
        """OpenSync looks for what is near in meaning; here all the words are looked for, then any of them."""
        text = _asked(request)
        limit = number_of(request, "limit", 5, least=1, most=_MAX_IN_CONTEXT) or 5
        kind = request.query_params.get("format") or "text"
        if kind not in recall.FORMATS:
            raise PayloadError("format", f"must be one of {', '.join(recall.FORMATS)}")
        found = {row["id"]: row for row in self._found(self._query(text), limit)}
        if len(found) < limit:
            for row in self._found(self._query(" OR ".join(text.split())), limit):
                found.setdefault(row["id"], row)
        sessions = list(found.values())[:limit]
        if kind == "messages":
            return Json(recall.as_messages(self._connections.read, sessions))
        return Json(recall.as_text(self._connections.read, text, sessions))

    def _query(self, text: str) -> Query:
        return parse(text, at(self._now(), self._zone).date())

    def _found(self, query: Query, limit: int) -> list[Row]:
        found: dict[int, Row] = {}
        if query:
            with self._connections.read() as database:
                for session in finding.titled(database, query, limit, self._zone):
                    found[session["id"]] = session
            for session in finding.sessions_with(self._connections.read, query, limit, self._zone):
                found.setdefault(session["id"], session)
        return list(found.values())[:limit]

    def stats(self, request: Request) -> Response:
        del request
        with self._connections.read() as database:
            return Json(numbers.totals(database))

    def export(self, request: Request) -> Response:
        kind = request.query_params.get("format") or "json"
        if kind not in document.FORMATS:
            raise PayloadError("format", f"must be one of {', '.join(document.FORMATS)}")
        session = self._session(id_of(request))
        if session is None:
            return _not_found()
        if kind == "markdown":
            pieces = document.as_markdown(self._connections.read, session, self._zone)
        elif kind == "jsonl":
            pieces = document.as_jsonl(self._connections.read, session)
        else:
            return _stream(document.as_chat(self._connections.read, session), document.FORMATS[kind])
        return _stream(pieces, document.FORMATS[kind], document.filename(session, kind))

    def describe(self, request: Request) -> Response:
        """Return the API in OpenAPI's words."""
        del request
        return Json(openapi.DOCUMENT)

    def _session(self, session_id: int) -> Row | None:
        with self._connections.read() as database:
            return readback.session(database, session_id)


def _asked(request: Request) -> str:
    text = request.query_params.get("q", "").strip()
    if not text:
        raise PayloadError("q", "is missing")
    return text


def _ignored(names: list[str]) -> dict[str, list[str]]:
    return {"ignored": names} if names else {}


def _not_found() -> Response:
    return JSONResponse({"error": "Session not found"}, 404)


def _stream(pieces: Iterator[str], media_type: str, name: str | None = None) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'} if name else {}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)
