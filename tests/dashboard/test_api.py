"""The API answers as OpenSync does, and loses nothing."""

import json
from typing import Any

import pytest

from tests.dashboard.conftest import START, Clock, Local

CALL = {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "ls"}}}


@pytest.mark.parametrize(("source", "left"), [("pi", 0), (None, 5)])
def test_a_cost_that_falls_to_nothing_is_taken_from_who_knows_it(
    local: Local, source: str | None, left: int
) -> None:
    session = local.session("s1", source=source, cost=5, durationMs=5)
    local.session("s1", source=source, cost=0, durationMs=0)
    stored = local.stored(session)[0]
    assert (stored["cost"], stored["durationMs"]) == (left, left)


def test_no_time_at_all_is_a_duration_that_is_read_back(local: Local) -> None:
    session = local.session("s1", durationMs=0)
    assert local.stored(session)[0]["durationMs"] == 0
    local.message("s2", "m")
    assert "durationMs" not in local.stored(local.session("s2"))[0]
    assert local.stored(local.session("s2", durationMs=0))[0]["durationMs"] == 0
    assert local.stored(local.session("s2", durationMs=9))[0]["durationMs"] == 9
    assert local.stored(local.session("s2", durationMs=0))[0]["durationMs"] == 9


def test_health_needs_no_key(local: Local) -> None:
    answer = local.ask("GET", "/health")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "timestamp": START, "server": "pi-opensync"},
    )


def test_a_session_is_stored_with_all_its_fields(local: Local) -> None:
    sent = {
        "source": "pi",
        "title": "Fix it",
        "projectPath": "/home/user/src/webapp",
        "projectName": "webapp",
        "model": "m1",
        "provider": "p1",
        "promptTokens": 10,
        "completionTokens": 5,
        "cost": 0.25,
        "durationMs": 1000,
        "createdAt": START - 5000,
    }
    session, messages = local.stored(local.session("s1", **sent))
    assert {name: session[name] for name in sent} == sent
    assert (session["externalId"], session["totalTokens"], session["messageCount"]) == ("s1", 15, 0)
    assert messages == []


def test_session_id_is_taken_for_external_id(local: Local) -> None:
    session_id = local.post("/sync/session", {"sessionId": "s1"})["sessionId"]
    assert local.session("s1") == session_id


def test_an_update_changes_what_it_names_and_keeps_the_rest(local: Local) -> None:
    first = local.session("s1", title="Old", model="m1", cost=1.5)
    assert local.session("s1", title="New") == first
    session, _ = local.stored(first)
    assert (session["title"], session["model"], session["cost"]) == ("New", "m1", 1.5)


def test_zero_and_null_never_lower_a_number(local: Local) -> None:
    local.session("s1", promptTokens=10, completionTokens=5, cost=1.0, durationMs=7)
    session, _ = local.stored(
        local.session("s1", promptTokens=0, completionTokens=None, cost=0, durationMs=None, title=None)
    )
    assert [session[name] for name in ("promptTokens", "completionTokens", "cost", "durationMs")] == [
        10,
        5,
        1,
        7,
    ]


def test_a_new_cost_alone_is_written_at_once(local: Local) -> None:
    local.session("s1", title="T", cost=1.0)
    session, _ = local.stored(local.session("s1", title="T", cost=2.0))
    assert session["cost"] == 2.0


def test_the_first_date_given_stays(local: Local) -> None:
    session_id = local.session("s1", createdAt=START - 1000)
    local.session("s1", createdAt=START - 9000)
    assert local.stored(session_id)[0]["createdAt"] == START - 1000


def test_a_session_made_by_its_message_takes_the_date_it_gets_later(local: Local) -> None:
    local.message("s1", "a", createdAt=START - 5000, source="claude-code")
    session, messages = local.stored(local.session("s1", createdAt=START - 9000, title="T"))
    assert (session["createdAt"], session["source"], session["messageCount"]) == (
        START - 9000,
        "claude-code",
        1,
    )
    assert [message["externalId"] for message in messages] == ["a"]


def test_fields_that_are_not_stored_are_named(local: Local) -> None:
    answer = local.post("/sync/session", {"externalId": "s1", "toolCallCount": 3, "endReason": "clear"})
    assert answer["ignored"] == ["endReason", "toolCallCount"]


def test_a_message_is_stored_with_all_its_fields(local: Local) -> None:
    sent = {
        "role": "assistant",
        "textContent": "Done.",
        "model": "m2",
        "promptTokens": 3,
        "completionTokens": 4,
        "durationMs": 250,
        "createdAt": START - 100,
        "parts": [
            {"type": "text", "content": "Done."},
            CALL,
            {"type": "odd", "content": [1, None, {"a": True}]},
        ],
    }
    local.message("s1", "a", **sent)
    _, (message,) = local.stored(local.session("s1"))
    assert {name: message[name] for name in sent} == sent


def test_an_update_right_after_the_message_is_not_dropped(local: Local) -> None:
    local.message("s1", "a", textContent="Half", createdAt=START)
    local.message("s1", "a", textContent="Whole", parts=[CALL], createdAt=START + 5, role="user")
    session, (message,) = local.stored(local.session("s1"))
    assert (message["textContent"], message["parts"], session["messageCount"]) == ("Whole", [CALL], 1)
    assert (message["role"], message["createdAt"]) == ("assistant", START)


def test_an_update_without_parts_keeps_them(local: Local) -> None:
    local.message("s1", "a", parts=[CALL])
    local.message("s1", "a", promptTokens=5)
    _, (message,) = local.stored(local.session("s1"))
    assert (message["parts"], message["promptTokens"]) == ([CALL], 5)


def test_a_retry_by_batch_keeps_parts(local: Local) -> None:
    message = {"sessionExternalId": "s1", "externalId": "a", "role": "assistant", "parts": [CALL]}
    for _ in range(2):
        answer = local.post("/sync/batch", {"sessions": [{"externalId": "s1"}], "messages": [message]})
        assert answer == {"ok": True, "sessions": 1, "messages": 1, "errors": []}
    session, (stored,) = local.stored(local.session("s1"))
    assert (stored["parts"], session["messageCount"]) == ([CALL], 1)


def test_a_batch_keeps_dates(local: Local) -> None:
    message = {"sessionExternalId": "s1", "externalId": "a", "role": "user", "createdAt": START - 50}
    local.post(
        "/sync/batch", {"sessions": [{"externalId": "s1", "createdAt": START - 90}], "messages": [message]}
    )
    session, (stored,) = local.stored(local.session("s1"))
    assert (session["createdAt"], stored["createdAt"]) == (START - 90, START - 50)


def test_a_batch_with_anything_wrong_writes_nothing_and_names_it_all(local: Local) -> None:
    good = {"sessionExternalId": "s1", "externalId": "a", "role": "user"}
    batch = {
        "sessions": [{"externalId": "s1"}, {"title": "no id"}],
        "messages": [good, {**good, "externalId": "b", "role": "robot"}, 7],
    }
    answer = local.post("/sync/batch", batch, status=400)
    assert answer["ok"] is False
    assert answer["field"] == "sessions[1].externalId"
    assert [error.split(":")[0] for error in answer["errors"]] == [
        "sessions[1].externalId",
        "messages[1].role",
        "messages[2]",
    ]
    assert local.get("/sync/sessions/list") == {"sessionIds": []}


def test_the_same_message_id_in_two_sessions_is_two_messages(local: Local) -> None:
    local.message("s1", "a", textContent="one")
    local.message("s2", "a", textContent="two")
    texts = [local.stored(local.session(name))[1][0]["textContent"] for name in ("s1", "s2")]
    assert texts == ["one", "two"]


def test_messages_come_in_the_order_of_their_dates_then_of_their_arrival(local: Local) -> None:
    for name, at in (("c", 30), ("a", 10), ("b1", 20), ("b2", 20), ("b3", 20)):
        local.message("s1", name, createdAt=START + at)
    _, messages = local.stored(local.session("s1"))
    assert [message["externalId"] for message in messages] == ["a", "b1", "b2", "b3", "c"]


def test_sessions_are_listed_by_their_last_change(local: Local, clock: Clock) -> None:
    for name in ("a", "b", "c"):
        clock.ms += 1
        local.session(name)
    clock.ms += 1
    local.message("a", "m")
    assert [row["externalId"] for row in local.get("/api/sessions?limit=2")["sessions"]] == ["a", "c"]
    assert local.get("/sync/sessions/list") == {"sessionIds": ["a", "b", "c"]}


def test_a_message_sent_again_unchanged_changes_nothing(local: Local, clock: Clock) -> None:
    local.message("s1", "a", textContent="x", parts=[CALL])
    before = local.get("/api/sessions")
    clock.ms += 1000
    local.message("s1", "a", textContent="x", parts=[CALL])
    assert local.get("/api/sessions") == before


def test_stats_add_up(local: Local) -> None:
    local.session("s1", model="m1", promptTokens=10, completionTokens=1, cost=0.5, durationMs=100)
    local.session("s2", promptTokens=4, cost=0.25)
    local.message("s1", "a")
    assert local.get("/api/stats") == {
        "sessionCount": 2,
        "messageCount": 1,
        "totalTokens": 15,
        "totalCost": 0.75,
        "totalDurationMs": 100,
        "modelUsage": {
            "m1": {"tokens": 11, "cost": 0.5, "sessions": 1},
            "unknown": {"tokens": 4, "cost": 0.25, "sessions": 1},
        },
    }


def test_search_finds_titles_and_messages(local: Local) -> None:
    local.session("s1", title="A flaky test")
    local.message("s2", "a", parts=[{"type": "tool-result", "content": "flaky as ever"}])
    local.session("s3", title="Other")
    assert [row["externalId"] for row in local.get("/api/search?q=flaky")["results"]] == ["s1", "s2"]
    assert len(local.get("/api/search?q=flaky&limit=1")["results"]) == 1
    assert local.get("/api/search?q=%2B%2B")["results"] == []


@pytest.mark.parametrize(
    ("url", "status", "field"),
    [
        ("/api/search", 400, "q"),
        ("/api/search?q=x&limit=-1", 400, "limit"),
        ("/api/sessions?limit=many", 400, "limit"),
        ("/api/sessions?limit=\u0663", 400, "limit"),
        ("/api/sessions/get", 400, "id"),
        ("/api/sessions/get?id=nonsense", 404, None),
        ("/api/sessions/get?id=../../etc/passwd", 404, None),
        ("/api/sessions/get?id=99999999999999999999", 404, None),
        ("/api/sessions/get?id=42", 404, None),
        ("/api/export?id=42", 404, None),
        ("/api/export?id=1&format=exe", 400, "format"),
        ("/api/nothing", 404, None),
        ("/sync/nothing", 404, None),
        ("/sync/session", 405, None),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong(
    local: Local, url: str, status: int, field: str | None
) -> None:
    answer = local.get(url, status=status)
    assert answer["error"]
    assert answer.get("field") == field


def test_a_limit_beyond_all_bounds_is_cut(local: Local) -> None:
    local.session("s1")
    assert len(local.get("/api/sessions?limit=999999999999")["sessions"]) == 1


def test_a_long_session_is_read_whole(local: Local) -> None:
    messages = [
        {"sessionExternalId": "s1", "externalId": f"m{place}", "role": "user", "createdAt": START + place}
        for place in range(1234)
    ]
    local.post("/sync/batch", {"messages": messages})
    _, stored = local.stored(local.session("s1"))
    assert [message["externalId"] for message in stored] == [message["externalId"] for message in messages]


def test_text_of_every_kind_comes_back_as_it_was_sent(local: Local) -> None:
    text = "NUL \0 bell \x07 ünï \U0001f600 \u2028 \u202e <b> ' \" \\ \r\n end"
    local.message("s1", "a", textContent=text, parts=[{"type": "text", "content": {"text": text}}])
    _, (message,) = local.stored(local.session("s1"))
    assert (message["textContent"], message["parts"][0]["content"]["text"]) == (text, text)


def test_lone_surrogates_become_the_replacement_character(local: Local) -> None:
    body = b'{"sessionExternalId":"s1","externalId":"a\\ud83d","role":"user","textContent":"x\\ud83dy"}'
    local.post("/sync/message", body)
    _, (message,) = local.stored(local.session("s1"))
    assert (message["externalId"], message["textContent"]) == ("a\ufffd", "x\ufffdy")


def test_export_gives_openais_shape_lines_and_markdown(local: Local) -> None:
    session_id = local.session("s1", title="T/../x", model="m1")
    local.message("s1", "a", role="user", textContent="Hi", createdAt=START)
    expected: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
    assert local.get(f"/api/export?id={session_id}") == {
        "session": {"id": session_id, "title": "T/../x", "model": "m1"},
        "messages": expected,
    }
    lines = local.ask("GET", f"/api/export?id={session_id}&format=jsonl", headers=local.bearer)
    assert [json.loads(line) for line in lines.text.splitlines()] == expected
    markdown = local.ask("GET", f"/api/export?id={session_id}&format=markdown", headers=local.bearer)
    assert markdown.headers["content-disposition"] == 'attachment; filename="T-x.md"'
    assert markdown.text.startswith("# T/../x\n")
    assert "## User, 2026-05-28 20:26:40\n\nHi\n" in markdown.text


@pytest.fixture
def discussed(local: Local) -> Local:
    for name, words in (("login", "the cookie was dropped"), ("charts", "the axis has no unit")):
        local.session(name, title=f"Fix the {name}", projectPath=f"/src/{name}", model="m1")
        for number in range(12):
            local.message(name, f"{name} {number}", role="user", textContent=f"{words}, {number}")
    return local


def test_context_is_the_last_messages_of_the_sessions_that_hold_the_words(discussed: Local) -> None:
    answer = discussed.get("/api/context?q=cookie")
    assert answer["sessionCount"] == 1
    assert answer["text"].startswith(
        'Relevant coding sessions for: "cookie"\n\n'
        "--- Session: Fix the login ---\nProject: /src/login\nModel: m1\n\n"
        "[USER]\nthe cookie was dropped, 2\n\n"
    )
    assert answer["text"].endswith("[USER]\nthe cookie was dropped, 11\n\n\n")


def test_context_as_messages_names_their_session(discussed: Local) -> None:
    answer = discussed.get("/api/context?q=axis&format=messages")
    assert (len(answer["messages"]), answer["sessionCount"]) == (10, 1)
    last = answer["messages"][-1]
    assert (last["role"], last["content"]) == ("user", "the axis has no unit, 11")
    assert last["metadata"]["sessionTitle"] == "Fix the charts"
    assert discussed.stored(last["metadata"]["sessionId"])[0]["title"] == "Fix the charts"


def test_context_for_a_question_holds_what_answers_some_of_its_words(discussed: Local) -> None:
    assert discussed.get("/api/context?q=why+was+a+cookie+dropped")["sessionCount"] > 0
    first = discussed.get("/api/context?q=cookie+unit&limit=1")
    assert first["sessionCount"] == 1
    assert discussed.get("/api/context?q=nowhere")["sessionCount"] == 0
    assert discussed.get("/api/context?q=%20", status=400)["field"] == "q"
    assert discussed.get("/api/context?q=a&format=xml", status=400)["field"] == "format"
