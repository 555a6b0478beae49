"""The parts put together for one server and one set of folders; what `watch`, `sync` and tests run."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pi_opensync import logbook
from pi_opensync.configuration import Stamp
from pi_opensync.daemon.chosen import cleaner, judge, options
from pi_opensync.daemon.events import LogEvents
from pi_opensync.deliver.schedule import Delivery
from pi_opensync.deliver.send import Sender
from pi_opensync.deliver.server import Server
from pi_opensync.deliver.width import WIDEST
from pi_opensync.deliver.wishes import Wishes
from pi_opensync.model import Options
from pi_opensync.opensync.client import Client, Transport
from pi_opensync.privacy.redact import RULES_VERSION
from pi_opensync.read.again import Again
from pi_opensync.read.follow import Follow
from pi_opensync.read.reader import Reader
from pi_opensync.settings import Settings
from pi_opensync.store.database import StateDatabase


@dataclass(slots=True)
class Engine:
    """Everything that a run needs, sharing one database and one event loop."""

    database: StateDatabase
    client: Client
    server: Server
    follow: Follow
    delivery: Delivery
    sender: Sender
    events: LogEvents

    def read_next(self) -> None:
        """Read a piece of a transcript and begin to send what it made due: the disk is waited for once.

        Raises `StoreUnavailable`.
        """
        with self.database.transaction():
            looked = self.follow.read()
            prepared = self.delivery.prepare()
        self.follow.settle(looked)
        self.delivery.start(prepared)


def build(
    settings: Settings,
    folders: tuple[Path, ...],
    database: StateDatabase,
    *,
    events: LogEvents | None = None,
    transport: Transport | None = None,
    extras: bool = False,
    stamp: Stamp | None = None,
    now: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> Engine:
    """Raises `ConfigurationError` where no server is configured.

    `extras`: the server is our own. Once the settings are others than at `stamp` nothing is sent.
    """
    base_url, key = settings.require_server()
    chosen = options(settings, extras=extras)
    clean = cleaner(settings)
    rules = judge(settings, clean)
    reader = Reader(database, chosen, rules, clean=clean, folders=folders, now=now)
    again = Again(database, chosen, rules, clean)

    events = events or LogEvents(logbook.get(), now=now)
    client = Client(base_url, key.get_secret_value(), now=now, connections=WIDEST, transport=transport)
    server = Server(database, now=now)
    sender = Sender(
        database,
        client,
        server,
        rules,
        Wishes(settings.state_dir, stamp, now=now),
        dates=settings.timestamps,
        now=now,
        jitter=jitter,
    )
    follow = Follow(database, reader, again, folders, now=now)
    follow.settings_are(_fingerprint(settings, chosen))
    return Engine(
        database=database,
        client=client,
        server=server,
        follow=follow,
        delivery=Delivery(database, sender, server, now=now),
        sender=sender,
        events=events,
    )


def _fingerprint(settings: Settings, options: Options) -> str:
    """What decides what a transcript looks like on the dashboard."""
    chosen = (
        RULES_VERSION,
        options,
        settings.redact,
        settings.redact_patterns,
        settings.redact_emails,
        settings.redact_home,
    )
    return sha256(repr(chosen).encode()).hexdigest()
