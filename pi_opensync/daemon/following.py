"""The daemon, run until it ends: what systemd hears of it, and what `status` sees."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from pi_opensync import __version__, lean, logbook
from pi_opensync.configuration import Stamp
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import pulse
from pi_opensync.daemon import sd_notify as notify
from pi_opensync.daemon.notices import Look, Passed
from pi_opensync.daemon.notify import Messenger, attend
from pi_opensync.daemon.run import Daemon
from pi_opensync.daemon.sd_notify import Notifier
from pi_opensync.daemon.totals import Totals
from pi_opensync.deliver.inside import Inside
from pi_opensync.opensync.transport import Transport
from pi_opensync.settings import Settings
from pi_opensync.sqlite import Damaged, StoreUnavailable
from pi_opensync.store.database import StateDatabase
from pi_opensync.store.outbox import Outbox
from pi_opensync.store.views import tally

LOOK_AGAIN = 0.5  # seconds until it is looked whether all is delivered; twice as many each time
LOOK_SELDOM = 10.0
BEAT_AGAIN = 30.0  # seconds between two beats that say the same


async def follow(
    chosen: Settings,
    stamp: Stamp,
    folders: tuple[Path, ...],
    database: StateDatabase,
    *,
    pulse_in: Path,
    backfill: bool,
    once: bool = False,
    extras: bool = False,
    transport: Transport | None = None,
    inside: Inside | None = None,
    on_ready: Callable[[], None] = lambda: None,
    folders_changed: Callable[[], bool] = lambda: False,
    budgets: Callable[[], Sequence[Passed]] | None = None,
) -> bool:
    """Watch, or with `once` deliver what there is; False where it ended because the settings changed.

    `folders_changed` says that others than `folders` are to be followed. `pulse_in` is the folder that
    `status` looks into; `extras`, `transport`, `inside` as for `engine.build`. `on_ready` is called once pi's
    sessions were looked at for the first time. `budgets` says, in a thread of its own, which are passed.
    """
    lean.one_arena()
    notifier, heart = Notifier.of(os.environ), notify.heart(os.environ)
    ready = asyncio.Event()

    def beat(part: str) -> None:
        if heart.beat(part, time.monotonic()):
            notifier.alive()

    def begun() -> None:
        notifier.ready()
        on_ready()
        ready.set()
        with suppress(StoreUnavailable):
            database.run("PRAGMA shrink_memory")
        lean.give_back()

    totals = Totals(logbook.get(), now=time.time)
    where = chosen.convex_url if transport is None else "yours, on this machine"  # it is not served then
    built = engine.build(
        chosen,
        folders,
        database,
        events=totals,
        extras=extras,
        transport=transport,
        inside=inside,
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
            _tell_up_to_date(totals, where)
            return True
        beside = [
            asyncio.create_task(_tell_when_up_to_date(ready, built, totals, where, notifier)),
            asyncio.create_task(_tell_that_it_stops(daemon, built)),
        ]
        if chosen.notify:
            dashboard = "your dashboard" if extras or chosen.takes_extras else "OpenSync"
            messenger = Messenger(chosen.notify_command, os.environ)
            look = partial(how_it_stands, built, budgets)
            beside.append(
                asyncio.create_task(attend(look, messenger.show, chosen.state_dir, dashboard=dashboard))
            )
        try:
            await daemon.watch(backfill=backfill)
        finally:
            for task in beside:
                task.cancel()
            for task in beside:
                with suppress(asyncio.CancelledError):
                    await task
        if daemon.was_asked_to_stop:
            notifier.stopping()
        return daemon.was_asked_to_stop


async def _tell_when_up_to_date(
    ready: asyncio.Event, built: engine.Engine, totals: Totals, where: str | None, notifier: Notifier
) -> None:
    """Say once that all is delivered, and until then now and then how far it is."""
    await ready.wait()
    wait = LOOK_AGAIN
    while not (built.follow.is_idle and built.delivery.is_idle):
        await asyncio.sleep(wait)
        if wait == LOOK_SELDOM and totals.messages:
            waiting = tally(built.database).messages_waiting
            logbook.get().info("sending", delivered=str(totals), waiting=waiting)
        wait = min(2 * wait, LOOK_SELDOM)
    _tell_up_to_date(totals, where)
    _tell_systemd(notifier, built)


async def _tell_that_it_stops(daemon: Daemon, built: engine.Engine) -> None:
    """Say at once that a signal came, where what is under way takes a while."""
    await daemon.asked_to_stop()
    if daemon.was_asked_to_stop and not built.delivery.is_idle:
        waiting = tally(built.database).messages_waiting
        logbook.get().info(
            "stopping", waiting=waiting, hint="another Ctrl-C does so at once; nothing is lost"
        )


def _tell_up_to_date(totals: Totals, where: str | None) -> None:
    totals.is_up_to_date = True
    logbook.get().info("up to date", delivered=str(totals), dashboard=where)


def _tell_systemd(notifier: Notifier, built: engine.Engine) -> None:
    if notifier.is_heard:
        now = tally(built.database)
        notifier.status(f"{now.messages_delivered} messages delivered, {now.messages_waiting} waiting")


def _beating(folder: Path, built: engine.Engine, notifier: Notifier) -> Callable[[bool], None]:
    written = -1
    said: tuple[str, str | None] | None = None
    said_at = 0.0

    def beat(events: bool) -> None:
        nonlocal written, said, said_at
        changes = built.database.changes
        if changes != written:
            _tell_systemd(notifier, built)
        written = changes
        saying = "events" if events else "sweep", built.events.trouble_of_late()
        if saying == said and time.monotonic() - said_at < BEAT_AGAIN:
            return
        said, said_at = saying, time.monotonic()
        watching, trouble = saying
        pulse.beat(
            folder, pulse.Pulse(os.getpid(), time.time(), __version__, watching, pulse.memory(), trouble)
        )

    return beat


async def how_it_stands(built: engine.Engine, budgets: Callable[[], Sequence[Passed]] | None = None) -> Look:
    """What there is to tell of: asked once a minute, so it reads little."""
    passed = () if budgets is None else await asyncio.to_thread(budgets)
    now = time.time()
    try:
        pause = built.server.pause
        return Look(
            now,
            None if built.events.trouble_of_late() else Outbox(built.database).backlog()[0],
            built.database.meta("last_success_at"),
            is_refused=pause is not None and pause.kind == "key refused",
            is_held=built.delivery.is_held,
            passed=passed,
        )
    except (StoreUnavailable, Damaged):
        return Look(now, None, None, passed=passed)
