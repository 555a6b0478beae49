"""The index of every word of every message: SQLite's FTS5, which finds them newest first.

It knows which messages hold a word, not where: places would make it five times as large. What asks for more
than words is looked at in the texts of what the words were found in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pi_opensync.dashboard.db.contents import StoredContent, unpack
from pi_opensync.dashboard.folding import fold, is_word, spaced
from pi_opensync.dashboard.parts import searchable
from pi_opensync.dashboard.query import Query, Term
from pi_opensync.sqlite import Database

TABLE = """
CREATE VIRTUAL TABLE search USING fts5(
    body, content='', columnsize=0, detail=none,
    tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
)
"""

# Facts about a message stand in the index as words that begin with a sign of private use.
_SESSION, _ROLE, _TOOL, _ERROR = "\ue001", "\ue002", "\ue003", "\ue004"


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What the index is told of a message."""

    id: int
    session_id: int
    role: str
    content: StoredContent

    @property
    def body(self) -> str:
        facts = [f"{_SESSION}{self.session_id}", f"{_ROLE}{self.role}"]
        facts += sorted({_TOOL + tool_word(run.call.name) for run in self.content.runs})
        facts += [_ERROR] if has_error(self.content) else []
        words = spaced(fold(searchable(self.content.text, self.content.parts)))
        return f"{words}\n{' '.join(facts)}"


def has_error(content: StoredContent) -> bool:
    """Whether a tool failed in it, or the answer did."""
    last = (content.text or "").rpartition("\n")[2]
    return any(run.failed for run in content.runs) or last.startswith("[error")


def tool_word(name: str) -> str:
    return "".join(char for char in fold(name) if is_word(char))


def learn(database: Database, entry: IndexEntry) -> None:
    database.run("INSERT INTO search (rowid, body) VALUES (?, ?)", (entry.id, entry.body))


def forget(database: Database, entry: IndexEntry) -> None:
    """Take a message out: the index must be given the words that it was told."""
    database.run("INSERT INTO search (search, rowid, body) VALUES ('delete', ?, ?)", (entry.id, entry.body))


def relearn(database: Database) -> None:
    """Make the index anew from all messages; whoever changes what it is told of one adds a migration."""
    database.run("DROP TABLE IF EXISTS search")
    database.run(TABLE)
    for message_id, session_id, role, body in database.each(
        "SELECT id, session_id, role, body FROM messages ORDER BY id"
    ):
        learn(database, IndexEntry(message_id, session_id, role, unpack(body)))


def expression(query: Query, session_id: int | None = None) -> str:
    """The query as FTS5 wants it, within one session if one is given; nothing if it asks for no word."""
    tests = ["(" + " OR ".join(f"({_all(term.words)})" for term in group) + ")" for group in query.groups]
    tests += [_all([_SESSION + str(session_id)])] if session_id is not None else []
    left_out = [_all(term.words) for term in query.without if len(term.words) == 1 and term.is_exact]
    for name, mark in (("role", _ROLE), ("tool", _TOOL)):
        given = [each for each in query.filters if each.name == name]
        wanted = [mark + tool_word(each.value) for each in given if not each.excludes]
        if wanted:
            tests.append("(" + " OR ".join(_all([word]) for word in wanted) + ")")
        left_out += [_all([mark + tool_word(each.value)]) for each in given if each.excludes]
    for each in query.filters:
        if (each.name, each.value) == ("is", "error"):
            (left_out if each.excludes else tests).append(_all([_ERROR]))
        elif each.name == "file" and not each.excludes:
            tests += [_all(Term(each.value, begins=True).words)] if Term(each.value).words else []
    if not tests:
        return ""
    return f"({' AND '.join(tests)})" + "".join(f" NOT {each}" for each in left_out)


def _all(words: Sequence[str]) -> str:
    return " AND ".join(f'"{word[:-1]}" *' if word.endswith("*") else f'"{word}"' for word in words)
