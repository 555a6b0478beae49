"""`pi-opensync login`."""

import getpass
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from pi_opensync import configuration, loop, settings
from pi_opensync.address import LOOPBACK, normalise_url
from pi_opensync.cli import terminal
from pi_opensync.cli.options import new_app
from pi_opensync.errors import ConfigurationError, KeyRefused, NetworkError, UsageError
from pi_opensync.opensync import answers
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.outcomes import Verdict

_PAGES = ("/dashboard", "/settings", "/login")  # of OpenSync, whose address a user may paste

app = new_app()


@app.command(epilog="Example: pi-opensync login --url https://happy-otter-123.convex.cloud")
def login(
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Of OpenSync, as its settings page shows it, or of your own server."
        ),
    ] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key (osk_...) from stdin.")
    ] = False,
    from_plugin: Annotated[
        bool, typer.Option("--from-plugin", help="Take URL and key from pi-opensync-plugin's configuration.")
    ] = False,
) -> None:
    try:
        run(url=url, key_stdin=key_stdin, from_plugin=from_plugin)
    except KeyboardInterrupt:
        print("\nNothing was changed.", file=sys.stderr, end="")
        raise
    print()
    terminal.say("`pi-opensync sync` sends the sessions of before; what comes from now on,")
    terminal.say("`pi-opensync watch` sends here, and `pi-opensync service install` from login on.")


def run(*, url: str | None, key_stdin: bool, from_plugin: bool) -> None:
    path = configuration.config_path(os.environ)
    plugin = configuration.read_file(configuration.plugin_config_path(os.environ)) if from_plugin else {}
    if from_plugin and not plugin:
        raise ConfigurationError(
            f"{configuration.plugin_config_path(os.environ)} does not exist or is empty",
            hint="log in with --url instead",
        )
    base_url, is_own = _find_server(url or plugin.get("convexUrl"))
    key = _find_key(base_url, key_stdin=key_stdin, plugin=plugin)
    stored = _kept(path) if path.exists() else dict(plugin)
    stored.pop("ownServer", None)
    stored |= {"convexUrl": base_url, "apiKey": key} | ({"ownServer": True} if is_own else {})
    configuration.write_file(path, stored)
    terminal.say(f"Logged in to {base_url}; written to {path}")


def meant_url(text: str) -> str:
    """The URL of a deployment as a user may paste it: without https://, or of a page of the dashboard.

    Raises `ConfigurationError`.
    """
    said = text.strip()
    if "://" not in said:
        is_here = said.partition("/")[0].partition(":")[0] in LOOPBACK
        said = f"{'http' if is_here else 'https'}://{said}"
    try:
        parts = urlsplit(said)
        if any(f"{parts.path}/".startswith(f"{page}/") for page in _PAGES):
            said = f"{parts.scheme}://{parts.netloc}"
        return normalise_url(said)
    except ValueError as error:
        raise ConfigurationError(
            f"--url {text}: {error}", hint="OpenSync's settings page shows the URL of your deployment"
        ) from None


def _find_server(given: str | None) -> tuple[str, bool]:
    """The URL of a server that answers as OpenSync, and whether it is a `pi-opensync serve`.

    It is asked for, again if need be, where none is given.
    """
    while True:
        url = given or _ask_url()
        try:
            base_url = meant_url(url)
            is_own = loop.run(_check_server(base_url))
        except (ConfigurationError, NetworkError) as error:
            if given is not None or not sys.stdin.isatty():
                raise
            print(f"{error.message}", file=sys.stderr)
        else:
            return base_url, is_own


def _kept(path: Path) -> dict[str, Any]:
    """The settings that are there; none where the file can not be understood: it is written anew."""
    try:
        return configuration.read_file(path)
    except ConfigurationError:
        return {}


def _ask_url() -> str:
    if not sys.stdin.isatty():
        raise UsageError("no URL given", hint="use --url https://your-deployment.convex.cloud")
    answer = terminal.asked("URL of your OpenSync, or of your own server (Enter leaves it): ").strip()
    if not answer:
        raise UsageError("no URL given", hint="OpenSync's settings page shows the URL of your deployment")
    return answer


def _find_key(base_url: str, *, key_stdin: bool, plugin: dict[str, Any]) -> str:
    """A key that the server accepts; a user at a terminal is asked for another, until there is none."""
    is_asked = not key_stdin and not isinstance(plugin.get("apiKey"), str) and sys.stdin.isatty()
    while True:
        try:
            key = _read_key(key_stdin=key_stdin, plugin=plugin)
            loop.run(_check_key(base_url, key))
        except (ConfigurationError, KeyRefused) as error:
            if not is_asked:
                raise
            terminal.say(error.message, out=sys.stderr)
        else:
            return key


def _read_key(*, key_stdin: bool, plugin: dict[str, Any]) -> str:
    if key_stdin:
        key = sys.stdin.readline()
    elif isinstance(plugin.get("apiKey"), str):
        key = str(plugin["apiKey"])
    elif sys.stdin.isatty():
        key = getpass.getpass("API key (osk_..., not shown): ").strip()
        if not key:
            raise UsageError(
                "no key given",
                hint="OpenSync's settings page makes one; of your own server, `pi-opensync serve --new-key`",
            )
    else:
        raise UsageError("no key given", hint="pipe it in and use --key-stdin")
    # The settings know what a key looks like.
    checked = settings.gather({}, configuration.config_path(os.environ), {}, api_key=key.strip())
    return "" if checked.api_key is None else checked.api_key.get_secret_value()


async def _check_server(base_url: str) -> bool:
    """Whether it is a `pi-opensync serve`. Raises `NetworkError` where it is no OpenSync."""
    async with Client(base_url, "none", now=time.time) as client:
        health = await client.health()
    if health.verdict is not Verdict.DELIVERED:
        raise NetworkError(
            f"{client.host}: {health.reason}", hint="check the URL, and that this machine is online"
        )
    return answers.takes_extras(health)


async def _check_key(base_url: str, key: str) -> None:
    async with Client(base_url, key, now=time.time) as client:
        outcome = await client.session_ids()
    if outcome.verdict is Verdict.KEY_REFUSED:
        raise KeyRefused(
            f"{client.host} does not accept this key", hint="make a new one on OpenSync's settings page"
        )
    if outcome.verdict is not Verdict.DELIVERED:
        raise NetworkError(f"{client.host}: {outcome.reason}")
