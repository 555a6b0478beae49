"""Options that several commands have."""

from typing import Annotated, Literal

import typer

LogFormat = Annotated[
    Literal["auto", "text", "json"],
    typer.Option(metavar="auto|text|json", help="Log lines for people or as JSON; auto: as fits."),
]
Debug = Annotated[
    bool | None, typer.Option("--debug", help="More log lines; never content or keys.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
Local = Annotated[
    bool, typer.Option("--local", help="Keep an OpenSync of your own, on this machine; nothing leaves it.")
]


def new_app() -> typer.Typer:
    """For the command, or the group of commands, of one file."""
    return typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
