"""`pi-opensync login`."""

import asyncio
import getpass
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pi_opensync import settings
from pi_opensync.cli.options import new_app
from pi_opensync.errors import ConfigurationError, KeyRefused, NetworkError, UsageError
from pi_opensync.opensync.client import Client
from pi_opensync.opensync.outcomes import Outcome, Verdict

app = new_app()


@app.command(epilog="Example: pi-opensync login --url https://happy-otter-123.convex.cloud")
def login(
    url: Annotated[
        str | None, typer.Option(help="Your deployment, as OpenSync's settings page shows it.")
    ] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key (osk_...) from stdin.")
    ] = False,
    from_plugin: Annotated[
        bool, typer.Option("--from-plugin", help="Take URL and key from pi-opensync-plugin's configuration.")
    ] = False,
) -> None:
    run(url=url, key_stdin=key_stdin, from_plugin=from_plugin)


def run(*, url: str | None, key_stdin: bool, from_plugin: bool) -> None:
    path = settings.config_path(os.environ)
    plugin = settings.read_file(settings.plugin_config_path(os.environ)) if from_plugin else {}
    if from_plugin and not plugin:
        raise ConfigurationError(
            f"{settings.plugin_config_path(os.environ)} does not exist or is empty",
            hint="log in with --url instead",
        )
    asked_url = url or plugin.get("convexUrl") or _ask_url()
    key = _read_key(key_stdin=key_stdin, plugin=plugin)
    # Both go through the settings, which know what a URL and a key look like.
    checked = settings.gather({}, path, {}, convex_url=asked_url, api_key=key)
    base_url, secret = checked.require_server()
    asyncio.run(_check(base_url, secret.get_secret_value()))
    stored = _kept(path) if path.exists() else dict(plugin)
    stored |= {"convexUrl": base_url, "apiKey": secret.get_secret_value()}
    settings.write_file(path, stored)
    print(f"Logged in to {base_url}; written to {path}")


def _kept(path: Path) -> dict[str, Any]:
    """The settings that are there; none where the file can not be understood: it is written anew."""
    try:
        return settings.read_file(path)
    except ConfigurationError:
        return {}


def _ask_url() -> str:
    if not sys.stdin.isatty():
        raise UsageError("no URL given", hint="use --url https://your-deployment.convex.cloud")
    return input("URL of your OpenSync deployment: ").strip()


def _read_key(*, key_stdin: bool, plugin: dict[str, Any]) -> str:
    if key_stdin:
        return sys.stdin.readline().strip()
    if isinstance(plugin.get("apiKey"), str):
        return str(plugin["apiKey"])
    if not sys.stdin.isatty():
        raise UsageError("no key given", hint="pipe it in and use --key-stdin")
    return getpass.getpass("API key (osk_..., from OpenSync's settings page): ").strip()


async def _check(base_url: str, key: str) -> None:
    async with Client(base_url, key, now=time.time) as client:
        health = await client.health()
        if health.verdict is not Verdict.DELIVERED:
            raise NetworkError(
                f"{client.host}: {health.reason}", hint="check the URL, and that this machine is online"
            )
        _accept(await client.session_ids(), client.host)


def _accept(outcome: Outcome, host: str) -> None:
    if outcome.verdict is Verdict.KEY_REFUSED:
        raise KeyRefused(
            f"{host} does not accept this key", hint="make a new one on OpenSync's settings page"
        )
    if outcome.verdict is not Verdict.DELIVERED:
        raise NetworkError(f"{host}: {outcome.reason}")
