"""The dashboards that are kept equal to pi's sessions: OpenSync's, and one's own on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pi_opensync.address import LOOPBACK, state_folder
from pi_opensync.daemon import lock, pulse
from pi_opensync.daemon.lock import Holder
from pi_opensync.daemon.pulse import Pulse
from pi_opensync.errors import AlreadyRunning

if TYPE_CHECKING:
    from pi_opensync.settings import Settings

FOLDER = "local"  # in the state folder; sessions of other agents may be in it too
DEMO = "demo"
STATE = "sync"  # in its folder: what the daemon knows
_SERVED = "served"


@dataclass(frozen=True, slots=True)
class Place:
    """A dashboard, under the `name` that users know it by.

    `settings` are the user's, as they hold for it; `home` holds the lock and the pulse of who keeps it equal,
    `state` what is known of it.
    """

    name: str
    settings: Settings
    home: Path
    state: Path
    is_own: bool

    def keeper(self) -> Holder | None:
        """Who keeps it equal now."""
        return lock.holder(self.home)

    def pulse(self) -> Pulse | None:
        """What the one that keeps it equal said last."""
        holder, beat = self.keeper(), pulse.last(self.home)
        return beat if holder is not None and beat is not None and beat.pid == holder.pid else None

    def server(self) -> Holder | None:
        """Who serves its pages on this machine, and at which `url`; None for OpenSync's own."""
        holder = lock.holder(self.home / _SERVED) if self.is_own else None
        return holder if holder is not None and holder.url else None

    @property
    def where(self) -> str | None:
        """Its address; None for one's own while it is not served."""
        if not self.is_own:
            return self.settings.convex_url
        server = self.server()
        return None if server is None else server.url


def opensync(chosen: Settings) -> Place:
    """The configured one, OpenSync's as a rule. Raises `ConfigurationError` where no server is configured.

    Also `AlreadyRunning` where it is one's own on this machine, which `watch --local` keeps equal by itself.
    """
    base_url, _key = chosen.require_server()
    mine = own(chosen)
    keeper = mine.keeper()
    if keeper is not None and _leads_to(base_url, mine):
        raise AlreadyRunning(
            f"{base_url} is your own dashboard: `pi-opensync {keeper.command}` (process {keeper.pid}) "
            "keeps it equal to pi's sessions",
            hint="nothing else is needed for it",
        )
    return _opensync(chosen, base_url)


def own(chosen: Settings, folder: str = FOLDER) -> Place:
    """One's own. What nobody chose is shown there, as nothing leaves this machine."""
    shown = {name: True for name in chosen.shown() if name not in chosen.named}
    home = chosen.state_dir / folder
    return Place("yours", chosen.but(**shown), home, own_state(home), is_own=True)


def own_state(home: Path) -> Path:
    """What is known of one's own dashboard in that folder."""
    return home / STATE


def kept(chosen: Settings) -> tuple[Place, ...]:
    """The dashboards that there are: the configured one, and one's own once it was begun.

    Where the configured one is one's own, served on this machine, that is one: of who keeps it equal.
    """
    mine = own(chosen)
    if chosen.convex_url is not None and _leads_to(chosen.convex_url, mine):
        return (mine if mine.keeper() is not None else _opensync(chosen, chosen.convex_url, mine.name),)
    found = [] if chosen.convex_url is None else [_opensync(chosen, chosen.convex_url)]
    if mine.state.is_dir() or mine.keeper() is not None or mine.server() is not None:
        found.append(mine)
    return tuple(found)


def _opensync(chosen: Settings, base_url: str, name: str | None = None) -> Place:
    name = name or ("server" if chosen.takes_extras else "OpenSync")
    state = state_folder(chosen.state_dir, base_url)
    return Place(name, chosen, chosen.state_dir, state, is_own=False)


def _leads_to(base_url: str, mine: Place) -> bool:
    """Whether a URL is that of one's own dashboard, as it is served now."""
    server = mine.server()
    if server is None or server.url is None:
        return False
    one, other = urlsplit(base_url), urlsplit(server.url)
    return one.hostname in LOOPBACK and one.port == other.port


@contextmanager
def served(folder: Path, command: str, url: str) -> Iterator[None]:
    """Let other processes know where the pages are while the block runs, unless another server does."""
    with ExitStack() as stack:
        with suppress(AlreadyRunning):
            stack.enter_context(lock.held(folder / _SERVED, command, time.time(), url))
        yield
