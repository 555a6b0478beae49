"""Whatever happens, the dashboard ends up equal to the transcripts.

That this machine, and the tests beside it, hold the rules of the design was tried by hand: with each of these
changes made to the code, one at a time, this test failed within 300 examples, or within so many as are named,
or, where one is named, the test in brackets.

- an attempt is not recorded, or forgotten though the request may have arrived, of a message and of a batch
- a message that may have arrived is sent again by batch
- a message acknowledged though its answer was lost; an acknowledgement that is not stored
- an older version that is acknowledged makes a newer one forgotten
- an update that does not wait for the server's window, of a message and of a session
- what an update leaves out taken for what the server holds
- an attempt without an answer forgotten where the older version is wanted again (plan); of several attempts
  only the last remembered; a failed request not taken for a write; the server's clock forgotten (3,000)
- messages sent before their session's row
- ids counted at run time
- what was read stored without the cursor, or the cursor moved before it is stored (crashes)
- the bytes before the cursor not compared, a file that shrank not read again, sweeps that find nothing
- history kept when a file is read again from its start
- a longer copy not looked at again (3,000); a copy whose original is gone not looked at (files)
- a fork's guessed parent left a guess; a copied entry counted again, a repeated entry folded again (fold)
- a refused message that holds back those behind it (delivery)
- an excluded transcript read on, secrets redacted behind the store (privacy)
- a backlog without bound (machine/backlog)
- broken lines and unknown types not counted (files/counted)
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.lengths import length, shortened
from tests.storm.trial import Trial

pytestmark = [pytest.mark.slow, shortened]

# Shrinking takes minutes; without it a failure is only told.
SHRINK = () if os.environ.get("STORM_NO_SHRINK") else (Phase.shrink,)
LOST = (
    "lost_parts",
    "dropped_message_updates",
    "dropped_session_updates",
    "orphan_sessions",
    "duplicate_rows",
)


class Storm(RuleBasedStateMachine):
    trial: Trial

    @initialize(seed=st.integers(0, 2**32), batch_keeps_dates=st.booleans(), tool_calls=st.booleans())
    def start(self, seed: int, *, batch_keeps_dates: bool, tool_calls: bool) -> None:
        self.trial = Trial(seed, batch_keeps_dates=batch_keeps_dates, tool_calls=tool_calls)
        self.trial.begin()

    def _any(self, number: int) -> str:
        names = list(self.trial.files)
        return names[number % len(names)]

    @rule()
    @precondition(lambda self: len(self.trial.files) < 5)
    def begin(self) -> None:
        self.trial.begin()

    @rule(
        number=st.integers(0, 9),
        what=st.sampled_from(["say", "call_tools", "answer_tool", "rename", "garbage", "tear"]),
    )
    def write(self, number: int, what: str) -> None:
        getattr(self.trial, what)(self._any(number))

    @rule(
        number=st.integers(0, 9),
        what=st.sampled_from(
            [
                "fork",
                "migrate",
                "rewrite_same",
                "empty_for_a_moment",
                "move",
                "copy",
                "go_on_in_copy",
            ]
        ),
    )
    def change(self, number: int, what: str) -> None:
        getattr(self.trial, what)(self._any(number))

    @rule(number=st.integers(0, 9))
    def restore_backup(self, number: int) -> None:
        self.trial.restore_backup(self._any(number))

    @rule()
    def see(self) -> None:
        self.trial.see()

    @rule(number=st.integers(0, 9))
    def hint(self, number: int) -> None:
        self.trial.hint(self._any(number))

    @rule()
    def read_some(self) -> None:
        self.trial.read_some()

    @rule(rate=st.sampled_from([0.0, 0.3, 0.9]))
    def deliver(self, rate: float) -> None:
        self.trial.deliver(rate)

    @rule(rate=st.sampled_from([0.2, 0.5]))
    def keep_trying(self, rate: float) -> None:
        self.trial.keep_trying(rate)

    @rule(number=st.integers(1, 6), arrived=st.booleans())
    def kill(self, number: int, *, arrived: bool) -> None:
        self.trial.kill_at_request(number, arrived=arrived)

    @rule(number=st.integers(0, 9))
    def write_while_delivering(self, number: int) -> None:
        self.trial.write_while_delivering(self._any(number))

    @rule(number=st.integers(0, 9))
    def answer_while_delivering(self, number: int) -> None:
        self.trial.answer_while_delivering(self._any(number))

    @rule()
    def restart(self) -> None:
        self.trial.restart()

    @rule(seconds=st.sampled_from([1.0, 6.0, 30.0, 4000.0, 100_000.0, -50.0, -90_000.0]))
    def wait(self, seconds: float) -> None:
        if seconds < 0:
            self.trial.world.set_clock_back(-seconds)
        else:
            self.trial.wait(seconds)

    @invariant()
    def nothing_was_lost_on_the_server(self) -> None:
        if hasattr(self, "trial"):
            counters = vars(self.trial.world.opensync.counters)
            lost = {name: counters[name] for name in LOST if counters[name]}
            if self.trial.shrunk:
                lost.pop("lost_parts", None)  # a restored backup may know less of a message
            assert lost == {}

    def teardown(self) -> None:
        if not hasattr(self, "trial"):
            return
        try:
            self.trial.settle()
            self.nothing_was_lost_on_the_server()
            _compare(self.trial)
        finally:
            self.trial.close()


def _compare(trial: Trial) -> None:
    wanted, shown = trial.expected()["sessions"], trial.world.snapshot()["sessions"]
    if not trial.shrunk:
        assert shown == wanted
        return
    for key, session in wanted.items():
        there = {message["externalId"]: message for message in shown[key]["messages"]}
        for message in session["messages"]:
            assert there.get(message["externalId"]) == message
        for name in ("title", "projectPath", "createdAt", "source"):
            assert shown[key].get(name) == session.get(name)


def test_the_dashboard_equals_the_transcripts_whatever_happens() -> None:
    run_state_machine_as_test(
        Storm,
        settings=settings(
            max_examples=length(3_000, 60),
            stateful_step_count=30,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, *SHRINK],
        ),
    )
