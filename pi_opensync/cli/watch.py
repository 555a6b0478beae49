"""`pi-opensync watch`: the daemon in the foreground."""

from pi_opensync import logbook, loop
from pi_opensync.cli.announcement import announcement, warn_of_an_open_file
from pi_opensync.cli.budgets import watched
from pi_opensync.cli.context import Context
from pi_opensync.daemon import lock, places
from pi_opensync.daemon.following import follow
from pi_opensync.daemon.places import Place
from pi_opensync.errors import ConfigurationError
from pi_opensync.read.baseline import Baseline
from pi_opensync.sqlite import Damaged, Replaced
from pi_opensync.store.database import set_aside


def run(
    *,
    backfill: bool = False,
    once: bool = False,
    local: bool = False,
    port: int | None = None,
    open_page: bool = False,
    demo: bool = False,
    link: bool = True,
    log_format: logbook.LogFormat = "auto",
    debug: bool | None = None,
) -> None:
    """Watch OpenSync's dashboard, or one's own."""
    if not local and not demo:
        _watch_opensync(backfill=backfill, once=once, log_format=log_format, debug=debug)
        return
    from pi_opensync.cli.local import watch_local

    watch_local(
        port=port, open_page=open_page, demo=demo, link=link, once=once, log_format=log_format, debug=debug
    )


def _watch_opensync(*, backfill: bool, once: bool, log_format: logbook.LogFormat, debug: bool | None) -> None:
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
                return loop.run(
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
