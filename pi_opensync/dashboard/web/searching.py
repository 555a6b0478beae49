"""The page of a search: sessions by their titles, messages by their words, and what narrows both."""

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pi_opensync.dashboard.db import finding, listing
from pi_opensync.dashboard.db.connections import Connections, revision
from pi_opensync.dashboard.query import MAX_QUERY, Filter, Query, parse
from pi_opensync.dashboard.times import at
from pi_opensync.dashboard.web.bodies import number_of
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.session import found
from pi_opensync.dashboard.web.visitor import zone_of
from pi_opensync.sqlite import Database, Row

_HITS = 30
_FEW_TITLES, _MOST_TITLES = 5, 200
_SEARCHED_BY = ("project", "model", "source", "machine", "role")
_ROLES_ASKED = ("user", "assistant", "tool", "system")


def choices_in(store: Connections, con: Database) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return what there is to filter by, and the names of projects."""
    known, now_at = store.remembered, revision(con)
    choices = known.of("choices", now_at, lambda: listing.choices(con))
    return choices, known.of("labels", now_at, lambda: listing.project_labels(con))


class SearchPages:
    """`now` gives ms; `zone` is the reader's where the browser told none, None for this machine's."""

    def __init__(
        self, store: Connections, page: Page, *, now: Callable[[], int], zone: tzinfo | None
    ) -> None:
        self._store = store
        self._page = page
        self._now = now
        self._zone = zone

    def routes(self) -> list[Route]:
        return [Route("/search", self.search)]

    def search(self, request: Request) -> Response:
        text = request.query_params.get("q", "").strip()[: MAX_QUERY + 1]
        within = number_of(request, "in", None)
        zone = zone_of(request, self._zone)
        chosen = {name: given for name in _SEARCHED_BY if (given := request.query_params.get(name))}
        typed = parse(text, at(self._now(), zone).date())
        further = tuple(Filter(name, value, excludes=False) for name, value in chosen.items())
        query = replace(typed, filters=typed.filters + further) if text else typed
        before = number_of(request, "before", None)
        is_wide = "wide" in request.query_params
        titled: list[Row] = []
        most_titles = _MOST_TITLES if "titles" in request.query_params else _HITS
        if query.groups and "titles" not in request.query_params:
            most_titles = _FEW_TITLES
        session = None
        with self._store.read() as con:
            choices, labels = choices_in(self._store, con)
            if within is not None:
                session = found(con, within)
            elif query and before is None:
                titled = finding.titled(con, query, most_titles + 1, zone)

        def search(asked: Query, before: int | None) -> finding.Hits:
            return finding.search(
                self._store.read, asked, limit=_HITS, zone=zone, before=before, session_id=within
            )

        asked = query.widened() if is_wide else query
        hits = search(asked, before)
        if not hits.hits and before is None and asked.widened() != asked:
            asked, is_wide = asked.widened(), True
            hits = search(asked, None)
        kept = (
            {"q": text, **chosen}
            | ({"wide": "1"} if is_wide else {})
            | ({"in": str(within)} if within is not None else {})
        )
        more = "/search?" + urlencode({**kept, "before": hits.next_before}) if hits.next_before else None
        count = len(hits.hits) if hits.count is None and before is None and more is None else hits.count
        return self._page(
            request,
            "search.html",
            q=text,
            query=query,
            choices={**choices, "role": _ROLES_ASKED},
            labels=labels,
            chosen=chosen,
            count=count,
            before=before,
            session=session,
            titled=titled[:most_titles],
            more_titles="/search?" + urlencode({**kept, "titles": "all"})
            if len(titled) > most_titles
            else None,
            most_titles=_MOST_TITLES,
            hits=hits.hits,
            wide=is_wide,
            more=more,
        )
