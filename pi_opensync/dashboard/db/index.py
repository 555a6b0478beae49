"""The index of every word of every message: SQLite's FTS5, which finds them newest first."""

from pi_opensync.dashboard.db.contents import load_parts
from pi_opensync.dashboard.parts import Part, searchable
from pi_opensync.dashboard.query import Query
from pi_opensync.dashboard.snippets import CJK
from pi_opensync.sqlite import Database


def expression(query: Query, session_id: int | None = None) -> str:
    """The query as FTS5 wants it, within one session if one is given."""
    words = (f'"{_spaced(term.text)}"{" *" if term.begins else ""}' for term in query.terms)
    everywhere = f"body : ({' AND '.join(words)})"
    return everywhere if session_id is None else f"({everywhere}) AND scope : {_scope(session_id)}"


def learn_words(
    database: Database, message_id: int, session_id: int, text: str | None, parts: list[Part]
) -> None:
    database.run(
        "INSERT INTO search (rowid, body, scope) VALUES (?, ?, ?)",
        (message_id, _spaced(searchable(text, parts)), _scope(session_id)),
    )


def forget_words(
    database: Database, message_id: int, session_id: int, text: str | None, parts: list[Part]
) -> None:
    database.run(
        "INSERT INTO search (search, rowid, body, scope) VALUES ('delete', ?, ?, ?)",
        (message_id, _spaced(searchable(text, parts)), _scope(session_id)),
    )


def relearn_words(database: Database) -> None:
    """Make the index anew from all messages: `searchable` finds other words in them than it did."""
    database.run("INSERT INTO search (search) VALUES ('delete-all')")
    messages = database.each("SELECT id, session_id, text_content FROM messages ORDER BY id")
    for message_id, session_id, text in messages:
        learn_words(database, message_id, session_id, text, load_parts(database, message_id))


def _spaced(text: str) -> str:
    """Each sign of Chinese, Japanese and Korean is made a word, and a run of them a phrase."""
    return CJK.sub(r" \1 ", text)


def _scope(session_id: int) -> str:
    return f"session{session_id}"
