"""When an update of a message, and a batch, may go: the windows of the server, and what it may hold."""

from dataclasses import replace
from typing import Any

import pytest

from pi_opensync.deliver.actions import (
    SendBatch,
    SendEach,
    Wait,
)
from pi_opensync.opensync.limits import (
    CLOCK_MARGIN,
    MAX_BATCH,
    MAX_BATCH_BYTES,
)
from pi_opensync.store.outbox import Waiting
from tests.deliver.rows import LONG_AGO, NOW, SETTLED, do, numbers, some, waiting

# updates of messages


def live(**changes: Any) -> Waiting:
    """A message dated now, of which the server holds an older version."""
    held: dict[str, Any] = {
        "acked_digest": b"old",
        "attempted_digest": b"old",
        "acked_at": NOW,
        "created_at": round(NOW * 1000),
    }
    return waiting(**(held | changes))


def test_an_update_waits_until_the_5_seconds_of_the_server_are_over() -> None:
    assert do(updates=[live()]) == Wait(NOW + 5 + CLOCK_MARGIN)
    assert numbers(do(updates=[live()], now=NOW + 5 + CLOCK_MARGIN)) == [1]


def test_an_update_of_an_old_message_goes_at_once() -> None:
    assert numbers(do(updates=[live(created_at=round((NOW - 60) * 1000))])) == [1]


def test_the_5_seconds_are_those_of_the_clock_of_the_server() -> None:
    assert do(updates=[live()], skew=-3) == Wait(NOW + 8 + CLOCK_MARGIN)
    assert do(updates=[live()], skew=3) == Wait(NOW + 2 + CLOCK_MARGIN)


def test_with_dates_of_the_server_the_5_seconds_begin_when_it_stored_the_message() -> None:
    session = replace(SETTLED, dates="server")
    old = live(created_at=round(LONG_AGO * 1000))
    assert do(session, updates=[old]) == Wait(NOW + 5 + CLOCK_MARGIN)
    dated_now = live(acked_at=LONG_AGO)
    assert numbers(do(session, updates=[dated_now])) == [1]


def test_an_update_that_waits_holds_back_no_other() -> None:
    other = live(id=2, created_at=round(LONG_AGO * 1000))
    assert numbers(do(updates=[live(), other])) == [2]
    assert numbers(do(fresh=[waiting(3)], updates=[live()])) == [3]


def test_a_version_after_one_that_may_have_arrived_waits_for_the_window_too() -> None:
    lost = live(acked_digest=None, acked_at=None)
    assert do(fresh=[lost]) == Wait(NOW + 5 + CLOCK_MARGIN)
    assert numbers(do(fresh=[lost, waiting(2)])) == [2]


def test_with_dates_of_the_server_a_version_after_one_that_may_have_arrived_waits_as_well() -> None:
    """The server may have stored the other version when the session was last written to."""
    session = replace(SETTLED, dates="server", written_at=NOW)
    lost = waiting(attempted_digest=b"old")
    assert do(session, [lost]) == Wait(NOW + 5 + CLOCK_MARGIN)


def test_the_same_version_is_sent_again_at_once() -> None:
    assert numbers(do(fresh=[live(acked_digest=None, attempted_digest=b"new")])) == [1]


# batches


def test_what_was_never_tried_goes_as_a_batch_where_that_is_allowed() -> None:
    action = do(fresh=some(3), may_batch=True)
    assert isinstance(action, SendBatch)
    assert numbers(action) == [1, 2, 3]
    assert isinstance(do(fresh=some(3), may_batch=False), SendEach)


@pytest.mark.parametrize("tried", range(4))
def test_a_message_that_may_have_reached_the_server_is_never_in_a_batch(tried: int) -> None:
    messages = some(4)
    messages[tried] = replace(messages[tried], attempted_digest=b"new")
    action = do(fresh=messages, may_batch=True)
    if isinstance(action, SendBatch):
        assert numbers(action) == list(range(1, tried + 1))
    else:
        assert numbers(action) == [1]


def test_a_session_that_was_left_for_a_while_gets_no_batch() -> None:
    """Another machine may have gone on with it, and a batch takes the parts of what is there."""
    assert isinstance(do(replace(SETTLED, written_at=NOW - 59), some(3), may_batch=True), SendBatch)
    assert numbers(do(replace(SETTLED, written_at=NOW - 61), some(3), may_batch=True)) == [1, 2, 3]
    assert isinstance(do(replace(SETTLED, written_at=NOW - 61), some(3), may_batch=True), SendEach)


def test_an_update_is_never_a_batch() -> None:
    assert isinstance(do(updates=[live(created_at=0)] * 3, may_batch=True), SendEach)


def test_a_batch_is_bounded_in_messages_and_bytes() -> None:
    assert len(numbers(do(fresh=some(500), may_batch=True))) == MAX_BATCH
    large = some(50, wanted=b"x" * 100_000)
    action = do(fresh=large, may_batch=True)
    assert isinstance(action, SendBatch)
    assert sum(len(message.wanted) for message in action.messages) <= MAX_BATCH_BYTES


def test_two_messages_of_900_kb_do_not_share_a_batch() -> None:
    assert numbers(do(fresh=some(2, wanted=b"x" * 900_000), may_batch=True)) == [1]
