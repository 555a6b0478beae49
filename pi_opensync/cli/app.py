"""The commands, a line each; options and body are in the file of that name, loaded when it is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer

from pi_opensync import __version__
from pi_opensync.cli import direct
from pi_opensync.cli.help import PlainGroup

_HEADED = {
    "To begin": {
        "start": "Show pi's sessions in a dashboard, on this machine if need be.",
        "setup": "Set everything up for good, a question at a time.",
        "login": "Use OpenSync: check and keep its URL and your key.",
        "logout": "Forget the URL and the key.",
    },
    "To keep it up to date": {
        "watch": "Follow pi's sessions and send what is new, until Ctrl-C.",
        "service": "Keep `watch` running by itself, with systemd or launchd.",
        "sync": "Send the sessions that are there: all, or some.",
        "serve": "Serve your own dashboard alone, for pages and plugins.",
        "pause": "Send nothing for a while, or until `resume`.",
        "resume": "End a pause; or with an id, go on with a session in pi.",
    },
    "To see how it goes": {
        "status": "Show what was sent, what waits, and whether it runs.",
        "list": "List the sessions, with their ids and what keeps one here.",
        "verify": "Read the dashboard back and compare it with pi's files.",
        "queue": "Messages and sessions that OpenSync refused.",
        "doctor": "Check all that is needed, and say how to fix the rest.",
        "logs": "Show the service's log lines.",
    },
    "To look up past sessions": {
        "search": "Find sessions by what was said in them.",
        "show": "Show a session as text, Markdown, JSON or HTML.",
        "export": "Write sessions as files of Markdown or HTML.",
        "usage": "Show what sessions cost, by day, week, month or session.",
        "mcp": "Let agents look up past sessions, over MCP.",
    },
    "To decide what leaves this machine": {
        "preview": "Show exactly what would be sent of a session.",
        "exclude": "Projects that stay on this machine.",
        "redact": "The secrets that are taken out before anything is sent.",
    },
}
COMMANDS = {name: summary for commands in _HEADED.values() for name, summary in commands.items()}


class _Loading(Mapping[str, Any]):
    """The commands by name; one is loaded when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        summary = COMMANDS[name]
        if name not in self._loaded:
            command = typer.main.get_command(_app(name))
            command.name = name
            command.help = "\n\n".join(filter(None, (summary, command.help)))
            self._loaded[name] = command
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _app(name: str) -> typer.Typer:
    if name in direct.COMMANDS:
        from pi_opensync.cli import everyday

        return everyday.APPS[name]
    found: typer.Typer = import_module(f"pi_opensync.cli.{name}").app
    return found


class _Commands(PlainGroup):
    """Loads a command when it is run, and none to list them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loading()  # type: ignore[assignment]  # none is ever added

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def headed(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        del ctx
        return {title: list(commands.items()) for title, commands in _HEADED.items()}


app = typer.Typer(
    cls=_Commands,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing it takes longer than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps a dashboard, OpenSync's or your own, equal to the sessions of the pi coding agent.\n\n"
    "Begin with `pi-opensync start`: it needs no account, and nothing leaves this machine.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"pi-opensync {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
