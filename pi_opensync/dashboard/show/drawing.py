"""The templates, with the filters that make stored things fit to be seen.

Times are drawn in the zone that a template was given as `zone`, that of the reader.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from pi_opensync.dashboard.db.counts import is_copy
from pi_opensync.dashboard.db.forks import bare_title
from pi_opensync.dashboard.db.sums import Period
from pi_opensync.dashboard.show import axes, charts, render, visible
from pi_opensync.sqlite import Row

_HERE = Path(__file__).parents[1]
_LIVE_MS = 15 * 60 * 1000


class _Compiled(BytecodeCache):
    """The templates that this process compiled, for every run of the pages in it."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def environment_for(now: Callable[[], int], zone: tzinfo | None) -> Environment:
    """Return the templates; `now` gives ms, `zone` is used where a template is given none."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        bytecode_cache=_COMPILED,
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def in_zone(draw: Callable[[int, tzinfo | None], str]) -> Callable[[Context, int], str]:
        @pass_context
        def drawn(context: Context, ms: int) -> str:
            return draw(ms, context.get("zone", zone))

        return drawn

    @pass_context
    def zone_name(context: Context) -> str:
        return name_of(context.get("zone", zone), now())

    environment.filters |= {
        "visible": visible.visible,
        "source_label": visible.source_label,
        "source_class": visible.source_class,
        "count": visible.count,
        "counted": visible.counted,
        "exact": visible.exact,
        "money": visible.money,
        "duration": visible.duration,
        "live_until": _live_until,
        "age": in_zone(lambda ms, there: visible.age(ms, now(), there)),
        "day": in_zone(visible.date),
        "iso_day": in_zone(visible.iso_day),
        "long_day": in_zone(visible.long_day),
        "clock": in_zone(visible.clock),
        "moment": in_zone(visible.moment),
        "iso": visible.iso,
        "beginning": _beginning,
        "kinship": _kinship,
        "bare_title": lambda title: visible.visible(bare_title(title)) or "Untitled",
    }
    environment.globals |= {
        "is_copy": is_copy,
        "axes": axes,
        "says_money": visible.dollars_of_axis,
        "says_count": visible.count_of_axis,
        "charts": charts,
        "static": f"/static/{_version()}",
        "zone_name": zone_name,
        "now": now,
    }
    return environment


def make_ready(environment: Environment) -> None:
    """Compile what the pages need, so that none of them waits for it."""
    for name in environment.list_templates():
        environment.get_template(name)
    for language in ("python", "bash", "json", "typescript"):
        render.block("x = 1", language)
    render.markdown("*x*")


def name_of(zone: tzinfo | None, now: int) -> str:
    """Return a zone's name, as `Europe/Berlin`; where it has none what its clock says, as `CET`."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    own = _name_of_this_machine() if zone is None else None
    return own or datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).tzname() or "UTC"


@cache
def _name_of_this_machine() -> str | None:
    if "TZ" in os.environ:
        return None
    _, is_named, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return name if is_named else None


def _beginning(period: Period) -> str:
    """Return the first day of a period, with its year where the periods are long."""
    day = f"{period.start.day} {period.start:%b}"
    return day if period.days == 1 else f"{day} {period.start.year}"


def _live_until(session: Row) -> int:
    """Return until when a session counts as active now, in ms: what an old file brings is not."""
    return int(min(session["active_at"], session["updated_at"])) + _LIVE_MS


def _kinship(session: Row) -> str:
    if (session["title"] or "").startswith("[Subagent::"):
        return "subagent"
    return "" if session["parent_id"] is None and session["fork_prefix"] is None else "fork"


@cache
def _version() -> str:
    """All files of the pages stand in a folder named by what they hold, so that none is ever old."""
    files: list[Any] = sorted((_HERE / "static").iterdir())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
