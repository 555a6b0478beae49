"""What an answer means for the rows, whatever it is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.deliver import consequences
from pi_opensync.deliver.actions import FindIds, Pause, ServerListing, Situation, Streak
from pi_opensync.deliver.changes import (
    Acknowledge,
    AcknowledgeSession,
    BeginPause,
    Came,
    EndPause,
    Fail,
    FailSession,
    GiveUpReading,
    LearnBatch,
    LearnIds,
    LearnListed,
    MayBeWritten,
    Park,
    ParkSession,
    Postpone,
    Unattempt,
)
from pi_opensync.deliver.plan import next_question
from pi_opensync.opensync.outcomes import Outcome, Verdict
from tests.deliver.rows import NOW, SETTLED, encoded, some, waiting

SUCCEEDED = Situation(NOW, rows=Streak(has_succeeded=True), messages=Streak(has_succeeded=True))
GIVEN_UP = ServerListing(None, NOW, 3, NOW + 3_600, is_given_up=True)
OVER = Pause("away", "gone", 3, until=NOW - 1, since=NOW - 60)
DELIVERED = Outcome(Verdict.DELIVERED, body={"ok": True})
AWAY = Outcome(Verdict.AWAY, "gone")
NEVER_LEFT = Outcome(Verdict.AWAY, "gone", arrived=False)
REFUSED = Outcome(Verdict.REFUSED, "too large")
UNCLEAR = Outcome(Verdict.UNCLEAR, "no reason")
KEY = Outcome(Verdict.KEY_REFUSED, "no key")

outcomes = st.builds(
    Outcome,
    st.sampled_from(Verdict),
    st.just("a reason"),
    retry_after=st.none() | st.floats(0, 3600),
    arrived=st.booleans(),
)


def kinds(came: Came) -> list[type]:
    return [type(change) for change in came.changes]


def one(came: Came, kind: type) -> Any:
    (change,) = [change for change in came.changes if isinstance(change, kind)]
    return change


# messages


@given(st.lists(outcomes, min_size=1, max_size=5), st.integers(0, 3))
def test_a_message_is_acknowledged_only_by_its_own_answer_and_given_back_only_if_it_never_left(
    answers: list[Outcome], behind: int
) -> None:
    messages = some(len(answers) + behind)
    for number, outcome in enumerate(answers[:-1]):
        if not consequences.chain_goes_on(messages[number], outcome):
            answers = answers[: number + 1]  # the chain ends there
            break
    came = consequences.of_messages(SETTLED, messages, answers, SUCCEEDED, begun=len(answers))
    stored = [m for change in came.changes if isinstance(change, Acknowledge) for m in change.messages]
    given_back = [m for change in came.changes if isinstance(change, Unattempt) for m in change.messages]
    answered = dict(zip((m.id for m in messages), answers, strict=False))
    assert [m.id for m in stored] == [n for n, o in answered.items() if o.verdict is Verdict.DELIVERED]
    for message in given_back:
        assert message.id not in answered or not answered[message.id].arrived
    assert {m.id for m in messages[len(answers) :]} <= {m.id for m in given_back}


def test_a_request_that_was_cut_off_stays_attempted() -> None:
    came = consequences.of_messages(SETTLED, some(3), [DELIVERED], SUCCEEDED, begun=2)
    assert [message.id for message in one(came, Unattempt).messages] == [3]
    assert [message.id for message in one(came, Acknowledge).messages] == [1]


def test_what_is_refused_for_good_is_parked_and_the_next_goes_on() -> None:
    came = consequences.of_messages(SETTLED, some(2), [REFUSED, DELIVERED], SUCCEEDED, begun=2)
    assert one(came, Park).message.id == 1
    assert came.goes_on


@pytest.mark.parametrize(("failures", "kind"), [(0, Fail), (3, Fail), (4, Park)])
def test_what_fails_without_a_reason_is_parked_after_five_tries(failures: int, kind: type) -> None:
    messages = some(1, failures=failures)
    assert kind in kinds(consequences.of_messages(SETTLED, messages, [UNCLEAR], SUCCEEDED, begun=1))


def test_a_failed_write_may_have_been_stored_as_late_as_now() -> None:
    came = consequences.of_messages(SETTLED, some(1), [UNCLEAR], SUCCEEDED, begun=1)
    assert one(came, MayBeWritten).at == NOW
    came = consequences.of_messages(SETTLED, some(1), [NEVER_LEFT], SUCCEEDED, begun=1)
    assert MayBeWritten not in kinds(came)


# batches


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (DELIVERED, Acknowledge),
        (NEVER_LEFT, Unattempt),
        (KEY, Unattempt),
        (Outcome(Verdict.DATES_REFUSED, "no dates"), Unattempt),
        (AWAY, Postpone),
        (UNCLEAR, Postpone),
        (Outcome(Verdict.PASSING, "busy"), Postpone),
    ],
    ids=str,
)
def test_a_batch_is_stored_whole_given_back_or_may_be_running_still(outcome: Outcome, kind: type) -> None:
    came = consequences.of_batch(SETTLED, some(3), outcome, SUCCEEDED)
    assert {Acknowledge, Unattempt, Postpone}.intersection(kinds(came)) == {kind}


def test_a_batch_that_stored_fewer_is_not_acknowledged() -> None:
    fewer = Outcome(Verdict.DELIVERED, body={"ok": True, "messages": 2})
    assert Acknowledge not in kinds(consequences.of_batch(SETTLED, some(3), fewer, SUCCEEDED))


def test_dates_are_kept_where_the_message_stands_there_with_its_own() -> None:
    (message,) = some(1)
    item = {"externalId": message.external_id, "createdAt": message.created_at}
    for stored, kept in (([item], True), ([item | {"createdAt": 1}], False), ([], False)):
        read = Outcome(Verdict.DELIVERED, body={"messages": stored})
        came = consequences.of_asking(SETTLED, message, DELIVERED, read, SUCCEEDED)
        assert one(came, LearnBatch).learned.keeps_dates is kept


# the row


def test_a_row_that_was_taken_under_another_title_says_so() -> None:
    came = consequences.of_session(SETTLED, DELIVERED, SUCCEEDED)
    assert not one(came, AcknowledgeSession).is_retitled


def test_a_row_that_is_refused_is_parked_and_its_visit_ends() -> None:
    came = consequences.of_session(SETTLED, REFUSED, SUCCEEDED)
    assert one(came, ParkSession).reason == "too large"
    assert not came.goes_on


def test_the_first_row_of_all_that_fails_without_a_reason_pauses_instead_of_being_parked() -> None:
    came = consequences.of_session(SETTLED, UNCLEAR, Situation(NOW))
    pause = one(came, BeginPause).pause
    assert one(came, FailSession).until > pause.until > NOW
    assert ParkSession not in kinds(came)


# the server


def test_an_answer_after_a_pause_ends_it_and_lets_the_others_begin() -> None:
    came = consequences.of_session(SETTLED, DELIVERED, Situation(NOW, pause=OVER))
    assert one(came, EndPause).after == 60
    assert not came.goes_on


def test_a_pause_that_began_meanwhile_is_not_ended_by_an_older_request() -> None:
    begun = Pause("away", "asked to wait", 1, until=NOW + 60, since=NOW)
    came = consequences.of_session(SETTLED, DELIVERED, Situation(NOW, pause=begun))
    assert EndPause not in kinds(came)


def test_a_server_that_answers_and_takes_nothing_is_not_back() -> None:
    came = consequences.of_session(SETTLED, UNCLEAR, Situation(NOW, pause=OVER))
    assert EndPause not in kinds(came)
    assert one(came, BeginPause).pause.failures == OVER.failures + 1


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 2), (3, 8), (20, 300)])
def test_a_pause_grows_with_every_failure(failures: int, seconds: float) -> None:
    before = None if not failures else Pause("away", "gone", failures, until=NOW - 1, since=NOW - 9)
    came = consequences.of_session(SETTLED, AWAY, Situation(NOW, jitter=1.0, pause=before))
    assert one(came, BeginPause).pause.until == NOW + seconds


# reading


def test_a_list_that_fails_three_times_is_done_without_for_an_hour() -> None:
    situation = Situation(NOW, jitter=1.0)
    listed = [one(consequences.of_list(UNCLEAR, situation), LearnListed).listed]
    for _ in range(2):
        situation = Situation(NOW, jitter=1.0, listed=listed[-1])
        listed.append(one(consequences.of_list(UNCLEAR, situation), LearnListed).listed)
    assert [item.again - NOW for item in listed] == [1, 2, 3600]
    assert [item.is_given_up for item in listed] == [False, False, True]


@pytest.mark.parametrize("outcome", [UNCLEAR, REFUSED, AWAY], ids=str)
def test_ids_are_asked_for_of_ever_fewer_sessions_and_done_without(outcome: Outcome) -> None:
    limits, situation = [], Situation(NOW, listed=GIVEN_UP)
    while situation.ids is None:
        question = next_question(situation)
        assert isinstance(question, FindIds)
        limits.append(question.limit)
        learned = one(consequences.of_ids(outcome, situation), LearnIds)
        situation = replace(situation, ids=learned.ids, ids_tries=learned.tries)
    assert limits == [4_000, 1_500, 1_000]
    assert situation.ids == {}


@pytest.mark.parametrize(("outcome", "tries"), [(UNCLEAR, 2), (REFUSED, 2), (AWAY, 5)], ids=str)
def test_a_session_that_can_not_be_read_back_is_done_without(outcome: Outcome, tries: int) -> None:
    for failures in range(tries):
        came = consequences.of_reading(
            replace(SETTLED, failures=failures), "id", outcome, [], SUCCEEDED, taken=set(), is_whole=True
        )
        assert (GiveUpReading in kinds(came)) is (failures + 1 == tries)


# what a clock that was set misled


def test_an_update_that_the_server_passed_over_is_not_acknowledged() -> None:
    """Its own clock tells, however ours was set: inside its window an update without news is dropped."""
    retitled = replace(SETTLED, wanted=encoded(cost=7.0), wanted_digest=b"two", written_at=NOW)
    early = Outcome(Verdict.DELIVERED, server_time=NOW + 9)
    late = Outcome(Verdict.DELIVERED, server_time=NOW + 10)
    assert AcknowledgeSession not in kinds(consequences.of_session(retitled, early, SUCCEEDED))
    assert AcknowledgeSession in kinds(consequences.of_session(retitled, late, SUCCEEDED))


def test_an_update_of_a_message_that_the_server_passed_over_is_not_acknowledged() -> None:
    update = waiting(acked_digest=b"before", acked_at=NOW - 60, created_at=round(NOW * 1000))
    for seconds, is_taken in ((4, False), (5, True)):
        outcome = Outcome(Verdict.DELIVERED, server_time=NOW + seconds)
        came = consequences.of_messages(SETTLED, [update], [outcome], SUCCEEDED, begun=1)
        assert (Acknowledge in kinds(came)) is is_taken
