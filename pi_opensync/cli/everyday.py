"""The options of the commands in `cli/direct.py`, for what is not plain there: help, errors, completion."""

from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from pi_opensync.cli import PORT, list, status, usage, watch  # noqa: A004 - the command's name
from pi_opensync.cli.options import AsJson, Debug, Local, LogFormat, new_app
from pi_opensync.inspect.spending import By

APPS: Mapping[str, typer.Typer] = {name: new_app() for name in ("status", "list", "usage", "watch")}


@APPS["status"].command(epilog="Example: pi-opensync status --json")
def _status(as_json: AsJson = False) -> None:
    status.run(as_json=as_json)


@APPS["list"].command(epilog="Example: pi-opensync list --unsynced")
def _list(
    unsynced: Annotated[bool, typer.Option("--unsynced", help="Only what is not on the dashboard.")] = False,
    excluded: Annotated[bool, typer.Option("--excluded", help="Only what you excluded.")] = False,
    parked: Annotated[bool, typer.Option("--set-aside", help="Only what OpenSync refused.")] = False,
    parked_too: Annotated[bool, typer.Option("--parked", hidden=True)] = False,
    as_json: AsJson = False,
) -> None:
    """The newest first. The short ids are what other commands take."""
    list.run(unsynced=unsynced, excluded=excluded, parked=parked or parked_too, as_json=as_json)


@APPS["usage"].command(epilog="Example: pi-opensync usage weekly --by model --since 90d")
def _usage(
    period: Annotated[
        Literal["daily", "weekly", "monthly", "session", "statusline"],
        typer.Argument(
            metavar="PERIOD", help="daily, weekly, monthly, session, or statusline: one short line."
        ),
    ] = "daily",
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="What was used since then: 30d, 12h, or a date.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="What was used before then.")] = None,
    project: Annotated[
        str | None, typer.Option(metavar="NAME", help="Projects whose folder holds this.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Messages of models whose name holds this.")
    ] = None,
    by: Annotated[
        By | None, typer.Option(metavar="project|model|provider", help="Sums for each of these apart.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Read pi's files anew, and say what differs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tokens and cost as pi wrote them down; each message counts on the day when it was said."""
    usage.run(
        period=period,
        since=since,
        until=until,
        project=project,
        model=model,
        by=by,
        audit=audit,
        as_json=as_json,
    )


@APPS["watch"].command(epilog="Example: pi-opensync watch --backfill")
def _watch(
    backfill: Annotated[
        bool, typer.Option("--backfill", help="Send the sessions of before the first start too.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Send what there is, then exit.")] = False,
    local: Local = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Port of the pages of --local; 0: any that is free.",
            show_default=str(PORT),
        ),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page of --local in a browser.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="A dashboard of three sample sessions, not of pi's.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link/--no-link", help="Print a link that lets a browser into --local.")
    ] = True,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    """New sessions and new lines; what was there before the first start is for `sync` or --backfill."""
    watch.run(
        backfill=backfill,
        once=once,
        local=local,
        port=port,
        open_page=open_page,
        demo=demo,
        link=link,
        log_format=log_format,
        debug=debug,
    )
