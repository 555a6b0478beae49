"""`pi-opensync show`: a session, as text, Markdown, JSON or a page."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from typing import Annotated

import msgspec
import typer

from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.cli.past import Past, read
from pi_opensync.cli.session_ids import one_session
from pi_opensync.errors import UsageError
from pi_opensync.opensync.transcribed import markdown
from pi_opensync.texts import shown

STYLE = "body{max-width:50rem;margin:2rem auto;font:1rem/1.5 system-ui}pre{white-space:pre-wrap}"

app = new_app()


@app.command(epilog="Example: pi-opensync show 5f0c2a3e --md > session.md")
def show(
    wanted: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="A session's id, its beginning, or a file.")
    ],
    as_markdown: Annotated[bool, typer.Option("--md", help="Print Markdown.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print an HTML page without scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """From pi's own files, with its tool calls and thinking; secrets are redacted."""
    if as_markdown + as_html + as_json > 1:
        raise UsageError("one of --md, --html and --json at a time")
    context = Context()
    found = list(read(context, [item.found for item in one_session(context, wanted) if item.leaves]))
    if not found:
        raise UsageError(f"{shown(wanted)} holds nothing that may be shown", hint="see `pi-opensync preview`")
    if as_json:
        report = {"schema": 1, "sessions": list(map(asdict, found))}
        print(json.dumps(report, indent=2, default=msgspec.structs.asdict))
        return
    for past in found:
        lines = html(past) if as_html else markdown(past.session, past.messages)
        for line in lines:
            print(line if as_markdown or as_html else shown(line))


def html(past: Past) -> Iterator[str]:
    """A page of its own; all that was said is text in it, and nothing can run."""
    title = escape(past.session.title)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{STYLE}</style>'
    yield f"<h1>{title}</h1><p>{escape(past.session.folder or '')} {escape(past.session.model or '')}</p>"
    for message in past.messages:
        yield f"<h2>{escape(message.role.capitalize())}</h2>"
        for piece in message.pieces:
            yield (
                f"<p><b>{escape(piece.name)}</b></p>" if piece.name else ""
            ) + f"<pre>{escape(piece.text)}</pre>"
    yield "</html>"
