"""`pi-opensync preview`: exactly what would be sent."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from pi_opensync.cli.context import Context
from pi_opensync.cli.options import AsJson, new_app
from pi_opensync.cli.session_ids import one_session
from pi_opensync.daemon.places import Place
from pi_opensync.errors import UsageError
from pi_opensync.files import at_home
from pi_opensync.inspect.outgoing import Preview, preview
from pi_opensync.opensync.summary import message_id
from pi_opensync.pi.discover import Found
from pi_opensync.pi.tail import Signature
from pi_opensync.store.views import dates
from pi_opensync.texts import shown

app = new_app()


@app.command(epilog="Example: pi-opensync preview 5f0c2a3e")
def show(
    wanted: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="A session's id, its beginning, or a file.")
    ],
    as_json: AsJson = False,
) -> None:
    run(wanted, as_json=as_json)


def run(wanted: str, *, as_json: bool) -> None:
    context = Context()
    place = next(iter(context.places), None)
    files = _files(wanted, context)
    found = Counter[str]() if context.redactor is None else context.redactor.found
    with context.folded(files, place) as (database, problems):
        seen = preview(database, found, server_dated=_server_dated(context, place))
    for path, reason in problems.items():
        raise UsageError(f"{shown(os.fsdecode(path))} can not be read: {reason}")
    if not seen.sessions and not seen.excluded:
        raise UsageError(f"{shown(wanted)} holds no session of pi's")
    print(json.dumps(_as_json(seen), indent=2) if as_json else "\n".join(_lines(seen)))


def _files(wanted: str, context: Context) -> list[Found]:
    path = at_home(wanted)
    if path.is_file():
        absolute = os.fsencode(path.absolute())
        return [Found(absolute, Signature.of(path.stat()))]
    return [item.found for item in one_session(context, wanted)]


def _server_dated(context: Context, place: Place | None) -> Callable[[str], bool]:
    """Whether a session goes without dates: each keeps the kind of date that it was begun with."""
    with context.beside(place) as database:
        known = {} if database is None else dates(database)
    new = "transcript" if place is not None and place.is_own else context.settings.timestamps
    return lambda session: known.get(session, new) == "server"


def _as_json(seen: Preview) -> dict[str, Any]:
    return {
        "schema": 1,
        "sessions": [{"session": session, "messages": messages} for session, messages in seen.sessions],
        "redacted": seen.redacted,
        "leftOut": seen.left_out,
        "excluded": seen.excluded,
    }


def _lines(seen: Preview) -> Iterator[str]:
    for session, messages in seen.sessions:
        yield f"# {shown(session['title'])}"
        for name, value in session.items():
            if name != "title":
                written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                yield f"{name}: {shown(written)}"
        for message in messages:
            yield ""
            yield f"## {message['role']}  {shown(message_id(message))}"
            for part in message["parts"]:
                yield from _part(part)
        yield ""
    for reason in seen.excluded:
        yield f"Stays on this machine: {shown(reason)}"
    yield _counted("Redacted", seen.redacted)
    yield _counted("Left out", seen.left_out)


def _part(part: dict[str, Any]) -> Iterator[str]:
    content = part["content"]
    if part["type"] == "image":
        yield "[image]"
        return
    if part["type"] == "tool-call":
        args = json.dumps(content["args"], ensure_ascii=False)
        yield f"[tool call] {shown(content['toolName'])} {shown(args)}"
        return
    if part["type"] == "tool-result":
        yield "[tool result]"
        content = content["text"] if isinstance(content, dict) else content
    for line in content.split("\n"):
        yield shown(line)


def _counted(what: str, counts: dict[str, int]) -> str:
    listed = ", ".join(f"{count} {shown(name)}" for name, count in sorted(counts.items()))
    return f"{what}: {listed or 'nothing'}"
