"""`pi-opensync exclude`: projects that stay on this machine."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pi_opensync import configuration, settings
from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.errors import ConfigurationError, PiOpensyncError
from pi_opensync.privacy.projects import pattern_for
from pi_opensync.privacy.spelling import absolute
from pi_opensync.texts import counted, shown

Pattern = Annotated[str, typer.Argument(metavar="PATTERN", help="A folder, or a glob as in a .gitignore.")]

app = new_app()


@app.command("add", epilog="Example: pi-opensync exclude add '~/work/client'")
def add(pattern: Pattern) -> None:
    """Exclude projects: nothing more of them is sent."""
    before = {item.found.path for item in Context().sessions() if item.excluded is not None}
    meant = add_exclusion(pattern)
    hit = [item for item in Context().sessions() if item.excluded and item.found.path not in before]
    terminal.say(
        f"Excluded: {shown(meant)}, {counted(len(hit), 'session')} now. Nothing more of it is sent; "
        "what is on the dashboard stays there."
    )


@app.command("remove", epilog="Example: pi-opensync exclude remove '~/work/client'")
def remove(pattern: Pattern) -> None:
    """Exclude projects no longer."""
    known = Context().settings.exclude
    meant = pattern if pattern in known else _meant(pattern)
    if meant not in known:
        raise PiOpensyncError(f"{shown(pattern)} is not excluded", hint="see `pi-opensync exclude list`")
    _change(lambda patterns: [kept for kept in patterns if kept != meant])
    print(f"No longer excluded: {shown(meant)}")


@app.command("list", epilog="Example: pi-opensync exclude list")
def show() -> None:
    """Show the patterns of include and exclude."""
    chosen = Context().settings
    for name, patterns in (("include", chosen.include), ("exclude", chosen.exclude)):
        for pattern in patterns:
            print(f"{name}  {shown(pattern)}")
    if not chosen.include and not chosen.exclude:
        terminal.say("No project is excluded, but for folders that hold a file .no-opensync.")


@app.command("test", epilog="Example: pi-opensync exclude test ~/work/client/api")
def test(path: Annotated[Path, typer.Argument(metavar="FOLDER", help="A project's folder.")]) -> None:
    """Say whether the sessions of a project folder are sent."""
    project = absolute(str(path), here=os.getcwd(), home=str(Path.home()))  # noqa: PTH109 - a string
    reason = Context().judge.reason(project)
    terminal.say(f"{shown(project)}: {'is sent' if reason is None else shown(reason)}")


def add_exclusion(text: str) -> str:
    """Write it to the configuration file; returns the pattern that it became.

    Raises `ConfigurationError` where it can match no folder, or the file is not what counts.
    """
    pattern = _meant(text)
    _change(lambda patterns: patterns if pattern in patterns else [*patterns, pattern])
    return pattern


def _meant(text: str) -> str:
    return pattern_for(text, here=os.getcwd(), home=str(Path.home()))  # noqa: PTH109 - a string


def _change(change: Callable[[list[str]], list[str]]) -> None:
    variable = configuration.ENV_PREFIX + "EXCLUDE"
    if os.environ.get(variable):
        raise ConfigurationError(
            f"{variable} is set, and stands before the configuration file", hint=f"change or unset {variable}"
        )
    path = configuration.config_path(os.environ)
    stored = configuration.read_file(configuration.file_in_use(os.environ))
    stored["exclude"] = change(list(settings.patterns(stored.get("exclude") or [])))
    configuration.write_file(path, stored)
