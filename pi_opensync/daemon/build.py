"""The parts put together for one server and one set of folders; what `watch`, `sync` and tests run."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pi_opensync import logs
from pi_opensync.configuration import Stamp
from pi_opensync.daemon.events import LogEvents
from pi_opensync.deliver.schedule import Delivery
from pi_opensync.deliver.send import Sender
from pi_opensync.deliver.server import Server
from pi_opensync.deliver.width import WIDEST
from pi_opensync.deliver.wishes import Wishes
from pi_opensync.errors import ConfigurationError
from pi_opensync.model import Options
from pi_opensync.opensync.client import Client, Transport
from pi_opensync.privacy import known as known_in
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.judge import Judge
from pi_opensync.privacy.known import ExcludedFiles, KnownExclusions
from pi_opensync.privacy.projects import Projects
from pi_opensync.privacy.redact import RULES_VERSION, Redactor
from pi_opensync.read.again import Again
from pi_opensync.read.queue import Follow
from pi_opensync.read.reader import Reader
from pi_opensync.settings import Settings
from pi_opensync.store.database import Database


def cleaner(settings: Settings) -> Cleaner:
    """What every string of a transcript goes through. Raises `ConfigurationError` for a bad pattern."""
    return Cleaner(redactor(settings))


def redactor(settings: Settings) -> Redactor | None:
    """None where the user turned redaction off. Raises `ConfigurationError` for a bad pattern."""
    if not settings.redact:
        return None
    try:
        return Redactor(
            own_key=settings.api_key.get_secret_value() if settings.api_key else None,
            patterns=settings.redact_patterns,
            emails=settings.redact_emails,
            home=str(Path.home()) if settings.redact_home else None,
        )
    except ValueError as error:
        raise ConfigurationError(str(error), hint="patterns are RE2 expressions") from None


def options(settings: Settings, *, extras: bool = False) -> Options:
    """`extras`: the server is our own, and takes more than OpenSync does."""
    extras = extras or settings.takes_extras
    machine = settings.machine if extras else None
    return Options(settings.sync_tool_calls, settings.sync_thinking, extras, machine)


def policy(settings: Settings) -> Projects:
    return Projects(settings.include, settings.exclude, home=str(Path.home()))


def judge(settings: Settings, clean: Cleaner) -> Judge:
    """Which projects may leave, with what is known of those that may not."""
    known, files = KnownExclusions(settings.state_dir / known_in.FILE), settings.state_dir / known_in.FILES
    return Judge(policy(settings), known, clean, ExcludedFiles(files))


@dataclass(slots=True)
class Engine:
    """Everything that a run needs, sharing one database and one event loop."""

    database: Database
    client: Client
    server: Server
    follow: Follow
    delivery: Delivery
    sender: Sender
    events: LogEvents


def build(
    settings: Settings,
    folders: tuple[Path, ...],
    database: Database,
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

    events = events or LogEvents(logs.get(), now=now)
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
