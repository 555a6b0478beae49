"""`pi-opensync service`: install it, run it, look at it, take it away."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pi_opensync import __version__, configuration, settings
from pi_opensync.cli import PORT, terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import Local, new_app
from pi_opensync.cli.terminal import Ask
from pi_opensync.errors import (
    ConfigurationError,
    NotRunning,
    PiOpensyncError,
    UsageError,
    cannot_keep_state,
)
from pi_opensync.service import manager
from pi_opensync.service.commands import run
from pi_opensync.service.purge import purge_configuration, purge_state

app = new_app()


@app.command("install", epilog="Example: pi-opensync service install --write-settings")
def install_command(
    local: Local = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="N",
            help="Port of the pages of --local.",
            show_default=str(PORT),
        ),
    ] = None,
    write_settings: Annotated[
        bool,
        typer.Option(
            "--write-settings",
            help="Keep settings of this shell's environment in the file of settings.",
        ),
    ] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="Show what would be installed; install nothing.")
    ] = False,
) -> None:
    """Install and start it; after an upgrade, start it anew."""
    install(local=local, port=port, write_settings=write_settings, print_only=print_only)


def install(*, local: bool, write_settings: bool, print_only: bool, port: int | None = None) -> None:
    """Install what sends to the configured server, or with `local` what keeps a dashboard of one's own."""
    service = _service()
    chosen = Context().settings
    if port is not None and not local:
        raise UsageError("--port is for --local: nothing else serves pages")
    plan = manager.plan(chosen, os.environ, Path.home(), local=local, port=port)
    if print_only:
        print(service.render(plan), end="")
        return
    if not local:
        _require_work(chosen)
    service.require(plan)
    keep_settings(write=write_settings, ask=terminal.ask())
    make_folder(chosen.state_dir)
    service.install(plan)
    for note in service.notes:
        print(f"Note: {note}.", file=sys.stderr)
    terminal.say(f"Installed {service.path} and started it. `pi-opensync status` shows how it goes.")
    if local:
        print("`pi-opensync serve --open` opens your dashboard.")


def what_is_missing(*, local: bool) -> PiOpensyncError | None:
    """Why no service can be installed here; None where one can."""
    try:
        _service().require(manager.plan(Context().settings, os.environ, Path.home(), local=local))
    except PiOpensyncError as error:
        return error
    return None


def _require_work(chosen: settings.Settings) -> None:
    if chosen.convex_url is None and chosen.api_key is None:
        raise ConfigurationError(
            "no OpenSync is configured",
            hint="run `pi-opensync login`, or, for a dashboard of your own, install with --local",
        )
    chosen.require_server()
    if not chosen.auto_sync:
        raise ConfigurationError(
            "autoSync is off: a service would have nothing to do",
            hint="set it to true, or send by hand with `pi-opensync sync`",
        )


@app.command(epilog="Example: pi-opensync service uninstall --purge")
def uninstall(
    purge: Annotated[bool, typer.Option("--purge", help="Remove state, settings and key too.")] = False,
) -> None:
    """Stop and remove it; sessions and dashboards stay."""
    service = _service()
    found = service.uninstall()
    print(f"Stopped it and removed {service.path}." if found else "No service was installed.")
    if not purge:
        return
    chosen = Context().settings
    config = configuration.config_path(os.environ)
    removed = [str(chosen.state_dir)] * chosen.state_dir.exists() + [str(config)] * config.exists()
    kept = purge_state(chosen.state_dir)
    purge_configuration(config, Path.home())
    print(f"Removed {' and '.join(removed)}." if removed else "There were no state and no settings.")
    if kept is not None:
        print(f"Your own dashboard is kept: {kept}. Remove it by hand if you want nothing of it any more.")


@app.command(epilog="Example: pi-opensync service start")
def start() -> None:
    """Start it."""
    service = _installed()
    make_folder(Context().settings.state_dir)
    service.start()
    print("Started.")


@app.command(epilog="Example: pi-opensync service stop")
def stop() -> None:
    """Stop it until the next login."""
    _installed().stop()
    print("Stopped; it starts again with your next login. `pi-opensync service uninstall` takes it away.")


@app.command(epilog="Example: pi-opensync service restart")
def restart() -> None:
    """Start it anew, as after an upgrade."""
    service = _installed()
    make_folder(Context().settings.state_dir)
    service.restart()
    print("Restarted.")


@app.command(epilog="Example: pi-opensync service status")
def status() -> None:
    """Show whether it is installed and runs, and its version."""
    service = _service()
    state = service.state()
    if not state.installed:
        raise NotRunning("no service is installed", hint="run `pi-opensync service install`")
    print(f"{service.name}  {state.detail}{f', process {state.pid}' if state.pid else ''}")
    print(f"file     {service.path}")
    print(f"runs     {state.interpreter or 'something that is not ours'} -m pi_opensync")
    print(f"starts   {'with your login' if state.starts_by_itself else 'not by itself'}")
    for holder in filter(None, (place.keeper() for place in Context().places)):
        note = "" if holder.version == __version__ else old_version(holder.version)
        print(f"version  {holder.version}{note}")
    if state.comes_back:
        raise NotRunning("it ended, and is started again soon", hint="`pi-opensync service logs` says why")
    if not state.running:
        raise NotRunning(
            "the service is not running",
            hint="`pi-opensync service logs` says why, `pi-opensync service start` starts it",
        )


def old_version(running: str) -> str:
    """What is said where another version runs than is installed."""
    return (
        f"  (installed is {__version__}; {running} still runs: `pi-opensync service restart`)"
        if running != "?"
        else ""
    )


@app.command(epilog="Example: pi-opensync service logs -f")
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines as they come.")] = False,
) -> None:
    """Show its log lines."""
    show_logs(follow=follow)


def show_logs(*, follow: bool) -> None:
    service = _installed()
    command = service.logs_command(follow=follow)
    try:
        code = subprocess.call(command)  # noqa: S603 - a fixed command of the system
    except FileNotFoundError:
        raise ConfigurationError(f"{command[0]} is not there", hint=f"try {shlex.join(command)}") from None
    if code:
        raise PiOpensyncError("its log lines can not be shown", hint=service.logs_hint())


def keep_settings(*, write: bool, ask: Ask | None) -> None:
    """Put settings that stand only in the environment into the file, if the user wants that.

    Raises `ConfigurationError` naming them where it may neither write nor ask, or is told no.
    """
    home = Path.home()
    alone = manager.only_in_environment(os.environ, home)
    if not alone:
        return
    path = configuration.config_path(os.environ)
    named = ", ".join(alone)
    if not write and ask is not None:
        answer = ask(f"A service does not see {named}. Write to {path}? [y/N] ")
        write = answer.strip().lower() in ("y", "yes")
    if not write:
        raise ConfigurationError(
            f"set only in this shell's environment, which a service does not see: {named}",
            hint=f"`--write-settings` writes them to {path}",
        )
    stored = configuration.read_file(configuration.file_in_use(os.environ))
    configuration.write_file(path, stored | dict(alone.values()))
    print(f"Written to {path}: {', '.join(key for key, _value in alone.values())}")


def make_folder(folder: Path) -> None:
    """The state folder must be there before the service is confined to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_keep_state(folder, error) from None


def _service() -> manager.Service:
    return manager.choose(sys.platform, Path.home(), os.environ, run)


def _installed() -> manager.Service:
    service = _service()
    if not service.path.exists():
        raise NotRunning("no service is installed", hint="run `pi-opensync service install`")
    return service
