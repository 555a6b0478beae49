"""`pi-opensync usage`: what pi's sessions cost, from what is known of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import chain
from math import inf
from typing import Literal

from pi_opensync.cli import terminal
from pi_opensync.cli.booked import used, used_in
from pi_opensync.cli.context import Context
from pi_opensync.cli.session_ids import short_ids
from pi_opensync.cli.statusline import statusline
from pi_opensync.cli.tables import Column, table
from pi_opensync.errors import PartlyDone
from pi_opensync.inspect.spending import By, Period, UsageReport, Used, differing, total, usage
from pi_opensync.texts import counted, shown

_LABEL = 13  # signs
_HEADS = {"daily": "Day", "weekly": "Week", "monthly": "Month"}


def run(
    *,
    period: Period | Literal["statusline"] = "daily",
    since: str | None = None,
    until: str | None = None,
    project: str | None = None,
    model: str | None = None,
    by: By | None = None,
    audit: bool = False,
    as_json: bool = False,
) -> None:
    context = Context()
    if audit:
        _audit(context, as_json=as_json)
        return
    if period == "statusline":
        print(statusline(context.states, datetime.now().astimezone()))
        return
    everything = used(context.states) or (_in_files(context) if context.files else [])
    wanted = chosen(everything, since=since, until=until, project=project, model=model)
    rows = usage(wanted, period, by)
    if as_json:
        report = {"schema": 1, "period": period, "by": by, "rows": list(map(asdict, rows))}
        print(json.dumps(report | {"total": asdict(total(wanted))}, indent=2))
    elif rows:
        print("\n".join(_lines(rows, total(wanted), period, by)))
    else:
        print("No sessions.")


def chosen(
    everything: Sequence[Used],
    *,
    since: str | None,
    until: str | None,
    project: str | None,
    model: str | None,
) -> Sequence[Used]:
    if since is until is project is model is None:
        return everything
    begin, end = _moments(since, until)
    return [
        one
        for one in everything
        if begin <= one.at < end and _holds(one.said.folder, project) and _holds(one.model, model)
    ]


def _moments(since: str | None, until: str | None) -> tuple[float, float]:
    """From when on, and before when (ms). Raises `UsageError`."""
    if since is None and until is None:
        return -inf, inf
    from pi_opensync.read.select import Wanted

    moments = Wanted.parse(since=since, until=until, project=None, session=None, limit=None)
    begin = -inf if moments.since is None else moments.since
    return begin, inf if moments.until is None else moments.until


def _holds(value: str | None, wanted: str | None) -> bool:
    return wanted is None or wanted.lower() in (value or "").lower()


def _lines(rows: Sequence[UsageReport], whole: UsageReport, period: Period, by: By | None) -> Iterator[str]:
    of_sessions = (Column("Session"), Column("Began", drop=5), Column("Title", least=14, drop=1))
    columns = (
        *(of_sessions if period == "session" else [Column(_HEADS[period])]),
        *([Column(by.capitalize(), least=10)] if by else []),
        *([] if period == "session" else [Column("Sessions", right=True, drop=2)]),
        Column("Input", right=True, drop=4),
        Column("Output", right=True, drop=3),
        Column("Cost", right=True),
    )
    short = short_ids(row.session for row in rows if row.session is not None)
    cells = [_cells(row, short, period, by) for row in (*rows, whole)]
    heading, *lines = table(columns, cells, terminal.width())
    yield terminal.bold(heading)
    yield from lines[:-1]
    yield terminal.bold(lines[-1])


def _cells(row: UsageReport, short: Mapping[str, str], period: Period, by: By | None) -> list[str]:
    if period != "session":
        begin = [row.period]
    elif row.session is None:
        begin = [row.period, "", ""]
    else:
        begin = [short[row.session], row.period, row.title or ""]
    return [
        *map(shown, begin),
        *([shown(row.group or "")] if by else []),
        *([] if period == "session" else [f"{row.sessions:,}"]),
        f"{row.prompt_tokens:,}",
        f"{row.completion_tokens:,}",
        f"${row.cost:,.2f}",
    ]


def _in_files(context: Context) -> list[Used]:
    """What pi's files say, for where no dashboard has been kept yet, and for a comparison."""
    with context.folded(context.files) as (database, _problems):
        return used_in(database)


def _audit(context: Context, *, as_json: bool) -> None:
    """Raises `PartlyDone` where store and files differ."""
    everything, in_files = used(context.states), _in_files(context)
    apart = differing((one.said for one in everything), (one.said for one in in_files))
    kept, read = total(everything), total(in_files)
    if as_json:
        report = {"schema": 1, "known": asdict(kept), "in_files": asdict(read), "differing": apart}
        print(json.dumps(report, indent=2))
    else:
        lines = (terminal.wrapped(line, terminal.width(), _LABEL + 1) for line in _audited(kept, read, apart))
        print("\n".join(chain.from_iterable(lines)))
    if apart:
        raise PartlyDone(
            f"{counted(len(apart), 'session')} with other numbers",
            hint="`pi-opensync sync` reads what is new; files may be gone",
        )


def _audited(kept: UsageReport, read: UsageReport, apart: Sequence[str]) -> Iterator[str]:
    for name, sums in (("known here", kept), ("in the files", read)):
        tokens = sums.prompt_tokens + sums.completion_tokens
        yield f"{name:{_LABEL}} {counted(sums.sessions, 'session')}, {tokens:,} tokens, ${sums.cost:,.4f}"
    for key in apart:
        yield f"{'differs':{_LABEL}} {shown(key)}"
    if not apart:
        yield "No session differs."
