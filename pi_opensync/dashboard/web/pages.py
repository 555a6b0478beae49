"""The list of all sessions, and the pages beside it."""

import re
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pi_opensync.dashboard.db import calendar, listing, noted
from pi_opensync.dashboard.db.connections import Connections, revision
from pi_opensync.dashboard.db.listing import Filters
from pi_opensync.dashboard.db.noted import Noted
from pi_opensync.dashboard.show.drawing import make_ready
from pi_opensync.dashboard.times import at
from pi_opensync.dashboard.web.bodies import number_of
from pi_opensync.dashboard.web.columns import WEEKDAYS
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.dashboard.web.notes import Notes
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.searching import SearchPages, choices_in
from pi_opensync.dashboard.web.session import SessionPages
from pi_opensync.dashboard.web.streams import Streams
from pi_opensync.dashboard.web.touched import FilePages
from pi_opensync.dashboard.web.visitor import zone_of
from pi_opensync.dashboard.web.within import Within
from pi_opensync.sqlite import Database

_FAMILIES = 50
_NOTHING = Noted()
_HOUR = re.compile(r"([0-6])\.(\d{1,2})", re.ASCII)
_HOURS = 24
_FILTER_NAMES = ("source", "project", "model", "since_day", "until", "has", "tag", "machine", "hour")
_HEADS = (
    ("title", "Title"),
    ("messages", "Messages"),
    ("tokens", "Tokens"),
    ("cost", "Cost"),
    ("active", "Last active"),
)
_PRESETS = (("Today", 1), ("7 days", 7), ("30 days", 30))


class Pages:
    """`now` gives ms; `zone` is the reader's where the browser told none, None for this machine's."""

    def __init__(
        self,
        store: Connections,
        templates: Environment,
        streams: Streams,
        *,
        now: Callable[[], int],
        zone: tzinfo | None,
    ) -> None:
        self._store = store
        self._now = now
        self._zone = zone
        self._page = Page(templates, zone)
        self._templates = templates
        self._is_ready = False
        self._streams = streams
        self._of_files = FilePages(store, templates, zone=zone)
        self._of_search = SearchPages(store, self._page, now=now, zone=zone)
        self._of_one = SessionPages(store, templates, streams, now=now, zone=zone)

    def routes(self) -> list[Route]:
        return [
            Route("/", self.sessions),
            Route("/events", self.events),
            Route("/events/ready", self.ready),
            *self._of_search.routes(),
            *self._of_one.routes(),
            *Within(self._store).routes(),
            *self._of_files.routes(),
            *Notes(self._store, self._page, now=self._now).routes(),
        ]

    def sessions(self, request: Request) -> Response:
        """Return the list; `rows=1` asks for its rows alone, `since` for nothing if nothing changed."""
        query = request.query_params
        filters = self._filters(request)
        before = _place(query.get("before", ""))
        order = query.get("sort") or "active"
        if order not in listing.ORDERS:
            raise PayloadError("sort", f"must be one of {', '.join(listing.ORDERS)}")
        skip = number_of(request, "skip", 0) or 0
        with self._store.read() as con:
            filters = replace(filters, slots=self._slots(con, request))
            now_at = revision(con)
            if query.get("since") == str(now_at):
                return Response(status_code=204)
            rows, more = listing.families(
                con, filters, limit=_FAMILIES, before=before, order=order, skip=skip
            )
            known = self._store.remembered
            choices, labels = choices_in(self._store, con)
            sums = known.of(filters, now_at, lambda: listing.totals(con, filters))
            tags = known.of("tags", now_at, lambda: noted.known_tags(con))
            kept_of = noted.of_all(con, [row.session["id"] for row in rows])
        if filters.has != "hidden":
            rows = [row for row in rows if not kept_of.get(row.session["id"], _NOTHING).is_hidden]
        kept = {name: value for name, value in query.items() if name in _FILTER_NAMES and value}
        sort = {"sort": order} if order != "active" else {}
        further: dict[str, Any] = {"skip": skip + _FAMILIES} if sort else {"before": more and _as_text(more)}
        values: dict[str, Any] = {
            "rows": rows,
            "more": "/?" + urlencode({**kept, **sort, **further}) if more else None,
            "choices": choices,
            "labels": labels,
            "noted": kept_of,
            "tags": tags,
            "chosen": kept,
            "hour": _hour_named(query.get("hour")),
            "filtered": bool(kept),
            "sums": sums,
            "sort": sort.get("sort"),
            "heads": [(name, label, _head(kept, name), name == order) for name, label in _HEADS],
            "presets": self._presets(request, kept, sort),
            "revision": now_at,
            "first_page": before is None and not skip,
            "rows_only": bool(query.get("rows")),
        }
        page = self._page(request, "_rows.html" if query.get("rows") else "sessions.html", **values)
        if not self._is_ready:  # the others are made so while one looks at this one
            self._is_ready = True
            threading.Thread(target=make_ready, args=(self._templates,), daemon=True).start()
        return page

    async def events(self, request: Request) -> Response:
        def newest() -> int | None:
            with self._store.read() as con:
                return revision(con)

        return self._streams.answer(request, newest)

    async def ready(self, request: Request) -> Response:
        """Answer, so that a page that has lost its connection can tell a server that is away from a login."""
        del request
        return Response(status_code=204)

    def _presets(
        self, request: Request, kept: dict[str, str], sort: dict[str, str]
    ) -> list[tuple[str, str, bool]]:
        """Return `(label, address, is chosen)` of the usual times, with the other filters as they are."""
        today = at(self._now(), zone_of(request, self._zone)).date()
        others = {name: value for name, value in kept.items() if name not in ("since_day", "until")}
        chosen = kept.get("since_day") if "until" not in kept else "none"
        found_all = [("All", _address({**others, **sort}), chosen is None)]
        for label, days in _PRESETS:
            since = (today - timedelta(days=days - 1)).isoformat()
            found_all.append((label, _address({**others, **sort, "since_day": since}), chosen == since))
        return found_all

    def _slots(self, con: Database, request: Request) -> tuple[int, ...] | None:
        """Return the quarters of an hour that `hour` means, as `0.14` for two o'clock on Mondays."""
        hour = _hour(request.query_params.get("hour"))
        if hour is None:
            return None
        zone = zone_of(request, self._zone)
        begin = _date(request.query_params.get("since_day"), "since_day")
        end = _date(request.query_params.get("until"), "until")
        today = at(self._now(), zone).date()
        first = begin or min(today, at(listing.oldest(con), zone).date())
        bounds = calendar.number_of(first), calendar.number_of(end or today)
        return tuple(calendar.Calendar(zone).slots_of_hour(*hour, *bounds))

    def _filters(self, request: Request) -> Filters:
        query = request.query_params
        zone = zone_of(request, self._zone)
        return Filters(
            source=query.get("source") or None,
            project=query.get("project") or None,
            model=query.get("model") or None,
            has=_one_of(query.get("has"), listing.HAVING),
            tag=query.get("tag") or None,
            machine=query.get("machine") or None,
            since=_day(query.get("since_day"), "since_day", 0, zone),
            until=_day(query.get("until"), "until", 1, zone),
        )


def _day(text: str | None, name: str, days: int, zone: tzinfo | None) -> int | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        return int(start.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise PayloadError(name, "must be a date like 2026-01-31") from error


def _date(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise PayloadError(name, "must be a date like 2026-01-31") from error


def _hour(text: str | None) -> tuple[int, int] | None:
    """Return the weekday, 0 for a Monday, and the hour."""
    if not text:
        return None
    match = _HOUR.fullmatch(text)
    if match is None or int(match[2]) >= _HOURS:
        raise PayloadError("hour", "must be a weekday and an hour like 0.14")
    return int(match[1]), int(match[2])


def _hour_named(text: str | None) -> str | None:
    found = _hour(text)
    return f"{WEEKDAYS[found[0]]} {found[1]:02d}:00 to {found[1] + 1:02d}:00" if found else None


def _one_of(value: str | None, known: Collection[str]) -> str | None:
    if value and value not in known:
        raise PayloadError("has", f"must be one of {', '.join(known)}")
    return value or None


def _address(query: dict[str, str]) -> str:
    return "/?" + urlencode(query) if query else "/"


def _head(kept: dict[str, str], name: str) -> str:
    return _address({**kept, "sort": name} if name != "active" else kept)


def _as_text(place: tuple[int, int]) -> str:
    return f"{place[0]}.{place[1]}"


def _place(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    numbers_in = text.split(".")
    if len(numbers_in) != 2 or not all(n.isascii() and n.isdigit() and len(n) < 19 for n in numbers_in):  # noqa: PLR2004 - a time and an id below 2**63
        raise PayloadError("before", "is not a place in the list")
    return int(numbers_in[0]), int(numbers_in[1])
