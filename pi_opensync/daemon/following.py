"""The daemon, run until it ends: what systemd hears of it, and what `status` sees."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pi_opensync import __version__, logs
from pi_opensync.configuration import Stamp
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import pulse
from pi_opensync.daemon import systemd as notify
from pi_opensync.daemon.run import Daemon
from pi_opensync.daemon.systemd import Notifier
from pi_opensync.daemon.totals import Totals
from pi_opensync.settings import Settings
from pi_opensync.store.database import Database
from pi_opensync.store.views import tally

LOOK_AGAIN = 0.5  # seconds until it is looked whether all is delivered; twice as many each time
LOOK_SELDOM = 10.0


async def follow(
    chosen: Settings,
    stamp: Stamp,
    folders: tuple[Path, ...],
    database: Database,
    *,
    pulse_in: Path,
    backfill: bool,
    once: bool = False,
    extras: bool = False,
    on_ready: Callable[[], None] = lambda: None,
    folders_changed: Callable[[], bool] = lambda: False,
) -> bool:
    """Watch, or with `once` deliver what there is; False where it ended because the settings changed.

    `folders_changed` says that others than `folders` are to be followed. `pulse_in` is the folder that
    `status` looks into, `extras` as for `engine.build`; `on_ready` is called once pi's sessions were looked
    at for the first time.
    """
    notifier, heart = Notifier.of(os.environ), notify.heart(os.environ)
    ready = asyncio.Event()

    def beat(part: str) -> None:
        if heart.beat(part, time.monotonic()):
            notifier.alive()

    def begun() -> None:
        notifier.ready()
        on_ready()
        ready.set()

    totals = Totals(logs.get(), now=time.time)
    built = engine.build(
        chosen,
        folders,
        database,
        events=totals,
        extras=extras,
        stamp=stamp,
    )
    async with built.client:
        daemon = Daemon(
            built,
            folders,
            is_outdated=lambda: stamp.is_outdated() or (not once and folders_changed()),
            on_ready=begun,
            on_sweep=_beating(pulse_in, built, notifier),
            on_beat=beat,
        )
        if once:
            await daemon.once(backfill=backfill)
            _tell_up_to_date(totals, chosen)
            return True
        telling = asyncio.create_task(_tell_when_up_to_date(ready, built, totals, chosen))
        try:
            await daemon.watch(backfill=backfill)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
        if daemon.was_asked_to_stop:
            notifier.stopping()
        return daemon.was_asked_to_stop


async def _tell_when_up_to_date(
    ready: asyncio.Event, built: engine.Engine, totals: Totals, chosen: Settings
) -> None:
    """Say once that all is delivered, and until then now and then how far it is."""
    await ready.wait()
    wait = LOOK_AGAIN
    while not (built.follow.is_idle and built.delivery.is_idle):
        await asyncio.sleep(wait)
        if wait == LOOK_SELDOM and totals.messages:
            waiting = tally(built.database).messages_waiting
            logs.get().info("sending", delivered=str(totals), waiting=waiting)
        wait = min(2 * wait, LOOK_SELDOM)
    _tell_up_to_date(totals, chosen)


def _tell_up_to_date(totals: Totals, chosen: Settings) -> None:
    totals.is_up_to_date = True
    logs.get().info("up to date", delivered=str(totals), dashboard=chosen.convex_url)


def _beating(folder: Path, built: engine.Engine, notifier: Notifier) -> Callable[[bool], None]:
    def beat(events: bool) -> None:
        watching = "events" if events else "sweep"
        if notifier.is_heard:
            now = tally(built.database)
            notifier.status(f"{now.messages_delivered} messages delivered, {now.messages_waiting} waiting")
        trouble = built.events.trouble_of_late()
        pulse.beat(
            folder, pulse.Pulse(os.getpid(), time.time(), __version__, watching, pulse.memory(), trouble)
        )

    return beat
