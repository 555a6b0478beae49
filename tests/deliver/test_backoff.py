"""How long to wait after a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.deliver.backoff import LONGEST, delay


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (10_000, 300)]
)
def test_waits_double_up_to_five_minutes(failures: int, seconds: float) -> None:
    assert delay(failures, 1.0) == seconds


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_jitter_shortens_a_wait_by_half_at_most(failures: int, jitter: float) -> None:
    assert delay(failures, 1.0) / 2 <= delay(failures, jitter) <= delay(failures, 1.0) <= LONGEST


def test_two_draws_wait_differently() -> None:
    assert len({delay(5, jitter / 10) for jitter in range(11)}) == 11


@given(st.integers(1, 50), st.floats(0, 1), st.floats(0, 3_600))
def test_a_wait_is_never_shorter_than_the_server_asks(failures: int, jitter: float, asked: float) -> None:
    assert delay(failures, jitter, retry_after=asked) == max(asked, delay(failures, jitter))
