"""The templates, with the filters that make stored things fit to be seen."""

import hashlib
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pi_opensync.dashboard.db.forks import bare_title
from pi_opensync.dashboard.db.numbers import Period
from pi_opensync.dashboard.show import charts, visible

_HERE = Path(__file__).parents[1]


def environment_for(now: Callable[[], int], zone: tzinfo | None) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": visible.visible,
        "source_label": visible.source_label,
        "count": visible.count,
        "exact": visible.exact,
        "money": visible.money,
        "duration": visible.duration,
        "age": lambda ms: visible.age(ms, now(), zone),
        "day": lambda ms: visible.date(ms, zone),
        "clock": lambda ms: visible.clock(ms, zone),
        "moment": lambda ms: visible.moment(ms, zone),
        "iso": visible.iso,
        "beginning": _beginning,
        "bare_title": lambda title: visible.visible(bare_title(title)) or "Untitled",
    }
    environment.globals |= {
        "charts": charts,
        "static": {path.name: _static_url(path) for path in (_HERE / "static").iterdir()},
    }
    return environment


def _beginning(period: Period) -> str:
    """Return the first day of a period, with its year where the periods are long."""
    day = f"{period.start.day} {period.start:%b}"
    return day if period.days == 1 else f"{day} {period.start.year}"


def _static_url(path: Path) -> str:
    return f"/static/{path.name}?{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
