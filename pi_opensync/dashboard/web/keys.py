"""Who may come in: API keys for programs, and cookies for the browser, which a one-time link gives out."""

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pi_opensync.dashboard.db import credentials
from pi_opensync.dashboard.db.connections import Connections

PREFIX = "osk_"
LOGIN_TOKEN_MS = 10 * 60 * 1000
COOKIE_MS = 30 * 24 * 60 * 60 * 1000
_MAX_TOKENS = 100


def _random() -> str:
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> bytes:
    # The secrets are 256 random bits: there is nothing to guess, so no slow hash is needed.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class KeyHolder(Enum):
    """Whose key it is."""

    OWN_DAEMON = "own daemon"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that was made; `id` is its hash, `created_at` in ms."""

    id: str
    name: str
    created_at: int


class Keys:
    """Keys and cookies are stored as hashes; `now` gives ms, `random` a new secret."""

    def __init__(
        self, connections: Connections, *, now: Callable[[], int], random: Callable[[], str] = _random
    ) -> None:
        self._connections = connections
        self._now = now
        self._random = random
        self._lock = threading.Lock()
        self._of_this_run: set[bytes] = set()

    def issue(self, name: str) -> str:
        """Make a key. This is the only time that it can be read."""
        key = PREFIX + self._random()
        with self._connections.write() as database:
            credentials.add_key(database, _digest(key), name, self._now())
        return key

    def listed(self) -> list[KnownKey]:
        """Return the keys that there are, the oldest first; they themselves can not be read back."""
        with self._connections.read() as database:
            rows = credentials.keys(database)
        return [KnownKey(row["hash"].hex(), row["name"], row["created_at"]) for row in rows]

    def revoke(self, key_id: str) -> bool:
        """End a key by its id; whether there was one."""
        try:
            digest = bytes.fromhex(key_id)
        except ValueError:
            return False
        with self._connections.write() as database:
            return credentials.revoke_key(database, digest)

    def issue_for_this_run(self) -> str:
        """Return a key that is never stored and ends with this process, for a daemon in it."""
        key = PREFIX + self._random()
        with self._lock:
            self._of_this_run.add(_digest(key))
        return key

    def holder(self, key: str) -> KeyHolder | None:
        """Whose key it is; None if it is none of this server's."""
        if not key.startswith(PREFIX):
            return None
        digest = _digest(key)
        with self._lock:
            if digest in self._of_this_run:
                return KeyHolder.OWN_DAEMON
        with self._connections.read() as database:
            return KeyHolder.OTHER if credentials.has_key(database, digest) else None

    def holds(self, key: str) -> bool:
        return self.holder(key) is not None

    def login_token(self) -> str:
        """For `<url>/login?token=...`: good once, for ten minutes, at any server over this database."""
        token = self._random()
        now = self._now()
        with self._connections.write() as database:
            credentials.add_link(
                database, _digest(token), now=now, expires_at=now + LOGIN_TOKEN_MS, most=_MAX_TOKENS
            )
        return token

    def redeem(self, token: str) -> str | None:
        """Return a cookie for a login token, which is used up by this; None if it is not good (any more)."""
        digest = _digest(token)
        with self._connections.read() as database:
            end = credentials.link_end(database, digest)
        if end is None or end <= self._now():
            return None
        with self._connections.write() as database:
            is_first = credentials.use_up_link(database, digest)
        return self._cookie() if is_first else None

    def admit(self, key: str) -> str | None:
        """Return a cookie for someone who has a key."""
        return self._cookie() if self.holds(key) else None

    def knows(self, cookie: str) -> bool:
        with self._connections.read() as database:
            end = credentials.login_end(database, _digest(cookie))
        return end is not None and end > self._now()

    def forget(self, cookie: str) -> None:
        with self._connections.write() as database:
            credentials.forget_login(database, _digest(cookie))

    def _cookie(self) -> str:
        cookie = self._random()
        now = self._now()
        with self._connections.write() as database:
            credentials.add_login(database, _digest(cookie), now=now, expires_at=now + COOKIE_MS)
        return cookie
