"""What delivery may do next, what may come of it, and what a decision rests on: data, no behaviour.

Times in seconds since the epoch by our clock, unless it says "the server's".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pi_opensync.store.outbox import Waiting
from pi_opensync.store.sessions import Session

# what may be done


@dataclass(frozen=True, slots=True)
class FindOrigin:
    """Ask which sessions the server had before us."""


@dataclass(frozen=True, slots=True)
class SendSession:
    """Put the session row."""

    origin: str
    dates: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Ask what the server holds of a session that somebody else sent."""


@dataclass(frozen=True, slots=True)
class SendEach:
    """Put these messages one after another."""

    messages: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Put these messages at once; none of them was ever attempted."""

    messages: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class AskDates:
    """Put one message by a batch, to learn whether it keeps dates."""

    message: Waiting


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is left to do until something wakes the session."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing may be begun now; what is due stays due."""


Question = FindOrigin | AskDates  # of one answer for all sessions: one asks, the others find it
Request = FindOrigin | SendSession | ReadBack | SendEach | SendBatch | AskDates
Ending = Wait | Rest | Hold
Action = Request | Ending


# what a decision rests on, beside the session's rows


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is sent, and until when; `failures` of it came in a row."""

    kind: Literal["away", "key refused"]
    reason: str
    failures: int
    until: float
    since: float


@dataclass(frozen=True, slots=True)
class Learned:
    """Whether the server's batch kept the date of a message, and when it was asked."""

    keeps_dates: bool
    at: float


@dataclass(frozen=True, slots=True)
class Situation:
    """The server, the user's wishes and the clock, as they are when a decision is taken."""

    now: float
    skew: float = 0.0  # the server's clock minus ours
    jitter: float = 0.5  # drawn from 0 to 1
    dates: str = "transcript"  # whose dates a new session is begun with: transcript, server
    batch: Learned | None = None
    pause: Pause | None = None
    listed: frozenset[str] | None = None  # the sessions that the server had; None: not asked yet
    is_held: bool = False  # the user paused, or changed the settings
    stays_here: bool = False  # the session's project is excluded
    turn: int = 0  # actions that the session's visit has taken

    @property
    def server_now(self) -> float:
        """Now, by the server's clock."""
        return self.now + self.skew


# what may come of it: changes of what is known, to be written in one transaction


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
    """The server holds the row as it was sent."""

    server_id: str | None
    written_at: float


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The server holds these messages as they were sent. `at`: the server's clock."""

    messages: Sequence[Waiting]
    at: float


@dataclass(frozen=True, slots=True)
class Written:
    """The server may have written the session as late as `at`, by its clock."""

    at: float


@dataclass(frozen=True, slots=True)
class ReadThere:
    """What the server was found to hold of the session. `at`: the server's clock."""

    looked_for: Sequence[Waiting]
    same: Sequence[Waiting]
    different: Sequence[Waiting]
    by_others: Sequence[tuple[Waiting, str]]
    holds_row: bool
    origin: str
    at: float


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
    """The server said which sessions it has."""

    sessions: frozenset[str]


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
    | Written
    | ReadThere
    | ParkSession
    | Park
    | FailSession
    | Fail
    | Postpone
    | LearnBatch
    | LearnListed
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

    session: Session
    delivered: int = 0  # messages
    parked: list[tuple[str, str]] = field(default_factory=list)  # (external id of the row, reason)
    failed: list[str] = field(default_factory=list)  # reasons
    away: Pause | None = None
    back_after: float | None = None  # seconds that the server was away
