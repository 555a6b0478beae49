"""The numbers: as a page, as a table for other programs, as JSON."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, tzinfo
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pi_opensync.dashboard.db import listing, numbers
from pi_opensync.dashboard.db.budget import Budget, Spending, spending
from pi_opensync.dashboard.db.connections import Connections, revision
from pi_opensync.dashboard.db.sums import Asked, Day, Numbers, Sums
from pi_opensync.dashboard.times import at
from pi_opensync.dashboard.web.api import Json
from pi_opensync.dashboard.web.columns import (
    WEEKDAYS,
    calls_of,
    cost_column,
    days_of,
    filters_of,
    token_column,
)
from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.dashboard.web.page import Page
from pi_opensync.dashboard.web.visitor import zone_of

SPANS = {"7": 7, "30": 30, "90": 90, "365": 365, "all": None}
_USUAL_SPAN = "30"
_SPAN_NAMES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year", "all": "All time"}
_COLUMNS = (
    "day",
    "project",
    "model",
    "source",
    "sessions",
    "messages",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost_usd",
)


class Statistics:
    """`now` gives ms; `zone` is where days begin for who told no zone of their own."""

    def __init__(
        self,
        connections: Connections,
        page: Page,
        *,
        now: Callable[[], int],
        zone: tzinfo | None,
        budget: Budget,
    ) -> None:
        self._connections = connections
        self._page = page
        self._now = now
        self._zone = zone
        self._budget = budget

    def routes(self) -> list[Route]:
        return [
            Route("/numbers", self.numbers),
            Route("/numbers.csv", self.table),
            Route("/api/numbers", self.as_json),
        ]

    def numbers(self, request: Request) -> Response:
        zone, asked, span = self._asked(request)
        with self._connections.read() as database:
            seen = revision(database)
        summary, budgets = self._summary(asked, zone)
        if span == _USUAL_SPAN and "days" not in request.query_params and not summary.total.sessions:
            asked, span = replace(asked, first=None, last=None), "all"
            summary, budgets = self._summary(asked, zone)
        with self._connections.read() as database:
            choices, labels = listing.choices(database), listing.project_labels(database)
            has_worktrees = listing.has_worktrees(database)
        together = {"worktrees": "together"} if asked.worktrees_together else {}
        return self._page(
            request,
            "numbers.html",
            revision=seen,
            numbers=summary,
            asked=asked,
            span=span,
            spans=[
                (value, label, "/numbers?" + urlencode({**filters_of(asked), **together, "days": value}))
                for value, label in _SPAN_NAMES.items()
            ],
            weekdays=WEEKDAYS,
            choices=choices,
            has_worktrees=has_worktrees,
            labels=labels,
            budgets=budgets,
            table=f"/numbers.csv?{request.query_params}".rstrip("?"),
            filters=(filters := filters_of(asked)),
            within=days_of(asked),
            today=at(self._now(), zone).date(),
            calls_of=calls_of,
            cost_columns=[cost_column(period, filters) for period in summary.periods],
            token_columns=[token_column(period, filters) for period in summary.periods],
        )

    def table(self, request: Request) -> Response:
        """Return a line for each day, project, model and source."""
        zone, asked, _span = self._asked(request)
        with self._connections.read() as database:
            days = numbers.by_day(database, asked, zone)
        headers = {"content-disposition": 'attachment; filename="numbers.csv"'}
        return StreamingResponse(as_csv(days), media_type="text/csv", headers=headers)

    def as_json(self, request: Request) -> Response:
        """Return the sums of what is asked for, for other programs."""
        zone, asked, _span = self._asked(request)
        summary, budgets = self._summary(asked, zone)
        return _json(summary, budgets)

    def _summary(self, asked: Asked, zone: tzinfo | None) -> tuple[Numbers, list[Spending]]:
        now = self._now()
        with self._connections.read() as database:
            at_revision = revision(database)
            key = (asked, str(zone), at(now, zone).date())

            def count() -> tuple[Numbers, list[Spending]]:
                summary = numbers.summarize(database, now=now, zone=zone, asked=asked)
                return summary, spending(database, self._budget, now=now, zone=zone)

            return self._connections.remembered.of(key, at_revision, count)

    def _asked(self, request: Request) -> tuple[tzinfo | None, Asked, str | None]:
        """The reader's zone, what is asked for, and the name of the usual time that it is."""
        query = request.query_params
        zone = zone_of(request, self._zone)
        names = ("project", "model", "source", "machine")
        narrow: dict[str, Any] = {name: query.get(name) or None for name in names}
        narrow["worktrees_together"] = query.get("worktrees") == "together"
        span = query.get("days") or _USUAL_SPAN
        if span not in SPANS:
            raise PayloadError("days", f"must be one of {', '.join(SPANS)}")
        first, last = (_day(query.get(name), name) for name in ("first", "last"))
        if first is not None and last is not None and last < first:
            raise PayloadError("last", "must not be before first")
        if first is not None or last is not None:
            return zone, Asked(first, last, **narrow), None
        days = SPANS[span]
        if days is None:
            return zone, Asked(None, None, **narrow), span
        of_days = Asked.of_days(days, at(self._now(), zone).date())
        return zone, Asked(of_days.first, of_days.last, **narrow), span


def as_csv(days: list[Day]) -> Iterator[str]:
    """Lines of a table; what a spreadsheet would take for a formula is marked as text."""
    for line in (_COLUMNS, *((day.day.isoformat(), *_cells(day)) for day in days)):
        text = io.StringIO()
        csv.writer(text).writerow(line)
        yield text.getvalue()


def _cells(day: Day) -> list[str]:
    sums = day.sums
    names = [f"'{name}" if name[:1] in "=+-@\t\r" else name for name in (day.project, day.model, day.source)]
    counts = (len(sums.sessions), sums.messages)
    tokens = (sums.prompt, sums.completion, sums.cache_read, sums.cache_write)
    return [*names, *map(str, counts), *(f"{value:.0f}" for value in tokens), f"{sums.cost:.6f}"]


def _json(summary: Numbers, budgets: list[Spending]) -> Response:
    def sums(of: Sums) -> dict[str, Any]:
        return {
            "cost": of.cost,
            "promptTokens": round(of.prompt),
            "completionTokens": round(of.completion),
            "cacheReadTokens": round(of.cache_read),
            "cacheWriteTokens": round(of.cache_write),
            "messages": of.messages,
            "sessions": len(of.sessions),
        }

    return Json(
        {
            "total": sums(summary.total),
            "previous": None if summary.previous is None else sums(summary.previous),
            "periods": [
                {"start": period.start.isoformat(), "days": period.days, **sums(period.sums)}
                for period in summary.periods
            ],
            "projects": [
                {"name": each.name, "key": each.key, **sums(each.sums)} for each in summary.projects
            ],
            "models": [{"name": each.name, **sums(each.sums)} for each in summary.models],
            "sources": [{"name": each.name, **sums(each.sums)} for each in summary.sources],
            "machines": [{"name": each.name, **sums(each.sums)} for each in summary.machines],
            "tools": [
                {
                    "name": tool.name,
                    "calls": tool.calls,
                    "failures": tool.failures,
                    "sessions": tool.sessions,
                    "timedCalls": tool.timed,
                    "durationMs": tool.duration_ms,
                }
                for tool in summary.tools
            ],
            "reconciled": {
                "sessions": summary.reconciled.sessions,
                "inFiles": summary.reconciled.in_files,
                "copied": summary.reconciled.copied,
                "counted": summary.reconciled.counted,
            },
            "cacheSaved": summary.saved,
            "budgets": [
                {"time": each.time, "spent": each.spent, "limit": each.limit, "isPassed": each.is_passed}
                for each in budgets
            ],
        }
    )


def _day(text: str | None, name: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise PayloadError(name, "must be a date like 2026-01-31") from error
    if not date(1971, 1, 1) <= day <= date(9000, 1, 1):
        raise PayloadError(name, "must be a date like 2026-01-31")
    return day
