"""The tables, as named steps; each runs in the transaction that records its name."""

from pi_opensync.sqlite import Database
from pi_opensync.upgrades import Migration

APPLICATION_ID = 0x70694F53  # "piOS": tells our file from another program's


def transcripts_sessions_outbox(database: Database) -> None:
    for statement in _FIRST:
        database.run(statement)


def sessions_of_several_files(database: Database) -> None:
    """A session is the union of its files. All transcripts are read again from their start."""
    for statement in _SEVERAL_FILES:
        database.run(statement)


def titles_that_changed(database: Database) -> None:
    """A title that changes empties the session's search text on OpenSync."""
    # 1: its messages are to be put again
    database.run("ALTER TABLE sessions ADD COLUMN retitled INTEGER NOT NULL DEFAULT 0")
    # 1: it was put before the session's latest title
    database.run("ALTER TABLE messages ADD COLUMN unfound INTEGER NOT NULL DEFAULT 0")


def usage_by_quarter(database: Database) -> None:
    """What each session used, by model and quarter of an hour."""
    database.run(
        """
        CREATE TABLE usage (
            session_id INTEGER NOT NULL,
            at INTEGER NOT NULL,      -- the quarter's begin, in ms
            model TEXT NOT NULL,      -- '': the session's
            messages INTEGER NOT NULL,
            prompt INTEGER NOT NULL,
            completion INTEGER NOT NULL,
            cost REAL NOT NULL,
            cache_read INTEGER NOT NULL,
            cache_write INTEGER NOT NULL,
            PRIMARY KEY (session_id, at, model)
        ) WITHOUT ROWID
        """
    )


def messages_by_session(database: Database) -> None:
    """What is asked of a session, and of all that others sent, without a look at every message."""
    database.run("CREATE INDEX messages_by_session ON messages(session_id, bytes)")
    database.run("CREATE INDEX messages_held ON messages(session_id) WHERE held_as IS NOT NULL")


def asked_at_every_sweep(database: Database) -> None:
    """Few sessions hold copied entries, and few transcripts are excluded."""
    # x'90': no project, which is what most have
    database.run(
        "CREATE INDEX sessions_with_lineage ON sessions(id) WHERE lineage IS NOT NULL AND lineage <> x'90' "
        "AND excluded IS NULL"
    )
    database.run("CREATE INDEX transcripts_excluded ON transcripts(id) WHERE excluded IS NOT NULL")


MIGRATIONS: tuple[Migration, ...] = (
    transcripts_sessions_outbox,
    sessions_of_several_files,
    titles_that_changed,
    usage_by_quarter,
    messages_by_session,
    asked_at_every_sweep,
)

_FIRST = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """
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
    )
    """,
    "CREATE INDEX transcripts_by_inode ON transcripts(device, inode)",
    """
    CREATE TABLE oddities (           -- what was not understood
        transcript_id INTEGER NOT NULL,
        start INTEGER NOT NULL,
        stop INTEGER NOT NULL,
        kind TEXT NOT NULL,           -- "broken", or the unknown type
        count INTEGER NOT NULL,
        PRIMARY KEY (transcript_id, kind, start)
    ) WITHOUT ROWID
    """,
    """
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
    )
    """,
    "CREATE INDEX sessions_due ON sessions(due) WHERE due IS NOT NULL",
    "CREATE INDEX sessions_by_project ON sessions(project, excluded)",
    "CREATE INDEX sessions_by_guess ON sessions(guessed_parent) WHERE guessed_parent IS NOT NULL",
    "CREATE INDEX sessions_by_transcript ON sessions(transcript_id)",
    """
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
    )
    """,
    """
    CREATE INDEX messages_waiting ON messages(session_id, position, bytes)
        WHERE wanted IS NOT NULL AND parked IS NULL
    """,
    "CREATE INDEX messages_parked ON messages(session_id) WHERE parked IS NOT NULL",
    """
    CREATE TABLE seen (
        session_id INTEGER NOT NULL,
        entry_id TEXT NOT NULL,
        PRIMARY KEY (session_id, entry_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE calls (              -- tool calls without a result
        session_id INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        PRIMARY KEY (session_id, call_id, position)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX calls_by_message ON calls(message_id)",
)

_SEVERAL_FILES = (
    "ALTER TABLE transcripts DROP COLUMN copy_of",
    "ALTER TABLE transcripts DROP COLUMN copy_bytes",
    "ALTER TABLE transcripts ADD COLUMN latest_at INTEGER",  # of what was read, in ms
    # 1: it is read again together with the other files of its session, in the order of time
    "ALTER TABLE transcripts ADD COLUMN merging INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE transcripts ADD COLUMN odd TEXT",  # why what is in it belongs to no session
    "CREATE INDEX transcripts_odd ON transcripts(id) WHERE odd IS NOT NULL",
    "UPDATE transcripts SET cursor = NULL, offset = 0, at_end = 0, session_id = NULL WHERE excluded IS NULL",
    "ALTER TABLE sessions DROP COLUMN length",
    "ALTER TABLE sessions ADD COLUMN pi_id TEXT",  # the header's id, as it may be kept
    "ALTER TABLE sessions ADD COLUMN file_key TEXT",  # the end of its transcript's path
    "ALTER TABLE sessions ADD COLUMN first_entry TEXT",  # its first entry, to know copies by
    # 1: entries of it stand in no file any more, so it can not be read again
    "ALTER TABLE sessions ADD COLUMN is_rootless INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE sessions ADD COLUMN lineage BLOB",  # the projects that its copied entries came out of
    "ALTER TABLE sessions ADD COLUMN withheld_before INTEGER",  # in ms: older entries stay here
    "ALTER TABLE sessions ADD COLUMN is_subagent INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX sessions_by_file_key ON sessions(file_key)",
    "CREATE INDEX sessions_by_first_entry ON sessions(first_entry)",
    "UPDATE sessions SET state = NULL, generation = generation + 1",
    """
    CREATE TABLE holdings (               -- which files a session stands in
        session_id INTEGER NOT NULL,
        transcript_id INTEGER NOT NULL,
        PRIMARY KEY (session_id, transcript_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX holdings_by_transcript ON holdings(transcript_id)",
    "INSERT INTO holdings SELECT id, transcript_id FROM sessions",
    """
    CREATE TABLE left_out (               -- what was read and is not shown, by kind
        transcript_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (transcript_id, kind)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE delegations (            -- usage that counts until the subagent's own session is known
        session_id INTEGER NOT NULL,
        file_key TEXT NOT NULL,
        prompt INTEGER NOT NULL,
        completion INTEGER NOT NULL,
        cost REAL NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL
    )
    """,
    "CREATE INDEX delegations_by_session ON delegations(session_id)",
    "CREATE INDEX delegations_by_file ON delegations(file_key)",
    "ALTER TABLE seen ADD COLUMN shown TEXT",  # the nearest entry at or above it that shows something
    "DELETE FROM oddities",
    "DELETE FROM seen",
    "DELETE FROM calls",
    "UPDATE messages SET draft = NULL",
)
