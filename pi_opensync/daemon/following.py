"""The daemon, run until it ends: what systemd hears of it, and what `status` sees."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from pi_opensync import __version__
from pi_opensync.daemon import build as engine
from pi_opensync.daemon import pulse
from pi_opensync.daemon import systemd as notify
from pi_opensync.daemon.run import Daemon
from pi_opensync.daemon.systemd import Notifier
from pi_opensync.settings import Settings, Stamp
from pi_opensync.store.database import Database
from pi_opensync.store.views import tally


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
) -> bool:
    """Watch, or with `once` deliver what there is; False where it ended because the settings changed.

    `pulse_in` is the folder that `status` looks into, `extras` as for `engine.build`.
    """
    notifier, heart = Notifier.of(os.environ), notify.heart(os.environ)

    def beat(part: str) -> None:
        if heart.beat(part, time.monotonic()):
            notifier.alive()

    built = engine.build(chosen, folders, database, extras=extras, stamp=stamp)
    async with built.client:
        daemon = Daemon(
            built,
            folders,
            is_outdated=stamp.is_outdated,
            on_ready=notifier.ready,
            on_sweep=_beating(pulse_in, built, notifier),
            on_beat=beat,
        )
        if once:
            await daemon.once(backfill=backfill)
            return True
        await daemon.watch(backfill=backfill)
        if daemon.was_asked_to_stop:
            notifier.stopping()
        return daemon.was_asked_to_stop


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
