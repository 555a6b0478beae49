"""Open transcripts whose lines are read together, in the order of time.

A session that several files hold is the union of their entries; so that it comes out the same in whatever
order they are met, their lines are taken as they were written, each file's in its own order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from pi_opensync.model import Broken, Header
from pi_opensync.pi import tail
from pi_opensync.pi.entries import Decoded, Entry, decode_line
from pi_opensync.pi.tail import Line, Piece, Signature
from pi_opensync.store.transcripts import Transcript


class Written(msgspec.Struct, frozen=True):
    """A line and what stands in it. `at` is the latest moment (ms) in the file up to here."""

    line: Line
    items: Sequence[Decoded]
    at: int


class Source:
    """One open file, read piece by piece from its transcript's cursor."""

    def __init__(
        self, transcript: Transcript, descriptor: int, signature: Signature, window: bytes | None
    ) -> None:
        """`window` are the bytes before the cursor, which holds."""
        self.transcript = transcript
        self.signature = signature
        self._descriptor = descriptor
        self._window = window
        self._piece = Piece([], transcript.cursor, at_end=False)
        self._taken = 0
        self._head: Written | None = None
        self._latest = transcript.latest_at or 0

    def head(self) -> Written | None:
        """The next line; None at the end of the file as it was opened."""
        if self._head is None and self._fill():
            line = self._piece.lines[self._taken]
            items = [Broken(0, line.length)] if line.data is None else decode_line(line.data)
            latest = self._latest
            for item in items:
                if isinstance(item, Entry) and item.timestamp is not None and item.timestamp > latest:
                    latest = item.timestamp
            self._head = Written(line, items, latest)
        return self._head

    def take(self) -> None:
        """Go past the next line."""
        if self._head is not None:
            self._latest = self._head.at
            self._head = None
            self._taken += 1

    def _fill(self) -> bool:
        if self._taken < len(self._piece.lines):
            return True
        if self._piece.at_end:
            return False
        self._piece = tail.read_piece(self._descriptor, self._piece.cursor, self.signature.size, self._window)
        self._window = None
        self._taken = 0
        return bool(self._piece.lines)

    @property
    def is_at_piece_end(self) -> bool:
        """Whether to go on takes another read."""
        return self._taken == len(self._piece.lines)

    @property
    def is_at_end(self) -> bool:
        return self._piece.at_end and self.is_at_piece_end

    def open_end(self) -> Line | None:
        """What stands behind the last newline."""
        return tail.unterminated(self._descriptor, self._piece.cursor, self.signature.size)

    def moved(self) -> Transcript:
        """The transcript with the cursor behind what was taken."""
        return replace(
            self.transcript,
            signature=self.signature,
            cursor=self._piece.cursor_after(self._taken),
            at_end=self.is_at_end,
            latest_at=self._latest or None,
            shrunk_at=None,
        )


def in_order(sources: Sequence[Source], budget: int) -> Iterator[tuple[Source, Written]]:
    """The next lines of all sources in the order of time, about `budget` bytes of them."""
    left = budget
    while left > 0:
        if len(sources) == 1:
            (source,) = sources
            head = source.head()
            if head is None:
                return
            yield source, head
            source.take()
            if source.is_at_piece_end:
                return
            left -= head.line.length + 1
            continue
        heads = [(source, head) for source in sources if (head := source.head()) is not None]
        if not heads:
            return
        source, head = min(heads, key=_order)
        yield source, head
        source.take()
        left -= head.line.length + 1


def _order(pair: tuple[Source, Written]) -> tuple[int, str, bytes]:
    """A header before all else; of one moment, entries by their ids."""
    source, head = pair
    named = next((item for item in head.items if not isinstance(item, Broken)), None)
    if named is None or isinstance(named, Header):
        return -1, "", source.transcript.path
    return head.at, named.id or "", source.transcript.path
