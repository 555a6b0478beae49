"""The hashes of keys, of browser logins and of the links that lead to one."""

from pi_opensync.sqlite import Database, Row


def has_key(database: Database, digest: bytes) -> bool:
    return database.one("SELECT 1 FROM keys WHERE hash = ?", digest) is not None


def add_key(database: Database, digest: bytes, name: str, now: int) -> None:
    database.run("INSERT INTO keys VALUES (?, ?, ?)", (digest, name, now))


def keys(database: Database) -> list[Row]:
    """Return (hash, name, created_at) of all keys, the oldest first."""
    return database.rows("SELECT hash, name, created_at FROM keys ORDER BY created_at, rowid")


def revoke_key(database: Database, digest: bytes) -> bool:
    """Whether there was such a key."""
    return database.run("DELETE FROM keys WHERE hash = ?", (digest,)) == 1


def add_link(database: Database, digest: bytes, *, now: int, expires_at: int, most: int) -> None:
    """Keep a link until then; the oldest give way where there are more than `most`."""
    database.run("DELETE FROM links WHERE expires_at <= ?", (now,))
    database.run(
        "DELETE FROM links WHERE hash IN "
        "(SELECT hash FROM links ORDER BY expires_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
        (most - 1,),
    )
    database.run("INSERT INTO links VALUES (?, ?)", (digest, expires_at))


def link_end(database: Database, digest: bytes) -> int | None:
    """When a link ends, in ms; None where it was used or never made."""
    end: int | None = database.one("SELECT expires_at FROM links WHERE hash = ?", digest)
    return end


def use_up_link(database: Database, digest: bytes) -> bool:
    """Whether it was there to be used: of several that try at once, one wins."""
    return database.run("DELETE FROM links WHERE hash = ?", (digest,)) == 1


def add_login(database: Database, digest: bytes, *, now: int, expires_at: int) -> None:
    database.run("DELETE FROM logins WHERE expires_at <= ?", (now,))
    database.run("INSERT INTO logins VALUES (?, ?)", (digest, expires_at))


def login_end(database: Database, digest: bytes) -> int | None:
    end: int | None = database.one("SELECT expires_at FROM logins WHERE hash = ?", digest)
    return end


def forget_login(database: Database, digest: bytes) -> None:
    database.run("DELETE FROM logins WHERE hash = ?", (digest,))
