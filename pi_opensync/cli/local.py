"""`pi-opensync watch --local`: a dashboard of one's own, served and kept equal to pi's sessions."""

from pathlib import Path

from pi_opensync import logbook, loop
from pi_opensync.cli.budgets import watched
from pi_opensync.cli.context import Context
from pi_opensync.cli.unserved import inside, opened, reaching
from pi_opensync.daemon import lock, places
from pi_opensync.daemon.following import follow
from pi_opensync.daemon.places import Place
from pi_opensync.errors import AlreadyRunning
from pi_opensync.store.database import StateDatabase

SAMPLES = Path(__file__).parent.parent / "samples"
_COMMAND = "watch --local"


def watch_local(
    *,
    port: int | None,
    open_page: bool,
    demo: bool,
    link: bool = True,
    once: bool = False,
    log_format: logbook.LogFormat,
    debug: bool | None,
) -> None:
    """Serve the pages and keep them equal to pi's sessions, all of them, until Ctrl-C.

    With `once` it is brought up to date, and not served. `port` None: the usual one, or any where that is
    taken. Without `link` no link that lets a browser in is printed, as a service's log keeps what is printed.
    """
    context = Context(debug=debug)
    context.log(log_format)
    place = _place(context, demo=demo)
    try:
        with lock.held(place.home, _COMMAND, context.now()), context.at_work(place) as database:
            if once:
                loop.run(_once(context, database, demo=demo))
            else:
                loop.run(_watch(context, database, port, demo=demo, open_page=open_page, link=link))
    except AlreadyRunning as error:
        if demo:
            raise
        raise AlreadyRunning(error.message, hint="`pi-opensync serve --open` opens its page") from None


def show_served(context: Context, *, open_page: bool, new_key: bool = False) -> bool:
    """Show the way into the dashboard of one's own that is served already; False where none is.

    `new_key`: before it, a key for a plugin, made now.
    """
    place = places.own(context.settings)
    other = place.server()
    if other is None:
        return False
    from pi_opensync.cli.serving import keys_of, show_key, show_page

    with opened(place.home) as connections:
        keys = keys_of(connections)
        if new_key:
            show_key(other.url, keys)
        names = context.settings.host_names
        show_page(place.home, other.url, keys, names=names, open_page=open_page, beside=False)
    return True


async def _once(context: Context, database: StateDatabase, *, demo: bool) -> None:
    """Bring it up to date; nobody looks at its pages meanwhile, so they are not served."""
    place = _place(context, demo=demo)
    with inside(place) as (chosen, transport, handed):
        await follow(
            chosen,
            context.stamp,
            _folders(context, demo=demo),
            database,
            pulse_in=place.home,
            backfill=True,
            once=True,
            extras=True,
            transport=transport,
            inside=handed,
        )


async def _watch(
    context: Context,
    database: StateDatabase,
    port: int | None,
    *,
    demo: bool,
    open_page: bool,
    link: bool,
) -> None:
    from pi_opensync.cli.serving import budget_of, serving, show_page

    place = _place(context, demo=demo)
    names = context.settings.host_names
    async with serving(
        place.home,
        _COMMAND,
        "127.0.0.1",
        port,
        clean=context.receiving,
        budget=budget_of(context.settings),
        hosts=names,
    ) as (url, keys, handed):
        is_shown = False

        def show() -> None:
            nonlocal is_shown
            if link and not is_shown:
                show_page(place.home, url, keys, names=names, open_page=open_page, beside=True)
            elif not is_shown:
                logbook.get().info("serving your dashboard", url=url, way_in="pi-opensync serve --open")
            is_shown = True

        while not await follow(
            reaching(place, url, keys),
            context.stamp,
            _folders(context, demo=demo),
            database,
            pulse_in=place.home,
            backfill=True,
            extras=True,
            inside=handed,
            on_ready=show,
            folders_changed=(lambda: False) if demo else context.folders_changed,
            budgets=watched(context.settings),
        ):
            context = Context(debug=context.settings.debug)
            place = _place(context, demo=demo)


def _folders(context: Context, *, demo: bool) -> tuple[Path, ...]:
    return (SAMPLES,) if demo else context.folders


def _place(context: Context, *, demo: bool) -> Place:
    if not demo:
        return places.own(context.settings)
    return places.own(context.settings.but(notify=False), places.DEMO)
