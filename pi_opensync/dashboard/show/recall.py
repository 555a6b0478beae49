"""What was said in past sessions, for a model to read: as OpenSync's `/api/context` gives it.

The last messages of each session that was found, as one text or as messages.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pi_opensync.dashboard.db.readback import window
from pi_opensync.dashboard.show.document import Reading, text_of_message
from pi_opensync.sqlite import Row

FORMATS = ("text", "messages")
LAST = 10  # messages of a session; fewer where they are large


def as_text(reading: Reading, asked: str, sessions: Sequence[Row]) -> dict[str, Any]:
    """`{text, sessionCount}`."""
    pieces = [f'Relevant coding sessions for: "{asked}"\n\n']
    for session in sessions:
        pieces.append(f"--- Session: {session['title'] or 'Untitled'} ---\n")
        pieces.append(f"Project: {session['project_path'] or 'N/A'}\n")
        pieces.append(f"Model: {session['model'] or 'N/A'}\n\n")
        pieces += [f"[{role.upper()}]\n{text}\n\n" for role, text in _last(reading, session)]
        pieces.append("\n")
    return {"text": "".join(pieces), "sessionCount": len(sessions)}


def as_messages(reading: Reading, sessions: Sequence[Row]) -> dict[str, Any]:
    """`{messages: [{role, content, metadata: {sessionId, sessionTitle}}], sessionCount}`."""
    messages = [
        {"role": role, "content": text, "metadata": _of(session)}
        for session in sessions
        for role, text in _last(reading, session)
    ]
    return {"messages": messages, "sessionCount": len(sessions)}


def _of(session: Row) -> dict[str, str]:
    named = {"sessionTitle": session["title"]} if session["title"] else {}
    return {"sessionId": str(session["id"]), **named}


def _last(reading: Reading, session: Row) -> Iterator[tuple[str, str]]:
    with reading() as database:
        messages = window(database, session["id"], limit=LAST, at_end=True).messages
    for message in messages:
        yield message.row["role"], text_of_message(message)
