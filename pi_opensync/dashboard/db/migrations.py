"""The named steps that lead to the tables of today."""

import json
from contextlib import suppress

from pi_opensync.dashboard import project_names
from pi_opensync.dashboard.db import counts, index
from pi_opensync.dashboard.db.bookings import rebook
from pi_opensync.dashboard.db.contents import StoredContent, pack
from pi_opensync.dashboard.db.layout import (
    BOOKED,
    DELETED,
    KEPT_OF_MESSAGES,
    MESSAGES,
    MESSAGES_WITH_PARTS,
    NOTED,
    SESSIONS,
    SPENT,
    TOOLS,
    TOUCHED,
    USAGE,
)
from pi_opensync.dashboard.folding import fold
from pi_opensync.dashboard.parts import StoredPart
from pi_opensync.sqlite import Database, StoreUnavailable
from pi_opensync.upgrades import Migration, applied, migrate

APPLICATION_ID = 0x70694F44  # "piOD"


def sessions_messages_parts_and_search(database: Database) -> None:
    for statement in (
        SESSIONS,
        "CREATE INDEX sessions_by_update ON sessions (updated_at DESC, id DESC)",
        "CREATE INDEX sessions_by_family ON sessions (root_id, active_at, source, project_name, model)",
        "CREATE INDEX sessions_by_source ON sessions (source)",
        "CREATE INDEX sessions_by_project ON sessions (project_name)",
        "CREATE INDEX sessions_by_model ON sessions (model)",
        "CREATE INDEX sessions_by_parent ON sessions (parent_id)",
        "CREATE INDEX sessions_by_parent_name ON sessions (parent_external_id)",
        "CREATE INDEX sessions_by_fork_prefix ON sessions (fork_prefix)",
        MESSAGES,
        "CREATE INDEX messages_by_session ON messages (session_id, id)",
        "CREATE INDEX messages_by_revision ON messages (session_id, revision)",
        """
        CREATE TABLE parts (
            message_id INTEGER NOT NULL REFERENCES messages (id),
            position INTEGER NOT NULL,
            type TEXT NOT NULL,
            content TEXT NOT NULL,
            UNIQUE (message_id, position)
        )
        """,
        """
        CREATE TABLE activity (
            session_id INTEGER NOT NULL REFERENCES sessions (id),
            slot INTEGER NOT NULL,
            messages INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            PRIMARY KEY (session_id, slot)
        ) WITHOUT ROWID
        """,
        """
        CREATE VIRTUAL TABLE search USING fts5(
            body, scope, content='', columnsize=0, prefix='3 4', tokenize="unicode61 remove_diacritics 2"
        )
        """,
        "CREATE TABLE revision (value INTEGER NOT NULL)",
        "INSERT INTO revision VALUES (0)",
    ):
        database.run(statement)


def keys_and_logins(database: Database) -> None:
    database.run("CREATE TABLE keys (hash BLOB PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL)")
    database.run("CREATE TABLE logins (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL)")


def login_links(database: Database) -> None:
    """Any process of this user may make them."""
    database.run("CREATE TABLE links (hash BLOB PRIMARY KEY, expires_at INTEGER NOT NULL)")


def words_of_other_tool_calls(database: Database) -> None:
    """Plugins name or shape tool calls otherwise. The index is made anew by a later step."""
    del database


def messages_hold_their_parts(database: Database) -> None:
    """Text and parts of a message are one compressed value, and it knows its place in pi's tree."""
    for name in ("messages_by_session", "messages_by_revision"):
        database.run(f"DROP INDEX {name}")
    database.run("ALTER TABLE messages RENAME TO old_messages")
    database.run(MESSAGES_WITH_PARTS)
    database.run("CREATE INDEX messages_by_session ON messages (session_id, id)")
    database.run("CREATE INDEX messages_by_revision ON messages (session_id, revision)")
    kept = ", ".join(KEPT_OF_MESSAGES)
    marks = ", ".join("?" * (len(KEPT_OF_MESSAGES) + 1))
    for row in database.each(f"SELECT {kept}, text_content FROM old_messages"):
        parts = database.rows(
            "SELECT type, content FROM parts WHERE message_id = ? ORDER BY position", (row["id"],)
        )
        content = StoredContent(
            row["text_content"], [StoredPart(kind, json.loads(said)) for kind, said in parts]
        )
        database.run(
            f"INSERT INTO messages ({kept}, body) VALUES ({marks})",
            (*(row[name] for name in KEPT_OF_MESSAGES), pack(content)),
        )
    database.run("DROP TABLE parts")
    database.run("DROP TABLE old_messages")


def numbers_by_message(database: Database) -> None:
    """What each model was asked for, and each tool, in each quarter of an hour; projects by their paths."""
    for statement in (
        "ALTER TABLE sessions ADD COLUMN project TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sessions ADD COLUMN said TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sessions ADD COLUMN is_subagent INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN file TEXT",
        "DROP INDEX sessions_by_family",
        "DROP INDEX sessions_by_project",
        "CREATE INDEX sessions_by_family ON sessions (root_id, active_at, source, project, model)",
        "CREATE INDEX sessions_by_project ON sessions (project)",
        "DROP TABLE activity",
        USAGE,
        SPENT,
        "CREATE INDEX spent_by_session ON spent (session_id)",
        TOOLS,
        TOUCHED,
        "CREATE INDEX touched_by_session ON touched (session_id)",
    ):
        database.run(statement)
    sessions = database.rows("SELECT id, title, project_path, project_name FROM sessions")
    keys = {row["id"]: project_names.key_of(row["project_path"], row["project_name"]) for row in sessions}
    database.run_many(
        "UPDATE sessions SET project = ?, said = ? WHERE id = ?",
        [(keys[row["id"]], fold(f"{row['title'] or ''} {keys[row['id']]}"), row["id"]) for row in sessions],
    )
    for row in sessions:
        counts.recount(database, row["id"])


def index_of_folded_words(database: Database) -> None:
    """The index holds words as they are compared, and facts, without places."""
    index.relearn(database)


def sessions_by_activity(database: Database) -> None:
    """The list's first page is read without the others."""
    database.run("CREATE INDEX sessions_by_activity ON sessions (active_at DESC, root_id DESC)")


def what_readers_keep(database: Database) -> None:
    """A star, tags as a list in JSON, a note, and whether a session is hidden."""
    database.run(NOTED)


def times_of_tools(database: Database) -> None:
    """How long tools ran. What came before is sent again by the daemon, which reads it anew."""
    for column in ("timed", "duration_ms"):
        _add_column(database, "tools", f"{column} INTEGER NOT NULL DEFAULT 0")


def machines(database: Database) -> None:
    """The name of the machine that a session was written on."""
    database.run("ALTER TABLE sessions ADD COLUMN machine TEXT")
    database.run("CREATE INDEX sessions_by_machine ON sessions (machine)")


def repositories(database: Database) -> None:
    """The repository that a session's project is a worktree of."""
    database.run("ALTER TABLE sessions ADD COLUMN repository TEXT")
    database.run("CREATE INDEX sessions_by_repository ON sessions (repository)")


def what_was_deleted(database: Database) -> None:
    """The sessions that a reader deleted here: they are not taken again."""
    database.run(DELETED)


def numbers_as_booked(database: Database) -> None:
    """What each session took, worked out once: the numbers only add it up."""
    database.run(BOOKED)
    rebook(database, [row["id"] for row in database.rows("SELECT id FROM sessions")])


def titles_in_an_index(database: Database) -> None:
    """Titles and projects are searched without a look at their sessions."""
    database.run("CREATE INDEX sessions_by_what_is_said ON sessions (active_at DESC, said, created_at)")


def _add_column(database: Database, table: str, column: str) -> None:
    """Add it where the table was made before it had it."""
    name = column.partition(" ")[0]
    if all(row["name"] != name for row in database.rows(f"PRAGMA table_info({table})")):
        database.run(f"ALTER TABLE {table} ADD COLUMN {column}")


MIGRATIONS: tuple[Migration, ...] = (
    sessions_messages_parts_and_search,
    keys_and_logins,
    login_links,
    words_of_other_tool_calls,
    messages_hold_their_parts,
    numbers_by_message,
    index_of_folded_words,
    sessions_by_activity,
    what_readers_keep,
    times_of_tools,
    machines,
    what_was_deleted,
    repositories,
    numbers_as_booked,
    titles_in_an_index,
)

# Under these names files record the steps that ran before steps were functions.
_FORMER_NAMES = {
    "sessions, messages, parts and their search index": "sessions_messages_parts_and_search",
    "keys and browser logins": "keys_and_logins",
    "links into the pages, which any process of this user may make": "login_links",
    "the words of tool calls that plugins name or shape otherwise": "words_of_other_tool_calls",
}


def bring_up_to_date(database: Database) -> list[str]:
    """Make or change the tables; returns the names of the steps that ran. Raises as `sqlite.migrate`."""
    _rename_steps(database)
    ran = migrate(database, MIGRATIONS, APPLICATION_ID)
    if index_of_folded_words.__name__ in ran and database.one("SELECT 1 FROM messages LIMIT 1"):
        with suppress(StoreUnavailable):  # as on a full disk: the file stays as large as it was
            database.run("VACUUM")
    return ran


def is_up_to_date(database: Database) -> bool:
    names = [step.__name__ for step in MIGRATIONS]
    return applied(database, names, APPLICATION_ID) == set(names)


def _rename_steps(database: Database) -> None:
    if database.one("SELECT 1 FROM sqlite_master WHERE name = 'migrations'") is None:
        return
    known = {row[0] for row in database.rows("SELECT name FROM migrations")}
    if known.isdisjoint(_FORMER_NAMES):
        return
    with database.transaction():
        database.run_many(
            "UPDATE migrations SET name = ? WHERE name = ?",
            [(name, former) for former, name in _FORMER_NAMES.items()],
        )
