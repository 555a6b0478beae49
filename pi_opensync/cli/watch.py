"""`pi-opensync watch`: the daemon in the foreground."""

import asyncio
from typing import Annotated

import typer

from pi_opensync import logbook
from pi_opensync.cli import PORT
from pi_opensync.cli.announcement import announcement, warn_of_an_open_file
from pi_opensync.cli.budgets import watched
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import Debug, Local, LogFormat, new_app
from pi_opensync.daemon import lock, places
from pi_opensync.daemon.following import follow
from pi_opensync.daemon.places import Place
from pi_opensync.errors import ConfigurationError
from pi_opensync.read.baseline import Baseline
from pi_opensync.sqlite import Damaged, Replaced
from pi_opensync.store.database import set_aside

app = new_app()


@app.command(epilog="Example: pi-opensync watch --backfill")
def watch(
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
    if local or demo:
        from pi_opensync.cli.local import watch_local

        watch_local(
            port=port,
            open_page=open_page,
            demo=demo,
            link=link,
            once=once,
            log_format=log_format,
            debug=debug,
        )
        return
    run(backfill=backfill, once=once, log_format=log_format, debug=debug)


def run(*, backfill: bool, once: bool, log_format: logbook.LogFormat, debug: bool | None) -> None:
    """Watch, with the settings as they are; when their file changes, again with the new ones."""
    context = _context(debug)
    context.log(log_format)
    warn_of_an_open_file()
    while True:
        try:
            with lock.held(context.settings.state_dir, "watch", context.now()):
                while not _watch(context, backfill=backfill, once=once):
                    context = _context(debug)
                return
        except Replaced as error:
            logbook.get().warning("the state was lost; it is built again", reason=error.message)


def _context(debug: bool | None) -> Context:
    context = Context(debug=debug)
    context.settings.require_server()
    if not context.settings.auto_sync:
        raise ConfigurationError(
            "autoSync is off: nothing is sent by itself",
            hint="set it to true, or send by hand with `pi-opensync sync`",
        )
    return context


def _watch(context: Context, *, backfill: bool, once: bool) -> bool:
    """Run until it ends; False where that is because the settings changed or the store was lost."""
    place = places.opensync(context.settings)
    try:
        with context.at_work(place) as database:
            if backfill and database.meta("backfilled") != 1:
                _announce(context, place)
            try:
                return asyncio.run(
                    follow(
                        place.settings,
                        context.stamp,
                        context.folders,
                        database,
                        pulse_in=place.home,
                        backfill=backfill,
                        once=once,
                        folders_changed=context.folders_changed,
                        budgets=watched(place.settings),
                    )
                )
            except Replaced:
                Baseline(database).save_for_another()
                raise
    except Replaced:
        raise
    except Damaged:
        aside = set_aside(place.state, context.now())
        logbook.get().warning("the state file is damaged; it is built again", moved_to=str(aside))
        return False


def _announce(context: Context, place: Place) -> None:
    """Say what history leaves this machine, before the first of it does."""
    leaving = [item for item in context.sessions() if item.leaves]
    said = announcement(leaving, place.where or "", context.cleaner)
    logbook.get().info("history will be sent", what=said)
