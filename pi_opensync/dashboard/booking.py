"""Usage on the model and the quarter of an hour that took it, and what a session's sums hold beyond. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pi_opensync.model import SLOT_MS
from pi_opensync.sqlite import Row

_LEAST = 1e-9  # of the cost; a smaller rest comes of adding up floats


@dataclass(slots=True)
class Booking:
    """US dollars and tokens of one session. `at` is the begin of a quarter of an hour, in ms.

    `cache_known` counts the prompt tokens of what tells about its cache. A copy is what a fork holds of its
    parent, which paid for it; outside is what no message took.
    """

    session_id: int
    at: int
    model: str
    messages: int = 0
    prompt: float = 0.0
    completion: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0
    cache_known: float = 0.0
    cost: float = 0.0
    is_copy: int = 0
    is_outside: int = 0

    @property
    def tokens(self) -> float:
        return self.prompt + self.completion


def is_all(cost: float, left: float, *tokens: float) -> bool:
    """Whether nothing is left of a session's cost and its tokens once what is booked is taken away."""
    return max(tokens) <= 0 and left <= _LEAST * cost


def with_the_rest(session: Row | Mapping[str, Any], own: list[Booking]) -> list[Booking]:
    """The bookings of a session with what its sums hold beyond them."""
    cost, prompt, completion = session["cost"], session["prompt_tokens"], session["completion_tokens"]
    read, known = 0.0, 0.0
    if session["cache_read_tokens"] is not None:
        read, known = session["cache_read_tokens"], prompt
    in_all = 0.0
    for each in own:
        cost -= each.cost
        prompt -= each.prompt
        completion -= each.completion
        read -= each.cache_read
        known -= each.cache_known
        in_all += each.prompt + each.completion
    if not own:
        begin = session["created_at"] // SLOT_MS * SLOT_MS
        own = [Booking(session["id"], begin, session["model"] or "unknown")]
    elif is_all(session["cost"], cost, prompt, completion, read, known):
        return own
    weights = [each.tokens for each in own] if in_all else [float(each.messages) for each in own]
    weight_of_all = sum(weights)
    for each, weight in zip(own, weights, strict=True):
        share = weight / weight_of_all if weight_of_all else 1 / len(own)
        each.cost += max(0.0, cost) * share
        each.prompt += max(0.0, prompt) * share
        each.completion += max(0.0, completion) * share
        each.cache_read += max(0.0, read) * share
        each.cache_known += max(0.0, known) * share
    return own
