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
from pi_opensync.deliver.actions import Learned
from pi_opensync.deliver.inside import Hand, Inside
from pi_opensync.deliver.schedule import Delivery
from pi_opensync.deliver.send import Sender
from pi_opensync.deliver.server import Server
from pi_opensync.deliver.wishes import Wishes
from pi_opensync.model import Options
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.transport import Transport
from pi_opensync.privacy.redact import RULES_VERSION
from pi_opensync.read.again import Again
from pi_opensync.read.follow import Follow, ReadPiece
from pi_opensync.read.reader import Reader
from pi_opensync.settings import Settings
from pi_opensync.store.database import StateDatabase

FILES_AT_ONCE = 64  # read in one transaction that hands over what it read, at most
BYTES_AT_ONCE = 4 << 20  # of the messages in them, each as often as it grew


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

    inside: Inside | None = None
    _changes: int = -1  # of the state, when `rest` was called last

    def read_next(self) -> None:
        """Read a piece of a transcript and begin to send what it made due: the disk is waited for once.

        Where the dashboard is in this process, pieces of several, and what they made due is handed over.
        Raises `StoreUnavailable`.
        """
        pieces: dict[bytes, ReadPiece] = {}
        with self.database.round() if self.inside is not None else self.database.transaction():
            while (piece := self.follow.read(besides=pieces)) is not None:
                pieces[piece.path] = piece
                if self._is_enough(len(pieces)):
                    break
            prepared = self.delivery.prepare()
        for piece in pieces.values():
            self.follow.settle(piece)
        self.delivery.start(prepared)

    def rest(self) -> None:
        """Once nothing was written since the last call: leave nothing in the logs of the databases."""
        changes, self._changes = self._changes, self.database.changes
        if changes == self._changes:
            self.database.empty_log()
            if self.inside is not None:
                self.inside.rest()

    def _is_enough(self, files: int) -> bool:
        kept_back = self.database.kept_back
        if kept_back is None:
            return True
        return files >= FILES_AT_ONCE or sum(len(each.body) for each in kept_back.values()) >= BYTES_AT_ONCE


def build(
    settings: Settings,
    folders: tuple[Path, ...],
    database: StateDatabase,
    *,
    events: LogEvents | None = None,
    transport: Transport | None = None,
    inside: Inside | None = None,
    extras: bool = False,
    stamp: Stamp | None = None,
    now: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> Engine:
    """Raises `ConfigurationError` where no server is configured.

    `extras`: the server is our own; `inside`: it is in this process, and is handed what is to be sent. Once
    the settings are others than at `stamp` nothing is sent.
    """
    base_url, key = settings.require_server()
    chosen = options(settings, extras=extras)
    clean = cleaner(settings)
    rules = judge(settings, clean)
    reader = Reader(database, chosen, rules, clean=clean, folders=folders, now=now)
    again = Again(database, chosen, rules, clean)

    events = events or LogEvents(logbook.get(), now=now)
    client = Client(base_url, key.get_secret_value(), now=now, transport=transport)
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
    hand = None if inside is None else Hand(database, sender, inside, now=now)
    follow = Follow(database, reader, again, folders, now=now)
    with database.transaction():
        if inside is not None:
            server.learned_batch(Learned(keeps_dates=True, at=now()))
        follow.settings_are(_fingerprint(settings, chosen))
    return Engine(
        database=database,
        client=client,
        server=server,
        follow=follow,
        delivery=Delivery(database, sender, server, now=now, hand=hand),
        sender=sender,
        events=events,
        inside=inside,
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
