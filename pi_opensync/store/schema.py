"""The tables, as named migrations that run in the transaction that records them."""

import sqlite3

APPLICATION_ID = 0x70694F53  # "piOS": tells our file from another program's

MIGRATIONS: tuple[tuple[str, str], ...] = (
    (
        "0001 transcripts, sessions, outbox",
        """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

        CREATE TABLE transcripts (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            signature BLOB NOT NULL,      -- of the file when it was last opened, or first seen
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            followed INTEGER NOT NULL,    -- 0: was there before the first start, unchanged since
            at_end INTEGER NOT NULL DEFAULT 0,  -- 1: all complete lines below size were read
            offset INTEGER NOT NULL DEFAULT 0,
            cursor BLOB,
            session_id INTEGER,           -- under the cursor; NULL: what comes belongs to none
            copy_of INTEGER,              -- the session in it that another file holds more of
            copy_bytes INTEGER NOT NULL DEFAULT 0,  -- of that session, read here
            excluded TEXT,                -- why it is not read past its header
            excluded_project TEXT,
            shrunk_at REAL,               -- first seen shorter than what was read
            problem TEXT
        );
        CREATE INDEX transcripts_by_inode ON transcripts(device, inode);

        CREATE TABLE oddities (           -- what was not understood
            transcript_id INTEGER NOT NULL,
            start INTEGER NOT NULL,
            stop INTEGER NOT NULL,
            kind TEXT NOT NULL,           -- "broken", or the unknown type
            count INTEGER NOT NULL,
            PRIMARY KEY (transcript_id, kind, start)
        ) WITHOUT ROWID;

        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            external_id TEXT NOT NULL UNIQUE,
            transcript_id INTEGER NOT NULL,  -- the file that it is read from
            length INTEGER NOT NULL DEFAULT 0,  -- bytes of it that were read there
            generation INTEGER NOT NULL,  -- grows when it is read again from the start
            project TEXT,                 -- the folder that says whether it may leave; never sent from here
            excluded TEXT,                -- why it stays on this machine
            guessed_parent TEXT,          -- the name of the parent's file, where it could not be read
            state BLOB,                   -- NULL: to be begun again at its header
            wanted BLOB NOT NULL,         -- the payload
            wanted_digest BLOB NOT NULL,
            acked_digest BLOB,
            acked_key BLOB,               -- of the fields that OpenSync compares within its window
            attempted_digest BLOB,        -- set before the first request that carries it
            dates TEXT,                   -- whose dates it was begun with: transcript, server
            origin TEXT,                  -- new; known: it was there before us; read: so, and read back
            server_id TEXT,
            sent_at REAL,                 -- last session request, our clock
            written_at REAL,              -- last write to it on the server, the server's clock
            failures INTEGER NOT NULL DEFAULT 0,
            next_try REAL NOT NULL DEFAULT 0,
            parked TEXT,
            due REAL,                     -- when delivery is to look at it; NULL: nothing to do
            live INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX sessions_due ON sessions(due) WHERE due IS NOT NULL;
        CREATE INDEX sessions_by_project ON sessions(project, excluded);
        CREATE INDEX sessions_by_guess ON sessions(guessed_parent) WHERE guessed_parent IS NOT NULL;
        CREATE INDEX sessions_by_transcript ON sessions(transcript_id);

        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL,
            external_id TEXT NOT NULL UNIQUE,
            generation INTEGER NOT NULL,
            position INTEGER NOT NULL,
            created_at INTEGER NOT NULL,  -- Unix milliseconds
            wanted BLOB,                  -- the payload; NULL once acknowledged
            bytes INTEGER NOT NULL,
            wanted_digest BLOB NOT NULL,
            acked_digest BLOB,
            acked_at REAL,                -- the server's clock
            attempted_digest BLOB,        -- set before the first request that carries it
            failures INTEGER NOT NULL DEFAULT 0,
            next_try REAL NOT NULL DEFAULT 0,
            parked TEXT,
            checked INTEGER NOT NULL DEFAULT 0,  -- 1: looked for where somebody else sent the session
            held_as TEXT,                 -- the id under which somebody else's message counts as this one
            draft BLOB                    -- the message itself while calls of it wait for results
        );
        CREATE INDEX messages_waiting ON messages(session_id, position, bytes)
            WHERE wanted IS NOT NULL AND parked IS NULL;
        CREATE INDEX messages_parked ON messages(session_id) WHERE parked IS NOT NULL;

        CREATE TABLE seen (
            session_id INTEGER NOT NULL,
            entry_id TEXT NOT NULL,
            PRIMARY KEY (session_id, entry_id)
        ) WITHOUT ROWID;

        CREATE TABLE calls (              -- tool calls without a result
            session_id INTEGER NOT NULL,
            call_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            message_id INTEGER NOT NULL,
            PRIMARY KEY (session_id, call_id, position)
        ) WITHOUT ROWID;
        CREATE INDEX calls_by_message ON calls(message_id);
        """,
    ),
)
NEWEST = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; each step in a transaction of its own that also records it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, (_name, script) in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def _statements(script: str) -> list[str]:
    statements: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line.partition("--")[0] + "\n"
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return statements
