"""`pi-opensync doctor`: every check, in the order in which one would look."""

import json
import os
import shutil
import sys
import time
import urllib.request
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from pi_opensync import __version__, loop
from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.configuration import plugin_config_path, read_file
from pi_opensync.doctor import (
    configured,
    environment,
    installed,
    machine,
    plugin,
    session_folders,
    way_to_opensync,
)
from pi_opensync.doctor.check import Check
from pi_opensync.errors import ConfigurationError, PiOpensyncError
from pi_opensync.files import at_home
from pi_opensync.opensync.client import Client
from pi_opensync.service import manager
from pi_opensync.service.commands import run as run_command

SCHEMA = 1  # of --json; grows when a field changes its meaning
ROOM = 40  # signs beside the longest name, for what is said of it to stand there
_COLOURS = {"ok": "32", "warn": "33", "fail": "31"}

Groups = dict[str, list[Check]]

app = new_app()


@app.command(epilog="Example: pi-opensync doctor --json")
def doctor(as_json: AsJson = False) -> None:
    run(as_json=as_json)


def run(*, as_json: bool) -> None:
    """Print every check. Raises `PiOpensyncError` where one fails."""
    groups = gather()
    checks = [check for group in groups.values() for check in group]
    failed = sum(check.verdict == "fail" for check in checks)
    if as_json:
        print(json.dumps(_as_json(groups, failed), indent=2))
    else:
        print("\n".join(_lines(groups, colours=terminal.has_colours())))
    if failed:
        raise PiOpensyncError(f"{failed} {'check fails' if failed == 1 else 'checks fail'}")


def gather() -> Groups:
    groups: Groups = {"environment": _environment()}
    readable, chosen = configured.readable(os.environ)
    groups["configuration"] = [readable, configured.permissions(os.environ)]
    if chosen is None:
        return groups
    context = Context()
    groups["configuration"] += [
        configured.login(chosen, has_own=any(place.is_own for place in context.places)),
        configured.automatic(chosen, chosen.state_dir, time.time()),
        configured.environment(os.environ, Path.home()),
        configured.spelling(os.environ),
    ]
    groups["transcripts"] = _transcripts(context)
    groups["machine"], learned = _machine(context)
    groups["server"] = _server(context, learned)
    groups["service"] = _service(context)
    groups["pi"] = [_plugin()]
    return groups


def _environment() -> list[Check]:
    try:
        required = metadata.requires("pi-opensync") or []
    except metadata.PackageNotFoundError:
        required = []
    return [
        environment.python(sys.version_info[:3], sys.executable),
        environment.packages(required, metadata.version),
    ]


def _transcripts(context: Context) -> list[Check]:
    return [
        session_folders.roots(context.folders, context.listing),
        session_folders.unreadable(context.listing),
        session_folders.asked_by_projects(context.roots.refused),
        session_folders.pi_settings(context.folders, os.environ, Path.cwd()),
    ]


def _machine(context: Context) -> tuple[list[Check], object]:
    """With what was learned of OpenSync's batch, for `server.dates`."""
    state_dir = context.settings.state_dir
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        mounts = ""
    checks = [
        machine.inotify(context.folders),
        machine.network(context.folders, state_dir, mounts),
        machine.disk(state_dir, lambda folder: shutil.disk_usage(folder).free),
        machine.writable(state_dir),
    ]
    learned: object = None
    for place in context.places:
        state, batch = machine.database(place.state, context.name(place))
        learned = learned if place.is_own else batch
        checks.append(state)
    return checks, learned


def _server(context: Context, learned: object) -> list[Check]:
    chosen = context.settings
    if chosen.convex_url is None or chosen.api_key is None:
        return []
    url = chosen.convex_url
    key = chosen.api_key.get_secret_value()

    async def ask() -> list[Check]:
        async with Client(url, key, now=time.time) as client:
            return await way_to_opensync.checks(url, client, now=time.time, proxied=_is_proxied(url))

    return [*loop.run(ask()), way_to_opensync.dates(learned, chosen.timestamps)]


def _is_proxied(url: str) -> bool:
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not urllib.request.proxy_bypass(parts.netloc)


def _service(context: Context) -> list[Check]:
    holder = next(filter(None, (place.keeper() for place in context.places)), None)
    checks: list[Check] = []
    for place in context.places:
        keeper, name = place.keeper(), context.name(place)
        checks.append(installed.version(keeper, __version__, name))
        checks.append(installed.moving(keeper, place.pulse(), time.time(), name))
    if not context.places:
        checks += [installed.version(None, __version__), installed.moving(None, None, time.time())]
    try:
        state = manager.choose(sys.platform, Path.home(), os.environ, run_command).state()
    except ConfigurationError as error:
        return [Check("service", "warn", error.message, error.hint), *checks]
    is_own = bool(context.places) and all(place.is_own for place in context.places)
    return [
        installed.service(state, holder, is_own=is_own, is_any=bool(context.places)),
        installed.interpreter(state, run_command),
        *checks,
    ]


def _plugin() -> Check:
    home = Path.home()
    agent = at_home(os.environ.get("PI_CODING_AGENT_DIR") or home / ".pi" / "agent")
    try:
        own = read_file(plugin_config_path(os.environ))
    except ConfigurationError:
        own = {}
    return plugin.plugin(agent, Path.cwd(), own)


def _as_json(groups: Groups, failed: int) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "version": __version__,
        "failed": failed,
        "checks": [{"group": group} | asdict(check) for group, checks in groups.items() for check in checks],
    }


def _lines(groups: Groups, *, colours: bool) -> list[str]:
    longest = max(len(check.name) for checks in groups.values() for check in checks)
    width = terminal.width()
    is_narrow = width is not None and width < longest + ROOM
    lines: list[str] = []
    for group, checks in groups.items():
        if not checks:
            continue
        lines.append(group)
        for check in checks:
            verdict = f"{check.verdict:4}"
            if colours:
                verdict = f"\033[{_COLOURS[check.verdict]}m{verdict}\033[0m"
            texts = [check.detail, *([f"-> {check.mend}"] if check.mend else [])]
            if is_narrow:
                lines.append(f"  {verdict}  {check.name}")
                indent = 8
            else:
                indent = longest + 10
            told = [piece for text in texts for piece in terminal.wrapped(" " * indent + text, width, indent)]
            if not is_narrow:
                told[0] = f"  {verdict}  {check.name:{longest}}  {told[0].lstrip()}"
            lines += told
    return lines
