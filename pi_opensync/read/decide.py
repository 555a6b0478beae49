"""What is to be done with a transcript that changed. Pure: what is known and seen in, one case out."""

from dataclasses import dataclass

from pi_opensync.model import Header
from pi_opensync.pi.tail import Signature
from pi_opensync.store.transcripts import Transcript

SETTLED_AFTER = 1.0  # seconds that a file that shrank must rest before it is read again
RESTS_AFTER = 2.0  # seconds after which a last line without its newline is taken as it is
MAX_SESSION_BACKLOG = (2_000, 8 << 20)  # messages, bytes that one session may have waiting
MAX_BACKLOG = (20_000, 64 << 20)

Backlog = tuple[int, int]  # messages, bytes


@dataclass(frozen=True, slots=True)
class ReadOn:
    """The cursor holds: `window` are the last bytes before it."""

    window: bytes


@dataclass(frozen=True, slots=True)
class StartAnew:
    """It is another file than the one that was read, or its session was given up: forget it, and read."""


@dataclass(frozen=True, slots=True)
class Continue:
    """It has no header and goes on with a session that is known. `is_rootless`: its beginning is gone."""

    session_id: int
    is_rootless: bool


@dataclass(frozen=True, slots=True)
class Excluded:
    """Its project stays on this machine: it is not read past the header."""

    reason: str


@dataclass(frozen=True, slots=True)
class Full:
    """Too much waits to be sent: the transcript is the buffer."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is being rewritten: look again after `seconds`, or, where that is None, when it changes."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Verify:
    """Nothing speaks against reading: see whether the cursor holds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look into the file showed.

    `window` is None where the bytes before the cursor are other ones. `header` is the first one of the file,
    looked for where it is read from its start; `excluded` why its project stays here. `continues` is the
    session that a file without a header goes on with.
    """

    window: bytes | None
    is_known_session: bool
    header: Header | None = None
    excluded: str | None = None
    continues: Continue | None = None


def before_a_look(
    known: Transcript, signature: Signature, now: float, *, backlog: Backlog, own_backlog: Backlog
) -> Full | Later | Verify:
    """Whether the file is to be looked into at all; `signature` is the file's as it was opened just now."""
    if _exceeds(backlog, MAX_BACKLOG) or _exceeds(own_backlog, MAX_SESSION_BACKLOG):
        return Full()
    if signature.size >= known.cursor.offset or _has_settled(known, signature, now):
        return Verify()
    # pi empties a file before it writes it anew: read now, it would make the session forget.
    return Later(None if signature.size == 0 else SETTLED_AFTER)


def _has_settled(known: Transcript, signature: Signature, now: float) -> bool:
    return (
        signature.size > 0
        and known.shrunk_at is not None
        and known.signature == signature
        and not 0 <= now - known.shrunk_at < SETTLED_AFTER
    )


def after_a_look(known: Transcript, seen: Seen) -> ReadOn | StartAnew | Continue | Excluded:
    """What the file is to its session, now that it was looked into."""
    is_at_start = known.cursor.offset == 0
    if seen.window is not None and not is_at_start and seen.is_known_session:
        return ReadOn(seen.window)
    if seen.excluded is not None:
        return Excluded(seen.excluded)
    if seen.continues is not None:
        return seen.continues
    return ReadOn(b"") if is_at_start else StartAnew()


def of_an_open_end(signature: Signature, now: float) -> float | None:
    """Seconds until a last line without its newline counts as written; None where it does now."""
    rested = now - signature.modified / 1e9
    return RESTS_AFTER - rested if 0 <= rested < RESTS_AFTER else None


def _exceeds(backlog: Backlog, limit: Backlog) -> bool:
    return backlog[0] >= limit[0] or backlog[1] >= limit[1]
