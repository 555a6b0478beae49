"""The tables of the dashboard, as the steps in `migrations` make them."""

# A message's id is its createdAt in ms shifted left by this many bits, plus a running number. Ids so sort by
# time, within a session and over all of them, and a search can stop at its first page of newest hits.
ID_BITS = 16

SESSIONS = """
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

MESSAGES = """
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


KEPT_OF_MESSAGES = (
    "id",
    "session_id",
    "external_id",
    "role",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cost",
    "duration_ms",
    "created_at",
    "revision",
    "size",
)

MESSAGES_WITH_PARTS = """
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    external_id TEXT NOT NULL,
    role TEXT NOT NULL,
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
    entry_id TEXT,
    parent_entry_id TEXT,
    body BLOB NOT NULL,
    UNIQUE (session_id, external_id)
)
"""

USAGE = """
CREATE TABLE usage (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    slot INTEGER NOT NULL,
    model TEXT NOT NULL,
    is_copied INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cache_known_tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    PRIMARY KEY (session_id, slot, model, is_copied)
) WITHOUT ROWID
"""

SPENT = """
CREATE TABLE spent (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    at INTEGER NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost REAL NOT NULL
)
"""

TOOLS = """
CREATE TABLE tools (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    slot INTEGER NOT NULL,
    tool TEXT NOT NULL,
    calls INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    timed INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, slot, tool)
) WITHOUT ROWID
"""

TOUCHED = """
CREATE TABLE touched (
    path TEXT NOT NULL,
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    kinds INTEGER NOT NULL,
    PRIMARY KEY (path, session_id)
) WITHOUT ROWID
"""

NOTED = """
CREATE TABLE noted (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id),
    is_starred INTEGER NOT NULL,
    is_hidden INTEGER NOT NULL,
    tags TEXT NOT NULL,
    note TEXT NOT NULL
)
"""

DELETED = """
CREATE TABLE deleted (
    external_id TEXT PRIMARY KEY,
    session_id INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL
) WITHOUT ROWID
"""

BOOKED = """
CREATE TABLE booked (
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    slot INTEGER NOT NULL,
    model TEXT NOT NULL,
    kind INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    prompt REAL NOT NULL,
    completion REAL NOT NULL,
    cache_read REAL NOT NULL,
    cache_write REAL NOT NULL,
    cache_known REAL NOT NULL,
    cost REAL NOT NULL,
    PRIMARY KEY (session_id, slot, model, kind)
) WITHOUT ROWID
"""
