"""`pi-opensync search`: past sessions, by what was said in them."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pi_opensync.cli import terminal
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.cli.past import search
from pi_opensync.cli.session_ids import short_ids
from pi_opensync.fold import external_id
from pi_opensync.read.select import Wanted
from pi_opensync.texts import day, shown

EXCERPTS = 3  # that are shown of a session

app = new_app()


@app.command(epilog="Example: pi-opensync search 'rate limit' retry --project ~/src/webapp")
def show(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="What to find: all of the words in one message.")
    ],
    project: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Sessions of this project folder and below.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sessions whose model's name holds this.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Sessions active since then: 30d, 12h, or a date.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many sessions.")] = 20,
    as_json: AsJson = False,
) -> None:
    """In pi's own files, so that it needs no dashboard; secrets are redacted in what is shown.

    As with grep the exit code is 1 where nothing is found; --json prints an empty list then, and ends with 0.
    """
    context = Context()
    wanted = Wanted.parse(since=since, until=None, project=project, session=None, limit=None)
    hits = search(context, words, wanted, model=model, limit=limit)
    short = short_ids(external_id(item.header) for item in context.sessions() if item.header is not None)
    if as_json:
        found = [asdict(hit) | {"short": short.get(hit.session.id, hit.session.id)} for hit in hits]
        print(json.dumps({"schema": 1, "sessions": found}, indent=2, default=msgspec.structs.asdict))
        return
    for hit in hits:
        said = hit.session
        key = short.get(said.id, said.id)
        print(terminal.bold(f"{key}  {day(hit.last_used_at)}  {shown(said.project or '-')}"))
        excerpts = [excerpt for excerpt in hit.excerpts if excerpt != said.title][:EXCERPTS]
        for indent, text in ((2, said.title), *((4, excerpt) for excerpt in excerpts)):
            print("\n".join(terminal.wrapped(" " * indent + shown(text), terminal.width(), indent)))
    if not hits:
        print("No session holds that.", file=sys.stderr)
        raise typer.Exit(1)
