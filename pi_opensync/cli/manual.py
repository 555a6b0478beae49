"""The page of all commands, from the same source as `--help`: `python -m pi_opensync.cli.manual`."""

from collections.abc import Iterator
from typing import Any

import typer

INTRODUCTION = """# Commands

Made from the commands' own help by `python -m pi_opensync.cli.manual > docs/commands.md`.
Every command takes `--help`. Data goes to stdout, logs and errors to stderr.
"""


def page(app: typer.Typer, name: str = "pi-opensync") -> str:
    """The page as Markdown."""
    command = typer.main.get_command(app)
    return "\n".join([INTRODUCTION, *_described(command, name)]).rstrip() + "\n"


def _described(command: Any, path: str) -> Iterator[str]:
    yield f"## `{path}`"
    yield ""
    if command.help:
        yield command.help
        yield ""
    rows = [_row(param) for param in command.params if not getattr(param, "hidden", False)]
    if rows:
        yield "| option | |"
        yield "|---|---|"
        yield from rows
        yield ""
    if command.epilog:
        yield f"Example: `{command.epilog.removeprefix('Example: ')}`"
        yield ""
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _described(inner, f"{path} {name}")


def _row(param: Any) -> str:
    words = _cell(getattr(param, "help", None) or "")
    if param.param_type_name == "argument":
        return f"| `{_cell(param.metavar or param.name.upper())}` | {words} |"
    names = " / ".join(", ".join(group) for group in (param.opts, param.secondary_opts) if group)
    if not param.is_flag:
        names += f" {param.metavar or 'VALUE'}"
    return f"| `{_cell(names)}` | {words} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    from pi_opensync.cli.app import app

    print(page(app), end="")


if __name__ == "__main__":
    main()
