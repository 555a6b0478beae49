"""What the page of numbers shows, as plain values."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from pi_opensync.sqlite import Row


@dataclass(slots=True)
class Sums:
    """US dollars and tokens.

    `cache_known` counts the prompt tokens of what tells about its cache.
    """

    cost: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0
    cache_known: float = 0.0
    messages: int = 0
    sessions: set[int] = field(default_factory=set)

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion

    @property
    def cache_share(self) -> float | None:
        """The part of the prompt that came from the cache, 0 to 1; None where nothing is known."""
        return min(self.cache_read / self.cache_known, 1.0) if self.cache_known else None

    @property
    def cost_of_a_session(self) -> float | None:
        """The mean; None where there is no session."""
        return self.cost / len(self.sessions) if self.sessions else None

    def book(  # noqa: PLR0917 - a row of the table, for each of tens of thousands
        self,
        session_id: int,
        messages: int,
        prompt: float,
        completion: float,
        cache_read: float,
        cache_write: float,
        cache_known: float,
        cost: float,
    ) -> None:
        self.cost += cost
        self.prompt += prompt
        self.completion += completion
        self.cache_read += cache_read
        self.cache_write += cache_write
        self.cache_known += cache_known
        self.messages += messages
        self.sessions.add(session_id)

    def add(self, more: "Sums") -> None:
        self.cost += more.cost
        self.prompt += more.prompt
        self.completion += more.completion
        self.cache_read += more.cache_read
        self.cache_write += more.cache_write
        self.cache_known += more.cache_known
        self.messages += more.messages
        self.sessions |= more.sessions


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: the days from `first` to `last`, both included; a project by its key.

    `worktrees_together`: what worktrees took counts for their repository.
    """

    first: date | None = None
    last: date | None = None
    project: str | None = None
    model: str | None = None
    source: str | None = None
    machine: str | None = None
    worktrees_together: bool = False

    @classmethod
    def of_days(cls, days: int, today: date) -> "Asked":
        return cls(today - timedelta(days=days - 1), today)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or a longer time where days would be too many; `start` is its first day."""

    start: date
    days: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Day:
    """What one project, by its name, took of one model and source on a day."""

    day: date
    project: str
    model: str
    source: str
    sums: Sums


class Group(NamedTuple):
    """One project, model, source or machine; `key` is what the list of sessions is filtered by."""

    name: str
    sums: Sums
    key: str


@dataclass(frozen=True, slots=True)
class Family:
    """A session with all that was forked from it; `root` is its first session's row."""

    root: Row
    sums: Sums


@dataclass(frozen=True, slots=True)
class Tool:
    """`timed` are the calls whose time is known, `duration_ms` is that of all of these."""

    name: str
    calls: int
    failures: int
    sessions: int
    timed: int
    duration_ms: int

    @property
    def ms_of_a_call(self) -> float | None:
        """The mean; None where no time is known."""
        return self.duration_ms / self.timed if self.timed else None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Why the sums are less than those of all files: `in_files` is `copied` and what is counted.

    US dollars. `copied` stands in the files of `copying` sessions, and was paid for once by their parents.
    """

    sessions: int
    in_files: float
    copied: float
    counted: float
    copying: frozenset[int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """`hours[weekday][hour]` counts messages, Monday and midnight first.

    `previous` is the time before, as long; None for all time. `saved` is what the cache saved in US dollars,
    None where that does not follow from what is known; `days` tells what those of the last year cost,
    whatever time was asked for.
    """

    asked: Asked
    total: Sums
    previous: Sums | None
    periods: list[Period]
    projects: list[Group]
    models: list[Group]
    sources: list[Group]
    machines: list[Group]
    families: list[Family]
    tools: list[Tool]
    hours: list[list[int]]
    days: dict[date, float]
    reconciled: Reconciled
    saved: float | None
