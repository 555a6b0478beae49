"""What a session needs next: the session first, messages in order, a batch only of what was never tried."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.deliver.actions import (
    Action,
    FindOrigin,
    Learned,
    Pause,
    ReadBack,
    Rest,
    SendBatch,
    SendEach,
    ServerListing,
    Situation,
    Wait,
)
from pi_opensync.deliver.plan import LONGEST_SLEEP, PAUSE_LOOK, WIDER_LOOK, next_action, patience
from pi_opensync.deliver.width import WIDEST
from pi_opensync.opensync.limits import (
    CLOCK_MARGIN,
    update_key,
    would_be_dropped,
)
from pi_opensync.store.outbox import SEVERAL, Waiting, attempted
from pi_opensync.store.sessions import SyncState
from tests.deliver.rows import LONG_AGO, NEW, NOW, PUT, SETTLED, WANTED, do, encoded, numbers, some, waiting

# the session before its messages


def test_where_a_session_comes_from_is_asked_before_it_goes() -> None:
    assert do(replace(NEW, origin=None), some(3), may_batch=True) == FindOrigin()


@pytest.mark.parametrize(
    ("keeps_dates", "age", "action"),
    [(True, 30, PUT), (True, 61, FindOrigin()), (None, 61, FindOrigin()), (False, 100_000, PUT)],
)
def test_an_old_list_is_asked_for_again_where_a_batch_may_follow(
    keeps_dates: bool | None, age: float, action: Action
) -> None:
    """Another machine may have sent the session since, and a batch takes the parts of what is there."""
    listed = ServerListing(frozenset({"other"}), at=NOW - age)
    batch = None if keeps_dates is None else Learned(keeps_dates, at=NOW)
    situation = Situation(NOW, batch=batch, listed=listed)
    assert next_action(replace(NEW, origin=None), [], [], situation) == action


def test_a_session_goes_before_its_messages() -> None:
    assert do(NEW, some(3), may_batch=True) == PUT


def test_messages_wait_for_a_session_that_waits() -> None:
    assert do(replace(NEW, next_try=NOW + 7), some(3)) == Wait(NOW + 7)


def test_a_session_that_is_parked_sends_nothing() -> None:
    assert do(replace(NEW, parked="too large"), some(3)) == Rest()


def test_nothing_left_is_rest() -> None:
    assert do() == Rest()


def test_a_first_version_that_may_have_arrived_is_not_overtaken_within_the_window() -> None:
    lost = replace(NEW, attempted_digest=b"older", sent_at=NOW - 1)
    assert do(lost) == Wait(NOW - 1 + 10 + CLOCK_MARGIN)
    assert do(replace(lost, attempted_digest=b"one")) == PUT


def test_a_first_version_may_have_arrived_as_late_as_its_request_ended() -> None:
    """By the server's clock, which is 30 s behind ours here."""
    late = replace(NEW, attempted_digest=b"older", sent_at=NOW - 9, written_at=NOW - 30 - 1)
    assert do(late, skew=-30.0) == Wait(NOW - 1 + 10 + CLOCK_MARGIN)


# what another sender left


def test_a_session_that_the_server_knew_is_read_before_messages_go() -> None:
    known = replace(SETTLED, origin="known")
    assert do(known, some(2)) == ReadBack("id")
    assert do(replace(known, next_try=NOW + 3), some(2)) == Wait(NOW + 3)
    assert numbers(do(known, some(2, checked=True))) == [1, 2]
    assert do(known, [waiting(1, checked=True), waiting(2)]) == ReadBack("id")


# updates of the session


def changed(**changes: Any) -> SyncState:
    return replace(SETTLED, wanted_digest=b"two", wanted=encoded(**changes))


def test_a_session_that_changes_is_sent_at_most_every_10_seconds() -> None:
    session = replace(changed(promptTokens=6), sent_at=NOW - 4)
    assert do(session) == Wait(NOW + 6)
    assert do(session, now=NOW + 6) == PUT


def test_messages_go_on_while_the_session_waits() -> None:
    session = replace(changed(promptTokens=6), sent_at=NOW - 4)
    assert numbers(do(session, some(2))) == [1, 2]


@pytest.mark.parametrize("change", [{"cost": 1.5}, {"durationMs": 9}, {"promptTokens": 0}, {}])
def test_an_update_that_would_be_dropped_waits_for_10_quiet_seconds(change: dict[str, Any]) -> None:
    session = replace(changed(**change), written_at=NOW - 2)
    assert do(session) == Wait(NOW + 8 + CLOCK_MARGIN)
    assert do(session, now=NOW + 8 + CLOCK_MARGIN) == PUT


@pytest.mark.parametrize(
    "change",
    [{"title": "b"}, {"model": "n"}, {"projectPath": "/q"}, {"promptTokens": 6}, {"completionTokens": 3}],
)
def test_an_update_with_news_is_taken_at_once(change: dict[str, Any]) -> None:
    assert do(replace(changed(**change), written_at=NOW)) == PUT


def test_the_window_is_measured_by_the_clock_of_the_server() -> None:
    ahead = replace(changed(cost=1.5), written_at=NOW + 60)
    assert do(ahead, skew=60) == Wait(NOW + 10 + CLOCK_MARGIN)
    behind = replace(changed(cost=1.5), written_at=NOW - 60)
    assert do(behind, skew=-60) == Wait(NOW + 10 + CLOCK_MARGIN)


def test_0_tokens_are_no_news() -> None:
    key = update_key(encoded())
    assert would_be_dropped(key, encoded(cost=9))
    assert would_be_dropped(key, encoded(promptTokens=0, completionTokens=0))
    assert not would_be_dropped(key, encoded(promptTokens=4))
    assert not would_be_dropped(key, encoded(title="b", promptTokens=0))


def test_the_server_keeps_what_an_update_leaves_out() -> None:
    fewer = {name: value for name, value in WANTED.items() if name != "model"} | {
        "promptTokens": 0,
        "completionTokens": 0,
    }
    held = update_key(json.dumps(fewer).encode(), update_key(encoded()))
    assert held == update_key(encoded())
    assert would_be_dropped(held, encoded(cost=9))


def test_of_several_versions_that_were_attempted_any_may_be_there() -> None:
    assert attempted(b"new", None, None) == b"new"
    assert attempted(b"new", b"old", b"old") == b"new"
    assert attempted(b"new", b"lost", b"old") == SEVERAL
    assert attempted(b"newer", SEVERAL, b"old") == SEVERAL
    young = waiting(attempted_digest=SEVERAL, created_at=round(NOW * 1000) - 2_000)
    assert do(fresh=[young]) == Wait(NOW + 3 + CLOCK_MARGIN)
    assert numbers(do(fresh=[replace(young, attempted_digest=b"new")])) == [1]


def test_what_may_have_arrived_is_taken_back_where_the_older_version_is_wanted_again() -> None:
    lost = replace(SETTLED, attempted_digest=b"lost", written_at=NOW - 2)
    assert do(lost) == Wait(NOW + 8 + CLOCK_MARGIN)
    assert do(lost, now=NOW + 10) == PUT


def test_an_update_that_is_like_one_that_may_have_arrived_waits_for_the_window() -> None:
    lost = replace(changed(promptTokens=6), attempted_digest=b"lost", written_at=NOW - 2)
    assert do(lost) == Wait(NOW + 8 + CLOCK_MARGIN)
    assert do(replace(lost, attempted_digest=b"two")) == PUT


# messages in order


def test_messages_go_in_order_one_after_another() -> None:
    assert numbers(do(fresh=some(3))) == [1, 2, 3]


def test_a_message_that_waits_holds_back_those_behind_it() -> None:
    messages = some(4)
    messages[1] = replace(messages[1], next_try=NOW + 2)
    assert numbers(do(fresh=messages)) == [1]
    assert do(fresh=messages[1:]) == Wait(NOW + 2)


def test_a_turn_in_progress_waits_for_its_results() -> None:
    assert do(fresh=[waiting(next_try=NOW + 2)]) == Wait(NOW + 2)
    assert numbers(do(fresh=[waiting(next_try=NOW + 2)], now=NOW + 2)) == [1]


def test_a_message_that_comes_next_is_sent_before_an_update() -> None:
    assert numbers(do(fresh=some(1), updates=[waiting(9, acked_digest=b"old", acked_at=LONG_AGO)])) == [1]


# whatever the rows

messages = st.builds(
    waiting,
    st.integers(1, 9),
    acked_digest=st.sampled_from([None, b"old"]),
    attempted_digest=st.sampled_from([None, b"old", b"new"]),
    acked_at=st.sampled_from([None, NOW - 1, LONG_AGO]),
    created_at=st.sampled_from([round(LONG_AGO * 1000), round(NOW * 1000)]),
    next_try=st.sampled_from([0.0, NOW + 5]),
    checked=st.booleans(),
)
sessions = st.sampled_from([NEW, SETTLED, changed(cost=1), changed(title="b")]).flatmap(
    lambda session: st.builds(
        replace,
        st.just(session),
        origin=st.sampled_from(["new", "known", "read"]),
        dates=st.sampled_from(["server", "transcript"]),
        sent_at=st.sampled_from([LONG_AGO, NOW - 1]),
        written_at=st.sampled_from([LONG_AGO, NOW - 1]),
        next_try=st.sampled_from([0.0, NOW + 5]),
    )
)


@given(sessions, st.lists(messages, max_size=5), st.lists(messages, max_size=3), st.booleans())
def test_a_plan_waits_for_the_future_and_ends(
    session: SyncState, fresh: list[Waiting], updates: list[Waiting], may_batch: bool
) -> None:
    action = do(session, fresh, updates, may_batch=may_batch)
    if isinstance(action, Wait):
        assert action.until > NOW
    elif isinstance(action, Rest):
        assert not fresh
        assert not updates
    elif isinstance(action, SendBatch):
        assert not any(message.may_be_there for message in action.messages)
        assert len(action.messages) > 1
    elif isinstance(action, SendEach):
        assert action.messages
        assert all(message.next_try <= NOW for message in action.messages)


# until something may be begun that no event announces

AWAY = Pause("away", "no answer", 1, until=NOW + 50, since=NOW)


@pytest.mark.parametrize(
    ("start", "under_way", "changes", "seconds"),
    [
        (None, 0, {}, LONGEST_SLEEP),
        (NOW + 3, 0, {}, 3),
        (NOW - 3, 0, {}, 0),
        (NOW + 1_000, 0, {}, LONGEST_SLEEP),
        (NOW, 0, {"is_held": True}, PAUSE_LOOK),
        (NOW, 6, {}, WIDER_LOOK),  # answers may tell meanwhile that the server bears more
        (NOW, WIDEST, {"side_by_side": WIDEST}, LONGEST_SLEEP),
        (NOW, 1, {"pause": AWAY}, LONGEST_SLEEP),
        (None, 6, {}, LONGEST_SLEEP),
    ],
)
def test_it_is_looked_again_when_something_may_be_begun(
    start: float | None, under_way: int, changes: dict[str, Any], seconds: float
) -> None:
    assert patience(start, under_way, replace(Situation(NOW), **changes)) == seconds
