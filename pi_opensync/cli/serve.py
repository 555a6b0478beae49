"""`pi-opensync serve`: the dashboard of one's own alone, for whatever sends to it."""

import asyncio
import signal
import socket
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from pi_opensync import address, logbook
from pi_opensync.cli import PORT
from pi_opensync.cli.context import Context
from pi_opensync.cli.local import show_served, watch_local
from pi_opensync.cli.options import Debug, LogFormat, new_app
from pi_opensync.cli.serving import budget_of, serving, show_key, show_page
from pi_opensync.daemon import places
from pi_opensync.errors import AlreadyRunning, UsageError
from pi_opensync.texts import shown

app = new_app()


@app.command(epilog="Example: pi-opensync serve --open")
def serve(
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="N", help="Port; 0: any that is free.", show_default=str(PORT)
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen; anything but this machine needs --remote."),
    ] = "127.0.0.1",
    remote: Annotated[
        bool, typer.Option("--remote", help="Let other machines in, without encryption.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Another name of it, such as a proxy's. May be repeated."),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make another key for a plugin, and show it.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Serve three sample sessions.")] = False,
    log_format: LogFormat = "auto",
    debug: Debug = None,
) -> None:
    """It runs until Ctrl-C. `watch --local` does the same, and follows pi's sessions too.

    Where the dashboard is served already, --open and --new-key work beside it.
    """
    if demo:
        watch_local(port=port, open_page=open_page, demo=True, log_format=log_format, debug=debug)
        return
    context = Context(debug=debug)
    context.log(log_format)
    place = places.own(context.settings)
    other = place.server()
    if other is not None and port in (None, urlsplit(other.url).port):
        if not (open_page or new_key):
            raise AlreadyRunning(
                f"`pi-opensync {other.command}` (process {other.pid}) serves it at {other.url}",
                hint="--open opens its page, --new-key makes a key for a plugin",
            )
        if show_served(context, open_page=open_page, new_key=new_key):
            return
    names = [*context.settings.host_names, *(host_name(text) for text in name or ())]
    hosts = list(names)
    if remote:
        hosts += [host, own := socket.gethostname(), f"{own}.local"]
        logbook.get().warning("other machines are let in, and nothing is encrypted on the way")
    asyncio.run(
        _serve(
            context,
            host,
            PORT if port is None else port,
            names=names,
            hosts=hosts,
            remote=remote,
            open_page=open_page,
            new_key=new_key,
        )
    )


def host_name(text: str) -> str:
    """The name of a host. Raises `UsageError`."""
    try:
        return address.host_name(text)
    except ValueError:
        raise UsageError(
            f"--name {shown(text)}: not the name of a host", hint="use one such as sessions.example.com"
        ) from None


async def _serve(
    context: Context,
    host: str,
    port: int,
    *,
    names: Sequence[str],
    hosts: Sequence[str],
    remote: bool,
    open_page: bool,
    new_key: bool,
) -> None:
    home, clean = places.own(context.settings).home, context.receiving
    async with serving(
        home,
        "serve",
        host,
        port,
        clean=clean,
        budget=budget_of(context.settings),
        hosts=hosts,
        remote=remote,
    ) as (url, keys, _inside):
        if new_key:
            show_key(url, keys)
        show_page(home, url, keys, names=names, open_page=open_page, beside=True)
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await stopping.wait()
