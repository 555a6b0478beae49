"""When what is sent to OpenSync, and what becomes of it when the server, the network or the key fails."""

import asyncio
import json
from collections import Counter
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.deliver.talks import numbered, says, write_session
from tests.harness import START, TRANSCRIPTS, World, header, said, session_id, usage
from tests.lengths import length, shortened
from tests.standin.faults import Busy, CutAfter, CutBefore, ErrorBefore, Fault, Html, random_faults
from tests.standin.transport import Request

DAY = 86_400.0
REFUSED = ErrorBefore(500, b'{"error":"Error: ArgumentValidationError: Value does not match validator."}')
UNCLEAR = ErrorBefore(500, b'{"error":"boom"}')


def test_a_session_row_comes_before_its_messages(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        rows: set[str] = set()
        for request in world.transport.log:
            if request.path == "/sync/session":
                rows.add(request.json["externalId"])
            elif request.path == "/sync/message":
                assert request.json["sessionExternalId"] in rows
        assert world.opensync.counters.orphan_sessions == 0


def test_a_backfill_sends_every_row_and_every_message_once(tmp_path: Path) -> None:
    with World(tmp_path, tool_calls=True) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        requests = world.opensync.counters.requests
        assert requests["/sync/session"] == len(world.opensync.sessions)
        assert requests["/sync/message"] == len(world.opensync.messages)
        world.clock.move(60)
        world.restart()
        world.sync()
        assert world.opensync.counters.requests == requests


def test_a_session_that_changes_is_sent_at_most_every_ten_seconds_and_once_when_it_rests(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        world.append("s.jsonl", header("s", START))
        for second in range(35):
            at = START + second
            world.sync_until(at)
            answer = said("assistant", f"{second}", at, usage=usage(prompt=10, dollars=0.01))
            world.append("s.jsonl", answer)
        world.sync()
        moments = world.sent_at("/sync/session")
        assert 4 <= len(moments) <= 6
        assert all(later - earlier >= 10 for earlier, later in pairwise(moments))
        row = world.opensync.sessions[session_id("s")]
        assert (row.prompt_tokens, round(row.cost, 6)) == (350, 0.35)
        assert world.side_effects() == {}


def test_a_change_of_the_cost_alone_is_not_lost_in_the_servers_window(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("s.jsonl", header("s", START), said("user", "Hello", START))
        world.sync_until(START + 1)
        spent = said("assistant", "", START + 1, usage=usage(prompt=0, completion=0, dollars=0.25))
        world.append("s.jsonl", spent)
        world.sync()
        assert world.opensync.sessions[session_id("s")].cost == 0.25
        assert world.side_effects() == {}


def test_a_first_session_without_an_answer_waits_for_the_window_also_once_our_clock_is_set_back(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", START), said("user", "One", START))
        world.transport.faults = lambda _method, path: CutAfter() if path == "/sync/session" else None
        world.step()
        world.transport.faults = lambda _method, _path: None
        spent = said("assistant", "", START, usage=usage(prompt=0, completion=0, dollars=0.25))
        world.append("a.jsonl", spent)
        world.set_clock_back(50.0)
        world.sync()
        assert world.opensync.counters.dropped_session_updates == 0
        assert world.opensync.sessions[session_id("a")].cost == 0.25


def test_messages_are_sent_in_the_order_of_the_file(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        for name in "abc":
            write_session(world, name, 150)
        world.sync()
        for name in "abc":
            sent = [request.json for request in world.sent("/sync/message")]
            texts = [body["textContent"] for body in sent if body["sessionExternalId"] == session_id(name)]
            assert texts == numbered(name, 150)


def test_a_batch_refused_for_dates_loses_nothing_and_is_asked_again_only_the_next_day(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 20)
        write_session(world, "b", 20)
        world.sync()
        assert [len(request.json["messages"]) for request in world.sent("/sync/batch")] == [1]
        assert world.opensync.counters.refused_batches == 1
        assert world.texts(session_id("a")) == numbered("a", 20)
        assert world.texts(session_id("b")) == numbered("b", 20)

        world.clock.move_to(START + DAY - 60)
        world.restart()
        write_session(world, "c", 20)
        world.sync()
        assert world.opensync.counters.refused_batches == 1

        world.clock.move_to(START + DAY + 60)
        write_session(world, "d", 20)
        world.sync()
        assert world.opensync.counters.refused_batches == 2
        assert world.texts(session_id("d")) == numbered("d", 20)
        assert world.side_effects() == {}


def test_six_sessions_go_side_by_side_each_with_one_request_at_a_time(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        under_way: Counter[str] = Counter()
        most = 0

        async def gate(request: Request) -> None:
            nonlocal most
            session = str((request.json or {}).get("sessionExternalId") or request.path)
            under_way[session] += 1
            most = max(most, under_way.total())
            if request.path == "/sync/message":
                assert under_way[session] == 1
            for _ in range(50):
                await asyncio.sleep(0)
            under_way[session] -= 1

        world.transport.gate = gate
        world.place(TRANSCRIPTS)
        world.sync()
        assert most == 6
        assert world.opensync.counters.concurrent_session_writes == 0
        assert len(world.opensync.messages) == world.tally().messages_delivered


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("dated", [False, True])
def test_retry_after_is_honoured_by_every_session(tmp_path: Path, status: Any, dated: bool) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 3)
        write_session(world, "b", 3)
        wait = formatdate(START + 77, usegmt=True) if dated else "77"
        world.fail(Busy(status, wait), says("a 1"))
        world.step()
        refused_at = len(world.transport.log)
        world.fail(None)
        world.sync_until(START + 76)
        assert len(world.transport.log) == refused_at
        world.sync()
        assert world.texts(session_id("a")) == numbered("a", 3)
        assert world.texts(session_id("b")) == numbered("b", 3)


@pytest.mark.parametrize("fault", [CutBefore(), Html(), ErrorBefore(502, b"bad gateway"), Busy(503)])
def test_an_absent_server_is_asked_ever_more_rarely_also_after_a_restart(
    tmp_path: Path, fault: Fault
) -> None:
    with World(tmp_path) as world:
        write_session(world, "s", 3)
        world.fail(fault)
        world.sync_until(START + 20)
        asked = len(world.transport.log)
        world.restart()
        due = world.step()
        assert len(world.transport.log) == asked
        assert due is not None
        world.sync_until(START + 3600)
        gaps = [later - earlier for earlier, later in pairwise(world.transport.moments)]
        assert all(gap >= 0.5 for gap in gaps)
        assert gaps == sorted(gaps)
        assert 150 <= gaps[-1] <= 300
        world.fail(None)
        world.sync()
        assert world.texts(session_id("s")) == numbered("s", 3)


def test_a_failed_message_waits_also_after_a_restart(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "s", 3)
        world.fail(ErrorBefore(), says("s 1"))
        world.sync_until(START + 20)
        asked = sum(map(says("s 1"), world.transport.log))
        assert 2 <= asked <= 6
        world.restart()
        world.step()
        assert sum(map(says("s 1"), world.transport.log)) == asked
        world.fail(None)
        world.sync()
        assert world.texts(session_id("s")) == numbered("s", 3)


@pytest.mark.parametrize("choice", [{"batch_keeps_dates": True}, {"timestamps": "server"}])
def test_a_batch_has_at_most_a_hundred_messages_and_a_mebibyte(tmp_path: Path, choice: Any) -> None:
    with World(tmp_path, **choice) as world:
        write_session(world, "many", 250)
        write_session(world, "large", 30, size=100_000)
        world.sync()
        batches = [request.json["messages"] for request in world.sent("/sync/batch")]
        sizes = [
            len(json.dumps({"messages": batch}, ensure_ascii=False, separators=(",", ":")))
            for batch in batches
        ]
        assert max(map(len, batches)) == 100
        assert 900_000 < max(sizes) <= 1 << 20
        assert world.texts(session_id("many")) == numbered("many", 250)
        assert len(world.texts(session_id("large"))) == 30
        assert world.side_effects() == {}


def test_a_message_that_may_have_arrived_is_never_sent_again_by_batch(tmp_path: Path) -> None:
    with World(tmp_path, batch_keeps_dates=True) as world:
        write_session(world, "asks", 2)
        world.sync()
        write_session(world, "s", 150)
        world.fail(CutAfter(), lambda request: request.path == "/sync/batch")
        world.step()
        world.fail(None)
        world.sync()
        batched = Counter(
            body["externalId"] for request in world.sent("/sync/batch") for body in request.json["messages"]
        )
        assert max(batched.values()) == 1
        assert world.texts(session_id("s")) == numbered("s", 150)
        assert world.side_effects() == {}


def test_a_refused_message_is_parked_with_its_reason_and_holds_back_no_other(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 5)
        write_session(world, "b", 5)
        world.fail(REFUSED, says("a 2"))
        world.step()
        assert world.texts(session_id("a")) == ["a 0", "a 1", "a 3", "a 4"]
        assert world.texts(session_id("b")) == numbered("b", 5)
        world.sync()
        assert sum(map(says("a 2"), world.transport.log)) == 1
        assert world.tally().messages_parked == 1
        (parked,) = world.logged("set aside")
        assert "validator" in parked["reason"]


def test_a_refused_session_is_parked_and_holds_back_no_other(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 2)
        write_session(world, "b", 2)
        world.fail(REFUSED, lambda request: (request.json or {}).get("externalId") == session_id("a"))
        world.step()
        assert list(world.opensync.sessions) == [session_id("b")]
        assert world.texts(session_id("b")) == numbered("b", 2)
        assert world.tally().sessions_parked == 1
        assert len(world.logged("set aside")) == 1


def test_a_message_that_fails_without_a_reason_is_parked_after_five_tries(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        write_session(world, "a", 4)
        write_session(world, "b", 4)
        world.fail(UNCLEAR, says("a 1"))
        world.step()
        assert world.texts(session_id("b")) == numbered("b", 4)
        world.sync()
        assert world.texts(session_id("a")) == ["a 0", "a 2", "a 3"]
        assert sum(map(says("a 1"), world.transport.log)) == 5
        assert world.tally().messages_parked == 1


def test_a_wrong_key_pauses_everything_and_reading_goes_on(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.opensync.key = "osk_" + "another"
        write_session(world, "a", 5)
        write_session(world, "b", 5)
        world.sync_until(START + 300)
        assert {request.status for request in world.transport.log} == {401}
        asked = len(world.transport.log)
        assert asked <= 6
        write_session(world, "c", 5)
        world.sync_until(START + 599)
        assert len(world.transport.log) == asked
        assert world.tally().messages_waiting == 15
        assert world.opensync.messages == {}

        world.opensync.key = world.key
        world.sync()
        assert world.tally().messages_delivered == len(world.opensync.messages) == 15


@pytest.mark.slow
@shortened
@pytest.mark.parametrize("batch_keeps_dates", [False, True])
@pytest.mark.parametrize("seed", range(length(10, 1)))
def test_whatever_fails_meanwhile_the_server_ends_up_the_same(
    tmp_path: Path, batch_keeps_dates: bool, seed: int
) -> None:
    choice: dict[str, Any] = {"tool_calls": True, "batch_keeps_dates": batch_keeps_dates}
    with World(tmp_path / "well", **choice) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        wanted = world.snapshot()
    with World(tmp_path / "failing", **choice) as world:
        world.place(TRANSCRIPTS)
        world.transport.faults = random_faults(Random(seed), 0.3)  # noqa: S311 - repeatable, nothing secret
        world.sync(moves=20_000)
        assert world.tally().messages_parked == world.tally().sessions_parked == 0
        assert world.snapshot() == wanted
        assert world.side_effects() == {}


def test_a_backfill_ends_with_the_newest_session_on_top(tmp_path: Path) -> None:
    """The dashboard lists by last write: a large old session is through before the small new ones begin."""
    with World(tmp_path, start=START) as world:
        for day in range(20):
            world.clock.move_to(START + day * DAY)
            write_session(world, f"{(day * 7) % 20:02}", 450 if day == 0 else 3)
        world.restart()
        world.engine.follow.begin(world.engine.follow.list_files(), backfill=True)
        world.sync()
        rows = world.opensync.sessions.values()
        by_write = [row.created_at for row in sorted(rows, key=lambda row: (row.updated_at, row.id))]
        assert by_write.index(min(by_write)) <= 6
        assert set(by_write[-6:]) == set(sorted(by_write)[-6:])
