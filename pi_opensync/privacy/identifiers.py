"""Ids that a user chose, as they may leave: one that holds a secret is replaced, the same way everywhere."""

import functools
import hashlib

SHORTEST = 16  # characters; no secret that is known by its form alone is shorter
_SALT = b"pi-opensync: a session's id"
_ROUNDS = 100_000


@functools.lru_cache(maxsize=4096)
def public(identifier: str) -> str:
    """The id, or what always stands for it where the built-in rules find a secret in it.

    It does not depend on settings, place or time, so that a session keeps its id, and its forks name it.
    """
    if len(identifier) < SHORTEST or not _holds_a_secret(identifier):
        return identifier
    data = identifier.encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", data, _SALT, _ROUNDS, dklen=8).hex()


def _holds_a_secret(text: str) -> bool:
    from pi_opensync.privacy.redact import OverBudget, Redactor  # noqa: PLC0415 - few ids need the rules

    try:
        return bool(Redactor().scan(text)[1])
    except OverBudget:
        return True
