"""The commands about running by itself: `setup`, `service`, `doctor`."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("setup", epilog="Example: pi-opensync setup")(_setup)
    app.command("logs", epilog="Example: pi-opensync logs -f")(_logs)
    app.command("doctor", epilog="Example: pi-opensync doctor --json")(_doctor)
    app.add_typer(service, name="service")


service = typer.Typer(no_args_is_help=True, help="Run by itself, from login on: systemd or launchd.")


@service.command("install", epilog="Example: pi-opensync service install --write-settings")
def _install(
    local: Annotated[
        bool,
        typer.Option("--local", help="Keep an OpenSync of your own, on this machine; nothing leaves it."),
    ] = False,
    write_settings: Annotated[
        bool,
        typer.Option(
            "--write-settings",
            help="Write settings that stand only in the environment into the configuration file.",
        ),
    ] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="Show what would be installed; install nothing.")
    ] = False,
) -> None:
    """Install and start the service, or start it anew after an upgrade."""
    from pi_opensync.cli.service import install

    install(local=local, write_settings=write_settings, print_only=print_only)


@service.command("uninstall", epilog="Example: pi-opensync service uninstall --purge")
def _uninstall(
    purge: Annotated[bool, typer.Option("--purge", help="Remove state and configuration too.")] = False,
) -> None:
    """Stop the service and take it away; pi's sessions and the dashboard stay as they are."""
    from pi_opensync.cli.service import uninstall

    uninstall(purge=purge)


@service.command("start", epilog="Example: pi-opensync service start")
def _start() -> None:
    """Start the service."""
    from pi_opensync.cli.service import start

    start()


@service.command("stop", epilog="Example: pi-opensync service stop")
def _stop() -> None:
    """Stop the service until the next login."""
    from pi_opensync.cli.service import stop

    stop()


@service.command("restart", epilog="Example: pi-opensync service restart")
def _restart() -> None:
    """Start the service anew, as after an upgrade."""
    from pi_opensync.cli.service import restart

    restart()


@service.command("status", epilog="Example: pi-opensync service status")
def _status() -> None:
    """Show whether the service is installed and runs, and which version."""
    from pi_opensync.cli.service import status

    status()


@service.command("logs", epilog="Example: pi-opensync service logs -f")
def _logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines as they come.")] = False,
) -> None:
    """Show the service's log lines."""
    from pi_opensync.cli.service import logs

    logs(follow=follow)


def _doctor(as_json: AsJson = False) -> None:
    """Check everything that delivery needs, and name the command that mends what is wrong."""
    from pi_opensync.cli.doctor import run

    run(as_json=as_json)


def _setup(
    url: Annotated[str | None, typer.Option(help="Log in to this deployment.")] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Log in with the key (osk_...) from stdin.")
    ] = False,
    from_plugin: Annotated[
        bool, typer.Option("--from-plugin", help="Log in as pi-opensync-plugin's configuration does.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a project: a folder, or a glob as in a .gitignore. May be repeated."),
    ] = None,
    history: Annotated[
        bool | None, typer.Option(help="Send the sessions that are there already, or do not.")
    ] = None,
    service_wanted: Annotated[
        bool | None, typer.Option("--service/--no-service", help="Install and start the service, or do not.")
    ] = None,
    write_settings: Annotated[
        bool,
        typer.Option("--write-settings", help="Write settings of the environment into the configuration."),
    ] = False,
) -> None:
    """Set everything up, step by step; without a terminal the options say what is done."""
    from pi_opensync.cli.setup import Wishes, run

    run(
        Wishes(
            url=url,
            key_stdin=key_stdin,
            from_plugin=from_plugin,
            exclude=tuple(exclude or ()),
            history=history,
            service=service_wanted,
            write_settings=write_settings,
        )
    )
