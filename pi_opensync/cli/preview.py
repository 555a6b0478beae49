"""`pi-opensync preview`: exactly what would be sent."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pi_opensync import settings
from pi_opensync.daemon import build as engine
from pi_opensync.errors import UsageError
from pi_opensync.inspect.dry import folded
from pi_opensync.inspect.preview import Preview, left_out, preview
from pi_opensync.pi import discover, tail
from pi_opensync.pi.entries import Broken, Entry, Header, decode_line
from pi_opensync.pi.parents import first_header
from pi_opensync.pi.tail import Signature
from pi_opensync.pi.translate import Options
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.projects import Policy
from pi_opensync.read.select import Wanted
from pi_opensync.store.database import open_beside
from pi_opensync.texts import shown


def run(wanted: str, *, as_json: bool) -> None:
    chosen = settings.load()
    folders = discover.roots(chosen.sessions_dir, os.environ, Path.cwd())
    listing = discover.files(folders)
    rules = engine.policy(chosen)
    files = _files(wanted, listing, rules)
    names = {item.path.rpartition(b"/")[2]: item.path for item in listing}
    options = Options(chosen.sync_tool_calls, chosen.sync_thinking)
    redactor = engine.redactor(chosen)
    found = Counter[str]() if redactor is None else redactor.found
    out: Counter[str] = Counter()
    for file in files:
        header = first_header(file.path)
        if header is None or rules.reason(header.cwd) is None:
            out += left_out(_items(file.path), options)
    with folded(
        files,
        folders,
        names,
        options,
        policy=rules,
        clean=Cleaner(redactor),
        now=time.time,
    ) as (database, problems):
        shown_now = preview(database, found, out, server_dated=_server_dated(chosen))
    for path, reason in problems.items():
        raise UsageError(f"{shown(os.fsdecode(path))} can not be read: {reason}")
    print(json.dumps(_as_json(shown_now), indent=2) if as_json else "\n".join(_lines(shown_now)))


def _files(wanted: str, listing: list[discover.Found], policy: Policy) -> list[discover.Found]:
    path = Path(wanted).expanduser()
    if path.is_file():
        absolute = os.fsencode(path.absolute())
        return [discover.Found(absolute, Signature.of(path.stat()))]
    chosen = Wanted(session=wanted).choose(listing, policy)
    if not chosen:
        raise UsageError(f"no session or file {shown(wanted)}", hint="`pi-opensync list` shows the sessions")
    return [item.found for item in chosen]


def _server_dated(chosen: settings.Settings) -> Callable[[str], bool]:
    """Whether a session goes without dates: each keeps the kind of date that it was begun with."""
    database = None
    if chosen.convex_url is not None:
        database = open_beside(settings.state_folder(chosen, chosen.convex_url))
    dates: dict[str, str] = {}
    if database is not None:
        dates = dict(database.execute("SELECT external_id, dates FROM sessions WHERE dates IS NOT NULL"))
        database.close()
    return lambda session: dates.get(session, chosen.timestamps) == "server"


def _items(path: bytes) -> Iterator[Entry | Header | Broken]:
    cursor = tail.START
    with tail.opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        while True:
            piece = tail.read_piece(descriptor, cursor, size)
            for line in piece.lines:
                yield from decode_line(line.data) if line.data is not None else [Broken(0, line.length)]
            cursor = piece.cursor
            if piece.at_end:
                return


def _as_json(shown_now: Preview) -> dict[str, Any]:
    return {
        "schema": 1,
        "sessions": [{"session": session, "messages": messages} for session, messages in shown_now.sessions],
        "redacted": shown_now.redacted,
        "leftOut": shown_now.left_out,
        "excluded": shown_now.excluded,
    }


def _lines(shown_now: Preview) -> Iterator[str]:
    for session, messages in shown_now.sessions:
        yield f"# {shown(session['title'])}"
        for name, value in session.items():
            if name != "title":
                yield f"{name}: {shown(str(value))}"
        for message in messages:
            yield ""
            yield f"## {message['role']}  {shown(message['externalId'])}"
            for part in message["parts"]:
                yield from _part(part)
        yield ""
    for reason in shown_now.excluded:
        yield f"Stays on this machine: {shown(reason)}"
    yield _counted("Redacted", shown_now.redacted)
    yield _counted("Left out", shown_now.left_out)


def _part(part: dict[str, Any]) -> Iterator[str]:
    content = part["content"]
    if part["type"] == "tool-call":
        args = json.dumps(content["args"], ensure_ascii=False)
        yield f"[tool call] {shown(content['toolName'])} {shown(args)}"
        return
    if part["type"] == "tool-result":
        yield "[tool result]"
    for line in content.split("\n"):
        yield shown(line)


def _counted(what: str, counts: dict[str, int]) -> str:
    listed = ", ".join(f"{count} {shown(name)}" for name, count in sorted(counts.items()))
    return f"{what}: {listed or 'nothing'}"
