"""`pi-opensync mcp`: past sessions for agents, over the Model Context Protocol on stdin and stdout."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pi_opensync import __version__
from pi_opensync.cli import terminal
from pi_opensync.cli.booked import used
from pi_opensync.cli.context import Context
from pi_opensync.cli.options import new_app
from pi_opensync.cli.past import SessionHit, read, search, touching
from pi_opensync.cli.session_ids import one_session
from pi_opensync.cli.usage import chosen
from pi_opensync.errors import ConfigurationError, UsageError
from pi_opensync.fold import external_id
from pi_opensync.inspect.spending import By, usage
from pi_opensync.opensync.transcribed import markdown
from pi_opensync.read.select import Wanted
from pi_opensync.texts import day

if TYPE_CHECKING:
    from mcp.server import MCPServer

MOST = 20_000  # signs of a session that are read at once, unless more are asked for
EXCERPTS = 5  # of a session that was found
AT_A_TERMINAL = """\
An agent starts this and speaks to it; there is nothing to type here, and Ctrl-C ends it. Tell pi of it:
  pi mcp add --exposure direct sessions -- pi-opensync mcp"""
INSTRUCTIONS = (
    "The user's past sessions with the pi coding agent on this machine, read-only, secrets redacted. "
    "Search before asking the user what was done, decided or tried before; then read the session."
)

app = new_app()


@app.command(epilog="Example: pi-opensync mcp")
def serve() -> None:
    """Read-only, redacted, and without what you excluded. Your agent starts it.

    Tell pi of it: `pi mcp add --exposure direct sessions -- pi-opensync mcp`.
    """
    made = server()
    if sys.stdin.isatty():
        terminal.say(AT_A_TERMINAL, out=sys.stderr)
    made.run("stdio")


def server() -> "MCPServer[Any]":
    """The server with its tools. Raises `ConfigurationError` where the package is not installed."""
    try:
        from mcp.server import MCPServer
        from mcp.types import ToolAnnotations
    except ImportError:
        raise ConfigurationError(
            "the package mcp is not installed",
            hint="pip install 'pi-opensync[mcp]', or as it was installed: uv tool install 'pi-opensync[mcp]'",
        ) from None
    made: MCPServer[Any] = MCPServer(
        "pi-opensync", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR"
    )
    harmless = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    for tool in (search_sessions, read_session, list_sessions, sessions_touching_file, sum_up_usage):
        made.tool(annotations=harmless)(tool)
    return made


def search_sessions(
    words: Annotated[list[str], "all of them must stand in one message"],
    project: Annotated[str | None, "the project's folder; also those below it"] = None,
    since: Annotated[str | None, "30d, 12h or a date"] = None,
    limit: int = 10,
) -> list[dict[str, Any]]:
    """Find past sessions by what was said in them, the latest used first, with excerpts."""
    wanted = _wanted(project=project, since=since)
    return [_hit(hit) for hit in search(Context(), words, wanted, limit=limit)]


def read_session(
    session: Annotated[str, "its id, or the beginning of it"],
    start: Annotated[int, "the character to begin at, as the end of the piece before says"] = 0,
    most: Annotated[int, "characters to read"] = MOST,
) -> str:
    """Read a past session as Markdown, a piece at a time."""
    context = Context()
    files = [item.found for item in one_session(context, session) if item.leaves]
    text = "\n\n".join("\n".join(markdown(past.session, past.messages)) for past in read(context, files))
    if not text:
        raise UsageError(f"{session} holds nothing that may be read")
    end = start + max(1, most)
    more = f"\n\n[{len(text) - end} more characters; go on with start={end}]" if len(text) > end else ""
    return text[max(0, start) : end] + more


def list_sessions(
    project: Annotated[str | None, "the project's folder; also those below it"] = None,
    since: Annotated[str | None, "30d, 12h or a date"] = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """List past sessions, the latest used first."""
    context = Context()
    titles = {one.said.id: one.said.title for one in used(context.states)}
    found: list[dict[str, Any]] = []
    for item in context.sessions(_wanted(project=project, since=since)):
        if item.leaves and item.header is not None and len(found) < limit:
            key = external_id(item.header)
            folder = context.cleaner.or_withheld(item.header.cwd or "")
            found.append(
                {"id": key, "title": titles.get(key), "project": folder, "lastUsed": day(item.last_at)}
            )
    return found


def sessions_touching_file(
    path: Annotated[str, "a file's path, or the end of it"],
    project: Annotated[str | None, "the project's folder; also those below it"] = None,
    limit: int = 10,
) -> list[dict[str, Any]]:
    """Find past sessions in which a tool was given this file, the latest used first."""
    return [_hit(hit) for hit in touching(Context(), path, _wanted(project=project), limit)]


def sum_up_usage(
    period: Literal["daily", "weekly", "monthly"] = "daily",
    since: Annotated[str | None, "30d, 12h or a date"] = "30d",
    by: By | None = None,
) -> list[dict[str, Any]]:
    """Tokens and US dollars of past sessions; each message counts on the day when it was said."""
    wanted = chosen(used(Context().states), since=since, until=None, project=None, model=None)
    return [asdict(row) for row in usage(wanted, period, by)]


def _wanted(*, project: str | None, since: str | None = None) -> Wanted:
    folder = None if project is None else Path(project)
    return Wanted.parse(since=since, until=None, project=folder, session=None, limit=None)


def _hit(hit: SessionHit) -> dict[str, Any]:
    said = hit.session
    return {
        "id": said.id,
        "title": said.title,
        "project": said.folder,
        "model": said.model,
        "lastUsed": day(hit.last_used_at),
        "excerpts": list(hit.excerpts[:EXCERPTS]),
    }
