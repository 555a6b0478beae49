"""The pages: sessions, one session, search and numbers."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pi_opensync.dashboard.db import finding, listing, numbers, reading
from pi_opensync.dashboard.db.connections import Connections, revision
from pi_opensync.dashboard.db.listing import Filters
from pi_opensync.dashboard.db.reading import Message
from pi_opensync.dashboard.parts import whole_of
from pi_opensync.dashboard.query import MAX_QUERY, parse
from pi_opensync.dashboard.show import export, visible
from pi_opensync.dashboard.show.cards import card_of
from pi_opensync.dashboard.web import live
from pi_opensync.dashboard.web.api import Json
from pi_opensync.dashboard.web.bodies import id_of, number_of
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.sqlite import Database, Row

_FAMILIES = 50
_MESSAGES = 40
_HITS = 30
_LIVE_MS = 15 * 60 * 1000
_SPANS = {"7": 7, "30": 30, "90": 90, "365": 365, "all": None}
_USUAL_SPAN = "30"
_SPAN_NAMES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year", "all": "All time"}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Pages:
    """`now` gives ms; `zone` is where days begin, None for this machine's."""

    def __init__(
        self, store: Connections, templates: Environment, *, now: Callable[[], int], zone: tzinfo | None
    ) -> None:
        self._store = store
        self._now = now
        self._zone = zone
        self._templates = templates

    def routes(self) -> list[Route]:
        return [
            Route("/", self.sessions),
            Route("/sessions/{id}", self.session),
            Route("/sessions/{id}/more", self.more),
            Route("/sessions/{id}/changes", self.changes),
            Route("/sessions/{id}/export/{format}", self.export),
            Route("/sessions/{id}/messages/{message}/parts/{part}", self.part),
            Route("/search", self.search),
            Route("/numbers", self.numbers),
        ]

    def sessions(self, request: Request) -> Response:
        """Return the list; `rows=1` asks for its rows alone, `since` for nothing if nothing changed."""
        query = request.query_params
        filters = self._filters(request)
        before = _place(query.get("before", ""))
        with self._store.read() as con:
            now_at = revision(con)
            if query.get("since") == str(now_at):
                return Response(status_code=204)
            rows, more = listing.families(con, filters, limit=_FAMILIES, before=before)
            choices = listing.choices(con)
        kept = {name: value for name, value in query.items() if name in _FILTER_NAMES and value}
        values: dict[str, Any] = {
            "rows": rows,
            "more": "/?" + urlencode({**kept, "before": f"{more[0]}.{more[1]}"}) if more else None,
            "choices": choices,
            "chosen": kept,
            "filtered": bool(kept),
            "revision": now_at,
            "first_page": before is None,
            "live_since": self._now() - _LIVE_MS,
        }
        name = "_rows.html" if query.get("rows") else "sessions.html"
        return self._page(name, **values)

    def session(self, request: Request) -> Response:
        session_id = id_of(request)
        around = number_of(request, "at", None)
        with self._store.read() as con:
            session = self._found(con, session_id)
            if around is not None:
                earlier = reading.window(con, session_id, limit=_MESSAGES // 4, before=around)
                window = reading.window(con, session_id, limit=_MESSAGES, after=around - 1)
                messages = earlier.messages + window.messages
                before, after = earlier.before, window.after
            else:
                at_end = request.query_params.get("end") is not None
                window = reading.window(con, session_id, limit=_MESSAGES, at_end=at_end)
                messages, before, after = window.messages, window.before, window.after
            values = {**self._head(con, session), "before": before, "after": after}
        return self._page(
            "session.html",
            **values,
            cards=[card_of(message) for message in messages],
            around=str(around) if around is not None else None,
            cursor=str(live.Cursor(session["revision"])),
        )

    def more(self, request: Request) -> Response:
        """Return the next messages after, or before, one."""
        session_id = id_of(request)
        after, before = number_of(request, "after", None), number_of(request, "before", None)
        with self._store.read() as con:
            session = self._found(con, session_id)
            window = reading.window(con, session_id, limit=_MESSAGES, after=after, before=before)
        return self._page(
            "_messages.html",
            session=session,
            cards=[card_of(message) for message in window.messages],
            before=before is not None and window.before,
            after=before is None and window.after,
            around=None,
        )

    def changes(self, request: Request) -> Response:
        cursor = live.Cursor.parse(request.query_params.get("after", ""))
        with self._store.read() as con:
            session = self._found(con, id_of(request))
            growth = live.growth(con, session, cursor)
            if growth is None:
                return Response(status_code=204)
            head = self._templates.get_template("_head.html").render(**self._head(con, session))

        def draw(message: Message) -> str:
            return self._templates.get_template("_message.html").render(
                card=card_of(message), session=session, around=None
            )

        return Json(live.as_json(growth, draw, head))

    def export(self, request: Request) -> Response:
        kind = request.path_params["format"]
        with self._store.read() as con:
            session = self._found(con, id_of(request))
        if kind == "json":
            pieces = export.as_json(self._store.read, session)
        elif kind == "markdown":
            pieces = export.as_markdown(self._store.read, session, self._zone)
        else:
            raise HTTPException(404)
        headers = {"content-disposition": f'attachment; filename="{export.filename(session, kind)}"'}
        return StreamingResponse(pieces, media_type=export.FORMATS[kind], headers=headers)

    def part(self, request: Request) -> Response:
        """All of a part, as plain text: what was too long for the page."""
        place = request.path_params["part"]
        with self._store.read() as con:
            message = reading.message(con, id_of(request), id_of(request, "message"))
        if message is None:
            raise HTTPException(404)
        if place == "text":
            text = message.row["text_content"] or ""
        elif place.isascii() and place.isdigit() and len(place) < 6 and int(place) < len(message.parts):  # noqa: PLR2004 - more digits than there are parts
            text = whole_of(message.parts[int(place)])
        else:
            raise HTTPException(404)
        return PlainTextResponse(visible.visible(text))

    def search(self, request: Request) -> Response:
        text = request.query_params.get("q", "").strip()[:MAX_QUERY]
        within = number_of(request, "in", None)
        query = parse(text)
        titled: list[Row] = []
        found = finding.Hits()
        is_wide = False
        with self._store.read() as con:
            session = None if within is None else self._found(con, within)
            if query is not None:
                before = number_of(request, "before", None)
                is_wide = "wide" in request.query_params
                query = query.widened() if is_wide else query
                found = finding.hits(con, query, limit=_HITS, before=before, session_id=within)
                if not found.hits and before is None and query.widened() != query:
                    query, is_wide = query.widened(), True
                    found = finding.hits(con, query, limit=_HITS, session_id=within)
                if within is None and before is None:
                    titled = listing.titled(con, [term.text for term in query.terms], 5)
        kept = (
            {"q": text}
            | ({"wide": "1"} if is_wide else {})
            | ({"in": str(within)} if within is not None else {})
        )
        more = "/search?" + urlencode({**kept, "before": found.next_before}) if found.next_before else None
        return self._page(
            "search.html",
            q=text,
            query=query,
            session=session,
            titled=titled,
            hits=found.hits,
            wide=is_wide,
            more=more,
        )

    def numbers(self, request: Request) -> Response:
        asked = request.query_params.get("days")
        if asked is not None and asked not in _SPANS:
            raise PayloadError("days", f"must be one of {', '.join(_SPANS)}")
        span = asked or _USUAL_SPAN
        with self._store.read() as con:
            summary = numbers.summarize(con, days=_SPANS[span], now=self._now(), zone=self._zone)
            if asked is None and not summary.total.sessions:
                span = "all"
                summary = numbers.summarize(con, days=None, now=self._now(), zone=self._zone)
        return self._page(
            "numbers.html",
            numbers=summary,
            span=span,
            spans=_SPAN_NAMES,
            weekdays=_DAYS,
            cost_columns=[
                (_says(period, visible.money(period.sums.cost)), [period.sums.cost])
                for period in summary.periods
            ],
            token_columns=[_tokens(period) for period in summary.periods],
        )

    def _head(self, con: Database, session: Row) -> dict[str, Any]:
        parent = reading.session(con, session["parent_id"]) if session["parent_id"] else None
        is_live = (
            session["updated_at"] > self._now() - _LIVE_MS and session["active_at"] > self._now() - _LIVE_MS
        )
        return {
            "session": session,
            "parent": parent,
            "forks": reading.forks_of(con, session["id"]),
            "is_live": is_live,
        }

    def _filters(self, request: Request) -> Filters:
        query = request.query_params
        until = self._day(query.get("until"), "until", 1)
        return Filters(
            source=query.get("source") or None,
            project=query.get("project") or None,
            model=query.get("model") or None,
            since=self._day(query.get("since_day"), "since_day", 0),
            until=until,
        )

    def _day(self, text: str | None, name: str, days: int) -> int | None:
        if not text:
            return None
        try:
            day = date.fromisoformat(text) + timedelta(days=days)
            start = datetime(day.year, day.month, day.day, tzinfo=self._zone)
            return int(start.astimezone(UTC).timestamp() * 1000)
        except (ValueError, OverflowError) as error:
            raise PayloadError(name, "must be a date like 2026-01-31") from error

    def _found(self, con: Database, session_id: int) -> Row:
        session = reading.session(con, session_id)
        if session is None:
            raise HTTPException(404)
        return session

    def _page(self, template: str, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(**values))


_FILTER_NAMES = ("source", "project", "model", "since_day", "until")


def _place(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    numbers_in = text.split(".")
    if len(numbers_in) != 2 or not all(n.isascii() and n.isdigit() and len(n) < 19 for n in numbers_in):  # noqa: PLR2004 - a time and an id below 2**63
        raise PayloadError("before", "is not a place in the list")
    return int(numbers_in[0]), int(numbers_in[1])


def _says(period: numbers.Period, what: str) -> str:
    until = f" and {period.days - 1} more days" if period.days > 1 else ""
    return f"{period.start:%a} {period.start.day} {period.start:%b}{until}: {what}"


def _tokens(period: numbers.Period) -> tuple[str, list[float]]:
    sums = period.sums
    cached = min(sums.cache_read, sums.prompt)
    said = f"{visible.count(sums.prompt)} in, {visible.count(sums.completion)} out"
    if sums.cache_share is not None:
        said += f", {visible.count(cached)} of it from cache"
    return _says(period, said), [cached, sums.prompt - cached, sums.completion]
