"""The tables of the local OpenSync and the named steps that lead to them."""

from pi_opensync.dashboard.db.index import relearn_words
from pi_opensync.sqlite import Database, Migration, migrate

APPLICATION_ID = 0x70694F44  # "piOD"

# A message's id is its createdAt in ms shifted left by this many bits, plus a running number. Ids so sort by
# time, within a session and over all of them, and a search can stop at its first page of newest hits.
ID_BITS = 16

# Activity is counted in quarters of an hour, the finest step that time zones differ by.
SLOT_MS = 15 * 60 * 1000

_SESSIONS = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    title TEXT,
    project_path TEXT,
    project_name TEXT,
    model TEXT,
    provider TEXT,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    cost REAL NOT NULL DEFAULT 0,
    duration_ms INTEGER,
    message_count INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    is_dated INTEGER NOT NULL,
    active_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    parent_external_id TEXT,
    fork_prefix TEXT,
    parent_id INTEGER REFERENCES sessions (id),
    root_id INTEGER NOT NULL
)
"""

_MESSAGES = """
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    external_id TEXT NOT NULL,
    role TEXT NOT NULL,
    text_content TEXT,
    model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    cost REAL,
    duration_ms INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    size INTEGER NOT NULL,
    UNIQUE (session_id, external_id)
)
"""


def sessions_messages_parts_and_search(database: Database) -> None:
    for statement in (
        _SESSIONS,
        "CREATE INDEX sessions_by_update ON sessions (updated_at DESC, id DESC)",
        "CREATE INDEX sessions_by_family ON sessions (root_id, active_at, source, project_name, model)",
        "CREATE INDEX sessions_by_source ON sessions (source)",
        "CREATE INDEX sessions_by_project ON sessions (project_name)",
        "CREATE INDEX sessions_by_model ON sessions (model)",
        "CREATE INDEX sessions_by_parent ON sessions (parent_id)",
        "CREATE INDEX sessions_by_parent_name ON sessions (parent_external_id)",
        "CREATE INDEX sessions_by_fork_prefix ON sessions (fork_prefix)",
        _MESSAGES,
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
        # No second copy of the text: a row is taken out by giving the index its old words again, so
        # whoever changes `searchable` in parts.py adds a migration that rebuilds this table.
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
    """Plugins name or shape tool calls otherwise; their words are found since."""
    relearn_words(database)


MIGRATIONS: tuple[Migration, ...] = (
    sessions_messages_parts_and_search,
    keys_and_logins,
    login_links,
    words_of_other_tool_calls,
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
    return migrate(database, MIGRATIONS, APPLICATION_ID)


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
