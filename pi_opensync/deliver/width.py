"""How many sessions go side by side: more while answers come as fast, half when it is too much. Pure."""

from dataclasses import dataclass, replace

from pi_opensync.opensync.limits import SIDE_BY_SIDE
from pi_opensync.opensync.outcomes import Outcome, Verdict

WIDEST = 16  # sessions; the smallest hosted tier runs so many functions at once
HOLDS = 1.5  # times the shortest mean: then the server answers as fast as with fewer
_TOO_MUCH = (429, 503)


@dataclass(frozen=True, slots=True)
class Width:
    """`sessions` side by side; a step is as many answers as there are sessions, and their time in seconds."""

    sessions: int = SIDE_BY_SIDE
    shortest: float | None = None  # mean seconds of a step so far
    answers: int = 0
    seconds: float = 0.0

    def after(self, outcome: Outcome, took: float) -> "Width":
        """What an answer that took so many seconds makes of it."""
        if outcome.status in _TOO_MUCH or outcome.verdict is Verdict.PASSING:
            if self.answers < 0:
                return self  # one of those that were under way when it was halved
            return replace(self, sessions=max(self.sessions // 2, 1), answers=-self.sessions, seconds=0.0)
        if outcome.verdict is not Verdict.DELIVERED:
            return self
        if self.answers < 0:
            return replace(self, answers=self.answers + 1)
        step = replace(self, answers=self.answers + 1, seconds=self.seconds + max(took, 0.0))
        return step if step.answers < self.sessions else _next(step)


def _next(step: Width) -> Width:
    mean = step.seconds / step.answers
    shortest = mean if step.shortest is None else min(mean, step.shortest)
    holds = 0 < mean <= shortest * HOLDS
    return Width(step.sessions + (holds and step.sessions < WIDEST), shortest)
