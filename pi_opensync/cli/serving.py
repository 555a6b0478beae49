"""The dashboard of one's own, served: its file, its keys, the way in for a browser."""

import errno
import html
import os
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from pi_opensync.cli import PORT
from pi_opensync.cli.unserved import milliseconds, opened
from pi_opensync.daemon import places
from pi_opensync.dashboard.db.budget import Budget
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.handed import Handed
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.listener import NotLoopbackError, Running, serve
from pi_opensync.deliver.inside import Inside
from pi_opensync.errors import PiOpensyncError, UsageError
from pi_opensync.files import write_private
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.settings import Settings

_WAY_IN = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={page}">
<title>Your sessions</title>
<p><a href="{page}">Your sessions</a></p>
"""


@asynccontextmanager
async def serving(
    home: Path,
    command: str,
    host: str,
    port: int | None,
    *,
    clean: Cleaner | None,
    budget: Budget,
    hosts: Sequence[str] = (),
    remote: bool = False,
) -> AsyncIterator[tuple[str, Keys, Inside]]:
    """Serve what is kept in `home` while the block runs; gives the URL, the keys, and the way within.

    `port` None: the usual one, or any where that is taken. `clean`: what other programs send goes through it.
    """
    with opened(home) as connections:
        keys = Keys(connections, now=milliseconds)
        app = create_app(connections, keys, now=milliseconds, hosts=hosts, clean=clean, budget=budget)
        running = await _serve(app, host, port, remote=remote)
        with places.served(home, command, running.url):
            try:
                yield running.url, keys, Handed(connections, now=milliseconds)
            finally:
                await running.stop()


def budget_of(settings: Settings) -> Budget:
    return Budget(settings.budget_daily, settings.budget_monthly)


def keys_of(connections: Connections) -> Keys:
    return Keys(connections, now=milliseconds)


def show_key(url: str, keys: Keys) -> None:
    """Make a key for a plugin, and show it."""
    key = keys.issue("plugin")
    if sys.stdout.isatty():
        print(f"For OpenSync plugins: the URL {url} and this key, shown this once: {key}", flush=True)
    else:
        print(key, flush=True)


def show_page(
    home: Path, url: str, keys: Keys, *, names: Sequence[str] = (), open_page: bool, beside: bool
) -> None:
    """Print a link that lets a browser in, and open it; `beside` the server, which must answer meanwhile.

    `names` are those of proxies with TLS before it: the link leads through each as well.
    """
    way_in = f"/login?token={keys.login_token()}"
    page = f"{url}{way_in}"
    print(f"Your sessions: {page}", file=sys.stderr, flush=True)
    for name in names:
        host = f"[{name}]" if ":" in name else name
        print(f"           or: https://{host}{way_in}", file=sys.stderr, flush=True)
    if open_page and beside:
        threading.Thread(target=_open, args=(home, page), daemon=True).start()
    elif open_page:
        _open(home, page)


async def _serve(app: ASGIApp, host: str, port: int | None, *, remote: bool) -> Running:
    try:
        return await serve(app, host, PORT if port is None else port, remote=remote)
    except NotLoopbackError as error:
        raise UsageError(str(error), hint="add --remote if that is what you want") from None
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            print(f"Port {PORT} is taken; another is used.", file=sys.stderr)
            return await serve(app, host, 0, remote=remote)
        raise PiOpensyncError(
            f"can not serve on {host}:{port}: {error.strerror}",
            hint="use another --port or --host; --port 0 takes any that is free",
        ) from None


def _open(home: Path, page: str) -> None:
    """Open a page, but not in a browser for terminals that nobody chose: it would take over this one.

    The browser gets a file of the user's that leads there, for its arguments can be read by everyone here.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser or os.environ.get("BROWSER"):
        way = home / "open.html"
        write_private(way, _WAY_IN.format(page=html.escape(page)))
        browser.open(way.as_uri())
