"""Charts as SVG. They stretch with the page, so what is text stands beside them, in HTML."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from markupsafe import Markup, escape

from pi_opensync.dashboard.show.axes import Axis, Bar
from pi_opensync.dashboard.show.visible import money

_HEIGHT = 100
_SLOT = 10
_BAR = 7.6
_WEEKS = 53
_DAYS = 7
_NONE: Mapping[str, str] = MappingProxyType({})


def columns(stacks: Sequence[Bar], axis: Axis) -> Markup:
    """Upright bars that are links; what goes beyond the axis ends in a notch."""
    width = max(len(stacks), 1) * _SLOT
    pieces = [
        f'<line class="grid" x1="0" x2="{width}" y1="{y}" y2="{y}"/>' for y in (0, _HEIGHT / 2, _HEIGHT)
    ]
    for index, column in enumerate(stacks):
        x = index * _SLOT + (_SLOT - _BAR) / 2
        pieces.append(
            f'<a href="{escape(column.address)}" data-says="{escape(f"{column.name}: {column.says}")}" '
            f'aria-label="{escape(f"{column.name}: {column.says}")}">'
            f'<rect class="hover" x="{index * _SLOT}" y="0" width="{_SLOT}" height="{_HEIGHT}"/>'
        )
        y = float(_HEIGHT)
        for series, value in enumerate(column.values):
            height = min(value / axis.top * _HEIGHT, y)
            y -= height
            pieces.append(
                f'<rect class="s{series}" x="{x:.2f}" y="{y:.3f}" width="{_BAR}" height="{height:.3f}"/>'
            )
        if column.height > axis.top:
            pieces.append(f'<rect class="notch" x="{x:.2f}" y="7" width="{_BAR}" height="4"/>')
        pieces.append("</a>")
    return _svg(pieces, width, _HEIGHT, "columns")


def bar(value: float, most: float) -> Markup:
    """One lying bar, for a row of a table whose longest is `most`."""
    width = min(value / most, 1.0) * 100 if most > 0 else 0.0
    return Markup(
        '<svg class="bar-of" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/><rect class="s0" width="{}" height="10"/></svg>'
    ).format(f"{width:.2f}")


def heat(
    rows: Sequence[Sequence[int]],
    names: Sequence[str],
    *,
    label: str,
    filters: Mapping[str, str] = _NONE,
) -> Markup:
    """Return a week of hours: a row for each day, a cell for each hour, the darker the more.

    A cell leads to its sessions, of those that fit `filters`.
    """
    most = max((value for row in rows for value in row), default=0) or 1
    pieces = []
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            says = escape(f"{names[y]} {x:02d}:00: {value:,} messages")
            address = "/?" + urlencode({**filters, "hour": f"{y}.{x}"}) if value else None
            pieces.append(_leading(_cell(x, y, value / most), says, address))
    return _svg(pieces, 24, len(rows), "heat", label)


def year(
    costs: Mapping[date, float], today: date, *, label: str, filters: Mapping[str, str] = _NONE
) -> Markup:
    """Return the last year: a column for each week, a cell for each day, which leads to its sessions.

    `filters` are those that the sessions must fit too.
    """
    monday = today - timedelta(days=today.weekday() + _DAYS * (_WEEKS - 1))
    most = max((cost for day, cost in costs.items() if monday <= day <= today), default=0.0) or 1.0
    pieces = []
    for offset in range((today - monday).days + 1):
        day = monday + timedelta(days=offset)
        cost = costs.get(day, 0.0)
        says = escape(f"{day:%a} {day.day} {day:%b %Y}: {money(cost)}")
        cell = _cell(offset // _DAYS, offset % _DAYS, cost / most)
        within = {"since_day": day.isoformat(), "until": day.isoformat()}
        pieces.append(_leading(cell, says, "/?" + urlencode({**filters, **within}) if cost else None))
    return _svg(pieces, _WEEKS, _DAYS, "heat year", label)


def months(today: date) -> list[tuple[str, int]]:
    """Return the months over `year`: the name of each, and how many weeks wide it is."""
    monday = today - timedelta(days=today.weekday() + _DAYS * (_WEEKS - 1))
    found: list[tuple[str, int]] = []
    for week in range(_WEEKS):
        name = f"{monday + timedelta(days=_DAYS * week):%b}"
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return [(name if weeks > 1 else "", weeks) for name, weeks in found]


def _leading(cell: str, says: Markup, address: str | None) -> str:
    if address is None:
        return f'<g data-says="{says}">{cell}</g>'
    return f'<a href="{escape(address)}" aria-label="{says}" data-says="{says}">{cell}</a>'


def _cell(x: int, y: int, share: float) -> str:
    strength = 0.0 if share <= 0 else 0.15 + 0.85 * share**0.7
    place = f'x="{x + 0.06:.2f}" y="{y + 0.06:.2f}" width="0.88" height="0.88"'
    return f'<rect class="track" {place}/><rect class="s0" fill-opacity="{strength:.3f}" {place}/>'


def _svg(pieces: Sequence[str], width: float, height: float, kind: str, label: str = "") -> Markup:
    # It holds links, so it is no image to a screen reader. Every piece is this file's own markup around
    # numbers and escaped words.
    named = f' role="group" aria-label="{escape(label)}"' if label else ""
    return Markup(  # noqa: S704 - see above
        f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none"{named}>'
        f"{''.join(pieces)}</svg>"
    )
