"""How many sessions go side by side."""

from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.deliver.width import WIDEST, Width
from pi_opensync.opensync.outcomes import Outcome, Verdict

OK = Outcome(Verdict.DELIVERED, status=200)
BUSY = Outcome(Verdict.AWAY, status=429)
CONFLICT = Outcome(Verdict.PASSING, status=500)
OTHER = Outcome(Verdict.REFUSED, status=500)


def after(width: Width, outcome: Outcome, count: int, took: float = 0.1) -> Width:
    for _ in range(count):
        width = width.after(outcome, took)
    return width


def test_it_begins_with_six() -> None:
    assert Width().sessions == 6


def test_while_the_server_answers_as_fast_there_are_more() -> None:
    assert after(Width(), OK, 6).sessions == 7
    assert after(Width(), OK, 6 + 7).sessions == 8
    assert after(Width(), OK, 2_000).sessions == WIDEST


def test_where_more_take_longer_there_are_no_more() -> None:
    width = after(Width(), OK, 6)
    assert after(width, OK, 1_000, took=0.2).sessions == 7
    assert after(width, OK, 7, took=0.14).sessions == 8


@given(st.sampled_from([BUSY, CONFLICT, Outcome(Verdict.AWAY, status=503)]), st.integers(0, 300))
def test_what_is_too_much_is_halved_once_for_all_that_were_under_way(outcome: Outcome, before: int) -> None:
    wide = after(Width(), OK, before)
    half = wide.after(outcome, 0.1)
    assert half.sessions == wide.sessions // 2
    assert after(half, outcome, wide.sessions - 1).sessions == half.sessions
    assert after(half, OK, 2_000).sessions == WIDEST


def test_there_is_always_one() -> None:
    width = Width()
    for _ in range(10):
        width = after(width.after(BUSY, 0.1), OK, 50, took=9.0)
    assert width.sessions >= 1


def test_a_refusal_and_a_server_that_is_gone_say_nothing_of_it() -> None:
    gone = Outcome(Verdict.AWAY, "no answer")
    assert after(Width(), OTHER, 50) == after(Width(), gone, 50) == Width()


def test_a_clock_that_stands_or_steps_back_widens_nothing() -> None:
    assert after(Width(), OK, 1_000, took=0.0).sessions == 6
    assert after(Width(), OK, 1_000, took=-5.0).sessions == 6
