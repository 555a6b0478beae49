"""The dashboard of one's own on this machine: where it is kept, who serves it, and who keeps it equal."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pi_opensync import settings
from pi_opensync.daemon import lock
from pi_opensync.daemon.lock import Holder
from pi_opensync.errors import AlreadyRunning
from pi_opensync.settings import Settings

FOLDER = "local"  # in the state folder; sessions of other agents may be in it too
DEMO = "demo"
STATE = "sync"  # in its folder: what the daemon knows
_SERVED = "served"


@contextmanager
def served(folder: Path, command: str, url: str) -> Iterator[None]:
    """Let other processes know where the pages are while the block runs, unless another server does."""
    with ExitStack() as stack:
        with suppress(AlreadyRunning):
            stack.enter_context(lock.held(folder / _SERVED, command, time.time(), url))
        yield


def server(state_dir: Path) -> Holder | None:
    """Who serves it, and at which `url`."""
    holder = lock.holder(state_dir / FOLDER / _SERVED)
    return holder if holder is not None and holder.url else None


def state_folder(chosen: Settings) -> Path:
    """What is known of the configured server, or where none is, of one's own dashboard."""
    if chosen.convex_url is None:
        return chosen.state_dir / FOLDER / STATE
    return settings.state_folder(chosen, chosen.convex_url)


def daemon(state_dir: Path) -> tuple[Path, Holder | None]:
    """Who follows pi, `watch` or where there is none `watch --local`, and the folder where its pulse is."""
    holder = lock.holder(state_dir)
    if holder is None and (own := lock.holder(state_dir / FOLDER)) is not None:
        return state_dir / FOLDER, own
    return state_dir, holder
