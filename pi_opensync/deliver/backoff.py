"""How long to wait after a failure: capped, jittered, remembered by whoever counts the failures."""

FIRST = 1.0  # seconds
LONGEST = 300.0
AMBIGUOUS_BATCH = 30.0  # a batch whose answer was lost may still be running on the server


def delay(failures: int, jitter: float, *, retry_after: float | None = None) -> float:
    """Seconds to wait after the n-th failure in a row; `jitter` is drawn from 0 to 1."""
    wanted = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
    spread = wanted * (0.5 + jitter / 2)
    return max(spread, retry_after) if retry_after is not None else spread
