"""The commands, a line each; options and body are in the file of that name, loaded when it is asked for."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pi_opensync import __version__

COMMANDS = {
    "start": "Show pi's sessions in a dashboard, with as little as is set up.",
    "setup": "Set everything up, step by step, or as the options say.",
    "login": "Store the URL and the key of your OpenSync, after checking both.",
    "logout": "Forget the URL and the key.",
    "watch": "Follow pi's sessions and keep the dashboard equal to them.",
    "serve": "Serve the OpenSync of your own: pages, and the API for plugins.",
    "sync": "Send the sessions that are there: all, or some.",
    "status": "Show what is delivered, what waits, and whether a daemon runs.",
    "list": "List the sessions: what was sent, what waits, and why not.",
    "search": "Find past sessions by what was said in them.",
    "show": "Show a session: text, Markdown, JSON or a page.",
    "export": "Write sessions as files of Markdown or HTML.",
    "preview": "Show exactly what would be sent, redacted and left out.",
    "verify": "Read the dashboard back and compare it with the transcripts.",
    "usage": "Show what sessions cost, by day, week, month, model or project.",
    "pause": "Send nothing for a while, or until `resume`.",
    "resume": "End a pause; or with an id, go on with a session in pi.",
    "doctor": "Check all that is needed, and say how to fix what is wrong.",
    "logs": "Show the service's log lines.",
    "mcp": "Let agents look up past sessions, over MCP.",
    "redact": "What is taken out before anything is kept or sent.",
    "exclude": "Projects that stay on this machine.",
    "queue": "Messages and sessions that OpenSync refused.",
    "service": "Run by itself, from login on: systemd or launchd.",
}


class _Loading(Mapping[str, Any]):
    """The commands by name; one is loaded when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        summary = COMMANDS[name]
        if name not in self._loaded:
            command = typer.main.get_command(import_module(f"pi_opensync.cli.{name}").app)
            command.name = name
            command.help = "\n\n".join(filter(None, (summary, command.help)))
            self._loaded[name] = command
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Commands(TyperGroup):
    """Loads a command when it is run, and none to list them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loading()  # type: ignore[assignment]  # none is ever added

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing it takes longer than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps a dashboard, OpenSync's or your own, equal to the sessions of the pi coding agent.",
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
