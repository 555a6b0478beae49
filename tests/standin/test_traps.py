"""The traps of OpenSync, one a test, against the stand-in that others are tested with."""

import json
import secrets

import pytest

from tests.standin.bench import START, Bench, message, text

LONG_AGO = START * 1000 - 86_400_000


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def later() -> Bench:
    return Bench(batch_keeps_dates=True)


def test_a_batch_with_created_at_writes_nothing(bench: Bench) -> None:
    errors = bench.batch(
        sessions=[{"externalId": "a"}, {"externalId": "b", "createdAt": LONG_AGO}],
        messages=[message("1"), message("2", createdAt=LONG_AGO)],
    )
    assert [error.split(" batch error: ")[0] for error in errors] == ["Sessions", "Messages"]
    assert all("extra field `createdAt` that is not in the validator" in error for error in errors)
    assert not bench.opensync.sessions
    assert not bench.opensync.messages
    assert bench.counters.refused_batches == 1


@pytest.mark.parametrize("name", ["totalTokens", "messageCount"])
def test_a_batch_takes_no_other_field_either(bench: Bench, name: str) -> None:
    assert f"extra field `{name}`" in bench.batch(sessions=[{"externalId": "s", name: 1}])[0]
    assert not bench.opensync.sessions


def test_a_refused_session_list_leaves_its_messages_to_an_undated_orphan(bench: Bench) -> None:
    assert len(bench.batch(sessions=[{"externalId": "s", "createdAt": LONG_AGO}], messages=[message()])) == 1
    assert bench.opensync.sessions["s"].created_at == START * 1000
    assert bench.opensync.sessions["s"].title is None
    assert bench.counters.orphan_sessions == 1


def test_a_batch_dates_everything_now(bench: Bench) -> None:
    assert bench.batch(sessions=[{"externalId": "s"}], messages=[message()]) == []
    assert bench.opensync.sessions["s"].created_at == START * 1000
    assert bench.opensync.messages["m"].created_at == START * 1000


def test_a_batch_takes_the_parts_from_a_message_that_exists(bench: Bench) -> None:
    bench.message(createdAt=LONG_AGO, parts=[text("one")])
    assert bench.batch(messages=[message(textContent="new", parts=[text("two")])]) == []
    assert bench.opensync.messages["m"].text_content == "new"
    assert bench.opensync.messages["m"].parts == []
    assert bench.counters.lost_parts == 1


def test_a_batch_gives_no_parts_to_a_message_that_has_none(bench: Bench) -> None:
    bench.message(createdAt=LONG_AGO)
    bench.batch(messages=[message(parts=[text("late")])])
    assert bench.opensync.messages["m"].parts == []
    assert bench.counters.lost_parts == 1


def test_a_retry_by_message_repairs_what_a_batch_destroyed(bench: Bench) -> None:
    bench.message(createdAt=LONG_AGO, parts=[text("one")])
    bench.batch(messages=[message(parts=[text("two")])])
    bench.message(parts=[text("two")])
    assert bench.opensync.messages["m"].parts == [text("two")]


def test_the_later_server_keeps_the_dates_of_a_batch(later: Bench) -> None:
    sessions = [{"externalId": "s", "createdAt": LONG_AGO}]
    assert later.batch(sessions=sessions, messages=[message(createdAt=LONG_AGO + 1)]) == []
    assert later.opensync.sessions["s"].created_at == LONG_AGO
    assert later.opensync.messages["m"].created_at == LONG_AGO + 1


def test_the_later_server_still_destroys_parts(later: Bench) -> None:
    wanted = message(createdAt=LONG_AGO, parts=[text("one")])
    later.batch(messages=[wanted])
    later.batch(messages=[wanted])
    assert later.opensync.messages["m"].parts == []
    assert later.counters.lost_parts == 1


def test_an_id_twice_in_one_batch_is_stored_twice(bench: Bench) -> None:
    assert bench.batch(sessions=[{"externalId": "s"}] * 2, messages=[message(), message()]) == []
    shown = bench.opensync.snapshot()["sessions"]
    assert [row["externalId"] for row in shown["s"]["messages"]] == ["m", "m"]
    assert len(shown) == 2
    assert bench.counters.duplicate_rows == 2


def test_a_message_younger_than_5_s_is_not_updated(bench: Bench) -> None:
    bench.message(createdAt=START * 1000, parts=[text("old")])
    bench.time += 4.999
    assert bench.message(parts=[text("new")])[1]["ok"] is True
    assert bench.opensync.messages["m"].parts == [text("old")]
    assert bench.counters.dropped_message_updates == 1
    bench.time += 0.001
    bench.message(parts=[text("new")])
    assert bench.opensync.messages["m"].parts == [text("new")]


def test_a_batch_drops_an_update_in_the_window_too(bench: Bench) -> None:
    bench.batch(messages=[message(parts=[text("old")])])
    assert bench.batch(messages=[message(parts=[text("new")])]) == []
    assert bench.opensync.messages["m"].parts == [text("old")]
    assert bench.counters.dropped_message_updates == 1


def test_a_message_dated_in_the_future_is_not_updated_until_5_s_after_it(bench: Bench) -> None:
    bench.message(createdAt=START * 1000 + 60_000, textContent="old")
    bench.time += 60
    bench.message(textContent="new")
    assert bench.opensync.messages["m"].text_content == "old"


def test_the_same_message_again_is_a_repeat_and_no_dropped_update(bench: Bench) -> None:
    for _ in range(2):
        bench.message("young", createdAt=START * 1000, parts=[text("same")])
        bench.message("old", createdAt=LONG_AGO, parts=[text("same")])
    assert bench.counters.repeated_messages == 2
    assert bench.counters.dropped_message_updates == 0


def test_a_new_cost_alone_is_dropped_for_10_s(bench: Bench) -> None:
    bench.session(title="t", promptTokens=5, cost=1)
    bench.time += 9.999
    assert bench.session(title="t", promptTokens=5, cost=2, durationMs=7)[1]["ok"] is True
    assert bench.opensync.sessions["s"].cost == 1
    assert bench.counters.dropped_session_updates == 1
    bench.time += 0.001
    bench.session(title="t", promptTokens=5, cost=2, durationMs=7)
    assert (bench.opensync.sessions["s"].cost, bench.opensync.sessions["s"].duration_ms) == (2, 7)


def test_a_message_opens_the_window_of_its_session_anew(bench: Bench) -> None:
    bench.session(title="t", cost=1)
    bench.time += 8
    bench.message()
    bench.time += 8
    bench.session(title="t", cost=2)
    assert bench.opensync.sessions["s"].cost == 1


def test_a_message_update_without_text_opens_no_window(bench: Bench) -> None:
    bench.session(title="t", cost=1)
    bench.message(createdAt=LONG_AGO)
    bench.time += 10
    bench.message(parts=[{"type": "tool-result", "content": "no text part"}])
    bench.session(title="t", cost=2)
    assert bench.opensync.sessions["s"].cost == 2


def test_an_equal_session_in_the_window_is_no_dropped_update(bench: Bench) -> None:
    bench.session(title="t", cost=1)
    bench.session(title="t", cost=1)
    assert bench.counters.dropped_session_updates == 0


def test_a_new_title_is_written_at_once_with_all_else(bench: Bench) -> None:
    bench.session(title="t", cost=1)
    bench.session(title="u", cost=2)
    assert (bench.opensync.sessions["s"].title, bench.opensync.sessions["s"].cost) == ("u", 2)


def test_token_counts_never_fall_to_0(bench: Bench) -> None:
    bench.session(promptTokens=5, completionTokens=6)
    bench.time += 20
    bench.session(title="u", promptTokens=0)
    row = bench.opensync.sessions["s"]
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == (5, 6, 11)


def test_a_message_without_a_session_makes_one_untitled_and_dated_now(bench: Bench) -> None:
    bench.message("1", "a", createdAt=LONG_AGO)
    bench.message("2", "b", source="pi", model="m")
    a, b = (bench.opensync.sessions[name] for name in "ab")
    assert (a.title, a.source, a.created_at) == (None, "opencode", START * 1000)
    assert (b.source, b.model) == ("pi", "m")
    bench.session("a", title="t", createdAt=LONG_AGO)
    assert bench.opensync.sessions["a"].created_at == START * 1000


def test_the_source_cursor_is_renamed_when_a_session_is_inserted(bench: Bench) -> None:
    bench.session("a", source="cursor")
    bench.message("1", "b", source="cursor")
    assert {row.source for row in bench.opensync.sessions.values()} == {"cursor-sync"}


def test_a_message_id_is_one_across_all_sessions(bench: Bench) -> None:
    bench.message("m", "a", createdAt=LONG_AGO, textContent="of a")
    bench.message("m", "b", createdAt=LONG_AGO, textContent="of b")
    shown = bench.opensync.snapshot()["sessions"]
    assert [row["textContent"] for row in shown["a"]["messages"]] == ["of b"]
    assert shown["b"]["messages"] == []


def test_an_update_of_a_message_keeps_its_role_and_date(bench: Bench) -> None:
    bench.message(createdAt=LONG_AGO)
    bench.message(createdAt=LONG_AGO + 9, role="tool")
    assert bench.opensync.messages["m"].role == "user"
    assert bench.opensync.messages["m"].created_at == LONG_AGO


def test_a_message_update_without_parts_removes_them(bench: Bench) -> None:
    bench.message(createdAt=LONG_AGO, parts=[text("one")])
    bench.message(textContent="only text")
    assert bench.opensync.messages["m"].parts == []
    assert bench.counters.lost_parts == 1


def test_a_new_title_wipes_the_messages_from_the_search_text(bench: Bench) -> None:
    bench.session(title="t")
    bench.message(parts=[text("found"), {"type": "tool-result", "content": "not this"}])
    assert bench.opensync.sessions["s"].searchable_text == "t found"
    bench.session(title="u")
    assert bench.opensync.sessions["s"].searchable_text == "u"


def test_every_session_call_that_is_answered_schedules_an_embedding(bench: Bench) -> None:
    for _ in range(3):
        bench.session(title="t")
    bench.session(title=None)
    bench.batch(sessions=[{"externalId": "s", "title": "u"}])
    assert bench.counters.embedding_jobs == 3


@pytest.mark.parametrize("name", ["title", "cost", "createdAt", "projectPath"])
def test_null_is_not_absent_for_a_session(bench: Bench, name: str) -> None:
    status, answer = bench.post("/sync/session", {"externalId": "s", name: None})
    assert (status, f"Path: .{name}\nValue: null" in answer["error"]) == (500, True)
    assert "ArgumentValidationError" in answer["error"]
    assert not bench.opensync.sessions


@pytest.mark.parametrize("name", ["textContent", "parts", "createdAt", "durationMs", "role"])
def test_null_is_not_absent_for_a_message(bench: Bench, name: str) -> None:
    status, answer = bench.post("/sync/message", message() | {name: None})
    assert (status, "ArgumentValidationError" in answer["error"]) == (500, True)
    assert not bench.opensync.messages


def test_one_bad_message_fails_the_whole_list_of_a_batch(bench: Bench) -> None:
    errors = bench.batch(sessions=[{"externalId": "s"}], messages=[message("1"), message("2", model=None)])
    assert "Path: .messages[1].model" in errors[0]
    assert list(bench.opensync.sessions) == ["s"]
    assert not bench.opensync.messages


def test_an_error_repeats_the_text_that_was_sent(bench: Bench) -> None:
    private = secrets.token_hex(8)
    assert private in bench.batch(messages=[message(textContent=private, createdAt=1)])[0]


def test_a_body_that_is_no_json_is_answered_500(bench: Bench) -> None:
    for body in (b"", b"{", b"NaN", b'{"externalId": Infinity}', b"null"):
        assert bench.post("/sync/session", body)[0] == 500


def test_a_wrong_key_is_answered_401_and_stores_nothing(bench: Bench) -> None:
    body = json.dumps({"externalId": "s"}).encode()
    for headers in ({}, {"Authorization": bench.key}, {"Authorization": f"Bearer {bench.key}x"}):
        assert bench.opensync.handle("POST", "/sync/session", headers, body).status == 401
    assert not bench.opensync.sessions


def test_equal_dashboards_give_equal_snapshots_however_they_came_about() -> None:
    straight, winding = Bench(), Bench()
    for bench in (straight, winding):
        bench.session(title="t", createdAt=LONG_AGO)
    straight.message("1", createdAt=LONG_AGO, parts=[text("one")])
    straight.message("2", createdAt=LONG_AGO + 1)
    winding.time += 100
    winding.message("2", createdAt=LONG_AGO + 1)
    winding.message("1", createdAt=LONG_AGO, parts=[text("draft")])
    assert straight.opensync.snapshot() != winding.opensync.snapshot()
    winding.message("1", parts=[text("one")])
    assert straight.opensync.snapshot() == winding.opensync.snapshot()
    assert json.loads(json.dumps(straight.opensync.snapshot())) == straight.opensync.snapshot()
