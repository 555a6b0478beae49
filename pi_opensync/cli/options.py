"""Options that several commands have."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from pi_opensync.cli.help import PlainCommand, PlainGroup

LogFormat = Annotated[
    Literal["auto", "text", "json"],
    typer.Option(metavar="auto|text|json", help="Log lines for people or as JSON; auto: as fits."),
]
Debug = Annotated[
    bool | None, typer.Option("--debug", help="More log lines; never content or keys.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Local = Annotated[
    bool, typer.Option("--local", help="A dashboard of your own, on this machine; nothing leaves it.")
]


def new_app() -> typer.Typer:
    """For the command, or the group of commands, of one file."""
    return _App(cls=PlainGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class _App(typer.Typer):
    def command(self, name: str | None = None, **attributes: Any) -> Callable[[Any], Any]:
        return super().command(name, cls=PlainCommand, **attributes)
