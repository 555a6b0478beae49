"""What delivery may do next, and what a decision about it rests on: data, no behaviour.

Times in seconds since the epoch by our clock, unless it says "the server's".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pi_opensync.opensync.limits import SIDE_BY_SIDE
from pi_opensync.store.outbox import Waiting

# what may be done


@dataclass(frozen=True, slots=True)
class FindOrigin:
    """Ask which sessions the server had before us."""


@dataclass(frozen=True, slots=True)
class FindIds:
    """Ask for the server's own ids of the sessions that it wrote last, `limit` at most."""

    limit: int


@dataclass(frozen=True, slots=True)
class SendSession:
    """Put the session row."""

    origin: str
    dates: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Ask what the server holds of a session that was there before."""

    server_id: str


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


@dataclass(frozen=True, slots=True)
class RestoreSearch:
    """Put messages that the server holds again, as it holds them.

    A changed title empties the session's search text there, and each message that is put adds its own.
    """

    server_id: str


Question = FindOrigin | FindIds | AskDates  # of one answer for all sessions: one asks, the others find it
Request = FindOrigin | FindIds | SendSession | ReadBack | SendEach | SendBatch | AskDates | RestoreSearch
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
class ServerListing:
    """The external ids of the sessions that the server has; None: it did not say, `failures` times in a row.

    `is_given_up`: it is not waited for any more, and asked again at `again`.
    """

    sessions: frozenset[str] | None
    at: float
    failures: int = 0
    again: float = 0.0
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class Streak:
    """Requests of one kind that failed without a reason of their own, since one of them succeeded."""

    failures: int = 0
    sessions: frozenset[int] = frozenset()
    has_succeeded: bool = False  # since the run began


@dataclass(frozen=True, slots=True)
class Situation:
    """The server, the user's wishes and the clock, as they are when a decision is taken."""

    now: float
    skew: float = 0.0  # the server's clock minus ours
    jitter: float = 0.5  # drawn from 0 to 1
    dates: str = "transcript"  # whose dates a new session is begun with: transcript, server
    batch: Learned | None = None
    pause: Pause | None = None
    listed: ServerListing | None = None  # None: not asked yet
    ids: Mapping[str, str] | None = None  # the server's, of the sessions that it wrote last; None: not asked
    ids_tries: int = 0  # how often they were asked for in vain
    rows: Streak = Streak()
    messages: Streak = Streak()
    side_by_side: int = SIDE_BY_SIDE  # sessions that the server is known to bear
    is_held: bool = False  # the user paused, or changed the settings
    stays_here: bool = False  # the session's project is excluded
    turn: int = 0  # actions that the session's visit has taken

    @property
    def server_now(self) -> float:
        """Now, by the server's clock."""
        return self.now + self.skew
