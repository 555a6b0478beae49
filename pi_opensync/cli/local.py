"""`pi-opensync watch --local` and `serve`: an OpenSync of one's own, on this machine."""

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from pi_opensync import logs, settings
from pi_opensync.cli import PORT
from pi_opensync.daemon import lock
from pi_opensync.daemon import places as dashboard
from pi_opensync.daemon.following import follow
from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys
from pi_opensync.dashboard.web.serve import NotLoopbackError, Running, serve
from pi_opensync.errors import AlreadyRunning, PiOpensyncError, UsageError, cannot_keep_state
from pi_opensync.pi import discover
from pi_opensync.store.database import open_or_rebuild

SAMPLES = Path(__file__).parent.parent / "samples"


def watch_local(
    *,
    port: int | None,
    open_page: bool,
    demo: bool,
    link: bool = True,
    log_format: logs.LogFormat,
    debug: bool | None,
) -> None:
    """Serve the pages and keep them equal to pi's sessions, all of them, until Ctrl-C.

    `port` None: the usual one, or any where that is taken. Without `link` no link that lets a browser in is
    printed, as a service's log keeps what is printed.
    """
    stamp = settings.Stamp.take()
    chosen = _load(debug)
    logs.configure(log_format, debug=chosen.debug)
    home = chosen.state_dir / (dashboard.DEMO if demo else dashboard.FOLDER)
    folders = (SAMPLES,) if demo else discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    try:
        with lock.held(home, "watch --local", time.time()):
            asyncio.run(_watch(chosen, stamp, home, folders, port, open_page=open_page, link=link))
    except AlreadyRunning as error:
        if demo:
            raise
        raise AlreadyRunning(error.message, hint="`pi-opensync serve --open` opens its page") from None


async def _watch(
    chosen: settings.Settings,
    stamp: settings.Stamp,
    home: Path,
    folders: tuple[Path, ...],
    port: int | None,
    *,
    open_page: bool,
    link: bool,
) -> None:
    async with _serving(home, "watch --local", "127.0.0.1", port) as (url, keys):
        server = {
            "convex_url": url,
            "api_key": SecretStr(keys.issue_for_this_run()),
            "timestamps": "transcript",
        }
        database, _aside = open_or_rebuild(home / dashboard.STATE, time.time())
        try:
            if link:
                _tell(url, keys, open_page=open_page, beside=True)
            else:
                logs.get().info("serving your dashboard", url=url, way_in="pi-opensync serve --open")
            while not await follow(
                chosen.model_copy(update=server),
                stamp,
                folders,
                database,
                pulse_in=home,
                backfill=True,
                extras=True,
            ):
                stamp = settings.Stamp.take()
                chosen = _load(chosen.debug)
        finally:
            database.close()


def serve_alone(
    *,
    host: str,
    port: int | None,
    remote: bool,
    names: Sequence[str],
    open_page: bool,
    new_key: bool,
    log_format: logs.LogFormat,
    debug: bool | None,
) -> None:
    """Serve until Ctrl-C. The first start makes a key, and shows it: it can not be read back.

    Where the dashboard is served already, its page is opened or a key made, and that is all. `names` are
    those that it answers to besides its addresses and this machine's own.
    """
    chosen = _load(debug)
    logs.configure(log_format, debug=chosen.debug)
    home = chosen.state_dir / dashboard.FOLDER
    other = dashboard.server(chosen.state_dir)
    if other is not None and port in (None, urlsplit(other.url).port):
        if not (open_page or new_key):
            raise AlreadyRunning(
                f"`pi-opensync {other.command}` (process {other.pid}) serves it at {other.url}",
                hint="--open opens its page, --new-key makes a key for a plugin",
            )
        with _connections(home) as connections:
            keys = Keys(connections, now=_milliseconds)
            _show_key(other.url, keys, new_key=new_key)
            _tell(other.url, keys, open_page=open_page, beside=False)
        return
    hosts = [*names]
    if remote:
        hosts += [host, own := socket.gethostname(), f"{own}.local"]
        logs.get().warning("other machines are let in, and nothing is encrypted on the way")
    asyncio.run(
        _serve_alone(
            home,
            host,
            PORT if port is None else port,
            hosts=hosts,
            remote=remote,
            open_page=open_page,
            new_key=new_key,
        )
    )


def show_served(*, open_page: bool) -> bool:
    """Show the way into the dashboard of one's own that is served already; False where none is."""
    state_dir = settings.load().state_dir
    other = dashboard.server(state_dir)
    if other is None:
        return False
    with _connections(state_dir / dashboard.FOLDER) as connections:
        _tell(other.url, Keys(connections, now=_milliseconds), open_page=open_page, beside=False)
    return True


async def _serve_alone(
    home: Path, host: str, port: int, *, hosts: Sequence[str], remote: bool, open_page: bool, new_key: bool
) -> None:
    async with _serving(home, "serve", host, port, hosts=hosts, remote=remote) as (url, keys):
        _show_key(url, keys, new_key=new_key)
        _tell(url, keys, open_page=open_page, beside=True)
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await stopping.wait()


@asynccontextmanager
async def _serving(
    home: Path,
    command: str,
    host: str,
    port: int | None,
    *,
    hosts: Sequence[str] = (),
    remote: bool = False,
) -> AsyncIterator[tuple[str, Keys]]:
    """Serve what is kept in `home` while the block runs; gives the URL and the keys."""
    with _connections(home) as connections:
        keys = Keys(connections, now=_milliseconds)
        running = await _serve(connections, keys, host, port, hosts=hosts, remote=remote)
        with dashboard.served(home, command, running.url):
            try:
                yield running.url, keys
            finally:
                await running.stop()


async def _serve(
    connections: Connections, keys: Keys, host: str, port: int | None, *, hosts: Sequence[str], remote: bool
) -> Running:
    app = create_app(connections, keys, now=_milliseconds, hosts=hosts)
    try:
        return await serve(app, host, PORT if port is None else port, remote=remote)
    except NotLoopbackError as error:
        raise UsageError(str(error), hint="add --remote if that is what you want") from None
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return await serve(app, host, 0, remote=remote)
        raise PiOpensyncError(
            f"can not serve on {host}:{port}: {error.strerror}", hint="use another --port, or --port 0"
        ) from None


def _show_key(url: str, keys: Keys, *, new_key: bool) -> None:
    """Show a key for plugins, if there is a new one."""
    key = keys.issue("plugin") if new_key else keys.first_key()
    if key is not None and sys.stdout.isatty():
        print(f"For OpenSync plugins: the URL {url} and this key, shown this once: {key}", flush=True)
    elif key is not None:
        print(key, flush=True)


def _tell(url: str, keys: Keys, *, open_page: bool, beside: bool) -> None:
    """Print a link that lets a browser in, and open it; `beside` the server, which must answer meanwhile."""
    page = f"{url}/login?token={keys.login_token()}"
    print(f"Your sessions: {page}", file=sys.stderr, flush=True)
    if open_page and beside:
        threading.Thread(target=_open, args=(page,), daemon=True).start()
    elif open_page:
        _open(page)


def _open(page: str) -> None:
    """Open a page, but not in a browser for terminals that nobody chose: it would take over this one."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser or os.environ.get("BROWSER"):
        browser.open(page)


def _load(debug: bool | None) -> settings.Settings:
    """The settings; what nobody chose is shown, as nothing leaves this machine."""
    chosen = settings.load(debug=debug)
    shown = {
        name: True for name in ("sync_tool_calls", "sync_thinking") if name not in chosen.model_fields_set
    }
    return chosen.model_copy(update=shown)


@contextmanager
def _connections(home: Path) -> Iterator[Connections]:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_keep_state(home, error) from None
    connections = Connections.open(home / "opensync.sqlite3")
    try:
        yield connections
    finally:
        connections.close()


def _milliseconds() -> int:
    return round(time.time() * 1000)
