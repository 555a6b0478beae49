"""`pi-opensync export`: sessions as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.cli.past import Past, read
from pi_opensync.cli.show import html
from pi_opensync.errors import writing
from pi_opensync.files import at_home, write_private
from pi_opensync.opensync.transcribed import markdown
from pi_opensync.read.select import Wanted
from pi_opensync.texts import counted

app = new_app()


@app.command(epilog="Example: pi-opensync export ~/sessions --since 30d")
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if need be.")],
    kind: Annotated[
        Literal["md", "html"],
        typer.Option("--format", metavar="md|html", help="Markdown, or HTML pages without scripts."),
    ] = "md",
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Sessions active since then: 30d, 12h, or a date.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Sessions of this project folder and below.")
    ] = None,
) -> None:
    """One file a session, named by its id, readable by you alone; secrets are redacted."""
    context = Context()
    wanted = Wanted.parse(since=since, until=None, project=project, session=None, limit=None)
    count = 0
    for past in read(context, [item.found for item in context.sessions(wanted) if item.leaves]):
        path = at_home(folder) / f"{past.session.id}.{kind}"
        with writing(path):
            write_private(path, _document(past, kind))
        count += 1
    print(f"{counted(count, 'session')} written to {folder}")


def _document(past: Past, kind: str) -> str:
    return "\n".join(html(past) if kind == "html" else markdown(past.session, past.messages)) + "\n"
