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
    Listing,
    ReadBack,
    Rest,
    SendBatch,
    SendEach,
    SendSession,
    Situation,
    Wait,
)
from pi_opensync.deliver.plan import next_action
from pi_opensync.opensync.rules import (
    CLOCK_MARGIN,
    MAX_BATCH,
    MAX_BATCH_BYTES,
    update_key,
    would_be_dropped,
)
from pi_opensync.store.outbox import SEVERAL, Waiting, attempted
from pi_opensync.store.sessions import Session

NOW = 1_795_168_800.0
LONG_AGO = NOW - 86_400
WANTED = {
    "title": "a",
    "model": "m",
    "projectPath": "/p",
    "promptTokens": 5,
    "completionTokens": 2,
    "cost": 0.5,
}


def encoded(**changes: Any) -> bytes:
    return json.dumps(WANTED | changes).encode()


SETTLED = Session(
    id=1,
    external_id="s",
    transcript_id=1,
    generation=1,
    wanted=encoded(),
    wanted_digest=b"one",
    acked_digest=b"one",
    acked_key=update_key(encoded()),
    excluded=None,
    attempted_digest=b"one",
    dates="transcript",
    origin="new",
    server_id="id",
    sent_at=LONG_AGO,
    written_at=LONG_AGO,
    failures=0,
    next_try=0.0,
    parked=None,
    project="/home/user/p",
    live=True,
)
NEW = replace(
    SETTLED,
    acked_digest=None,
    acked_key=None,
    attempted_digest=None,
    dates=None,
    origin="new",
    server_id=None,
    sent_at=None,
    written_at=None,
)


PUT = SendSession("new", "transcript")


def waiting(number: int = 1, **changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "id": number,
        "external_id": f"s-user-{number}",
        "position": number,
        "created_at": round(LONG_AGO * 1000),
        "wanted": b"{}",
        "wanted_digest": b"new",
        "acked_digest": None,
        "acked_at": None,
        "attempted_digest": None,
        "failures": 0,
        "next_try": 0.0,
        "checked": False,
    }
    return Waiting(**(fields | changes))


def some(count: int, **changes: Any) -> list[Waiting]:
    return [waiting(number, **changes) for number in range(1, count + 1)]


def do(
    session: Session = SETTLED,
    fresh: list[Waiting] | None = None,
    updates: list[Waiting] | None = None,
    *,
    skew: float = 0.0,
    may_batch: bool = False,
    now: float = NOW,
) -> Action:
    batch = Learned(keeps_dates=may_batch, at=now)
    if may_batch and session is SETTLED:
        session = replace(session, written_at=now + skew)  # a batch is for what is being sent just now
    return next_action(session, fresh or [], updates or [], Situation(now, skew, batch=batch))


def numbers(action: Action) -> list[int]:
    assert isinstance(action, SendEach | SendBatch)
    return [message.id for message in action.messages]


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
    listed = Listing(frozenset({"other"}), at=NOW - age)
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


# what another sender left


def test_a_session_that_the_server_knew_is_read_before_messages_go() -> None:
    known = replace(SETTLED, origin="known")
    assert do(known, some(2)) == ReadBack("id")
    assert do(replace(known, next_try=NOW + 3), some(2)) == Wait(NOW + 3)
    assert numbers(do(known, some(2, checked=True))) == [1, 2]
    assert do(known, [waiting(1, checked=True), waiting(2)]) == ReadBack("id")


# updates of the session


def changed(**changes: Any) -> Session:
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
    session: Session, fresh: list[Waiting], updates: list[Waiting], may_batch: bool
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
