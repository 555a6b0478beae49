"""What the files that were read looked like then."""

from collections.abc import Iterable

from pi_opensync.pi.tail import Signature


class Signatures:
    """The signatures of files, by path, in little memory: 64 bits of either are kept.

    The hash of bytes is keyed anew in each process (PEP 456), so what differs is told apart but for one
    time in 2**64, which nobody can bring about.
    """

    def __init__(self, known: Iterable[tuple[bytes, Signature]] = ()) -> None:
        self._known = {hash(path): hash(signature.packed()) for path, signature in known}

    def has(self, path: bytes, signature: Signature) -> bool:
        """Whether the file looked so when it was read."""
        return self._known.get(hash(path)) == hash(signature.packed())

    def keep(self, path: bytes, signature: Signature) -> None:
        self._known[hash(path)] = hash(signature.packed())

    def forget(self, path: bytes) -> None:
        """Let the file be new."""
        self._known.pop(hash(path), None)
