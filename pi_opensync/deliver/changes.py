"""What may come of an action: changes of what is known, to be written in one transaction, and a report.

Data, no behaviour. Times in seconds since the epoch by our clock, unless it says "the server's".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pi_opensync.deliver.actions import Learned, Pause, ServerListing, Streak
from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import SyncState


@dataclass(frozen=True, slots=True)
class Due:
    """Look at the session again at `at`; None: when something wakes it."""

    at: float | None


@dataclass(frozen=True, slots=True)
class AttemptSession:
    """The server may get to hold the wanted row from now on."""

    origin: str
    dates: str
    at: float
    written_at: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """The server may get to hold these messages from now on."""

    messages: Sequence[Waiting]
    written_at: float


@dataclass(frozen=True, slots=True)
class Unattempt:
    """The server stored nothing of these."""

    messages: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class AcknowledgeSession:
    """The server holds the row as it was sent; `is_retitled`: under another title than before."""

    server_id: str | None
    written_at: float
    is_retitled: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The server holds these messages as they were sent. `at`: the server's clock."""

    messages: Sequence[Waiting]
    at: float


@dataclass(frozen=True, slots=True)
class MayBeWritten:
    """The server may have written the session as late as `at`, by its clock."""

    at: float


@dataclass(frozen=True, slots=True)
class ReadThere:
    """What the server was found to hold of the session. `at`: the server's clock.

    `held_row` is the key of the row that it holds, as from `rules.update_key`; `holds_wanted`: that row shows
    what is wanted.
    """

    server_id: str
    looked_for: Sequence[Waiting]
    same: Sequence[Waiting]
    different: Sequence[Waiting]
    by_others: Sequence[tuple[Waiting, str]]
    held_row: bytes | None
    holds_wanted: bool
    written_at: float | None
    origin: str
    dates: str
    at: float


@dataclass(frozen=True, slots=True)
class GiveUpReading:
    """The session can not be read back: what is new is sent one by one, which never doubles."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The search text holds these messages again; `is_over`: it holds all that it can, or is done without."""

    external_ids: Sequence[str]
    is_over: bool
    written_at: float


@dataclass(frozen=True, slots=True)
class ParkSession:
    """The row is not sent again until the user says so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """The message is not sent again until the user says so."""

    message: Waiting
    reason: str


@dataclass(frozen=True, slots=True)
class FailSession:
    """A request about the session failed; try it again at `until`."""

    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """These messages failed; try them again at `until`."""

    messages: Sequence[Waiting]
    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class Postpone:
    """Leave these messages alone until `until`, without counting a failure."""

    messages: Sequence[Waiting]
    until: float


@dataclass(frozen=True, slots=True)
class LearnBatch:
    """The server was asked whether its batch keeps dates."""

    learned: Learned


@dataclass(frozen=True, slots=True)
class LearnListed:
    """The server was asked which sessions it has."""

    listed: ServerListing


@dataclass(frozen=True, slots=True)
class LearnIds:
    """The server's own ids of sessions, by ours; None where it is to be asked for fewer after `tries`."""

    ids: Mapping[str, str] | None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class LearnRows:
    """How putting session rows goes."""

    streak: Streak


@dataclass(frozen=True, slots=True)
class LearnMessages:
    """How putting messages goes."""

    streak: Streak


@dataclass(frozen=True, slots=True)
class BeginPause:
    """Send nothing for a while."""

    pause: Pause


@dataclass(frozen=True, slots=True)
class EndPause:
    """The server answered again, `after` seconds."""

    after: float


Change = (
    Due
    | AttemptSession
    | Attempt
    | Unattempt
    | AcknowledgeSession
    | Acknowledge
    | MayBeWritten
    | ReadThere
    | Restored
    | GiveUpReading
    | ParkSession
    | Park
    | FailSession
    | Fail
    | Postpone
    | LearnBatch
    | LearnListed
    | LearnIds
    | LearnRows
    | LearnMessages
    | BeginPause
    | EndPause
)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of an action, and whether the session's visit goes on."""

    changes: Sequence[Change] = ()
    goes_on: bool = True


# what happened, for whoever tells of it


@dataclass(slots=True)
class Report:
    """What happened in one visit of a session. Names of rows and reasons, never content."""

    session: SyncState
    delivered: int = 0  # messages
    parked: list[tuple[str, str]] = field(default_factory=list)  # (external id of the row, reason)
    failed: list[str] = field(default_factory=list)  # reasons
    away: Pause | None = None
    back_after: float | None = None  # seconds that the server was away
