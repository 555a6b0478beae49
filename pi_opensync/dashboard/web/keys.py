"""Who may come in: API keys for programs, and cookies for the browser, which a one-time link gives out."""

import hashlib
import secrets
import threading
from collections.abc import Callable

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

    def first_key(self) -> str | None:
        """Make the first key and return it; None if there is one already, which nobody can read back."""
        with self._connections.read() as database:
            if credentials.has_any_key(database):
                return None
        return self.issue("first")

    def issue(self, name: str) -> str:
        """Make another key. This is the only time that it can be read."""
        key = PREFIX + self._random()
        with self._connections.write() as database:
            credentials.add_key(database, _digest(key), name, self._now())
        return key

    def issue_for_this_run(self) -> str:
        """Return a key that is never stored and ends with this process, for a daemon in it."""
        key = PREFIX + self._random()
        with self._lock:
            self._of_this_run.add(_digest(key))
        return key

    def holds(self, key: str) -> bool:
        if not key.startswith(PREFIX):
            return False
        digest = _digest(key)
        with self._lock:
            if digest in self._of_this_run:
                return True
        with self._connections.read() as database:
            return credentials.has_key(database, digest)

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
