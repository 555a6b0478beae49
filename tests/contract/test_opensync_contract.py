"""What every OpenSync server does, today's, a later one and a local one: the contract without its traps."""

import time
from typing import Any

import httpx
import pytest

from tests.contract.conftest import Backend

LONG_AGO = 1_600_000_000_000
TEXT = {"type": "text", "content": "hello"}
CALL = {
    "type": "tool-call",
    "content": {"toolName": "bash", "args": {"command": "ls", "deep": [{"n": None}]}},
}
RESULT = {"type": "tool-result", "content": "file.txt"}
SESSION = {
    "externalId": "s",
    "source": "pi",
    "title": "A title",
    "projectPath": "/home/user/webapp",
    "projectName": "webapp",
    "model": "model-1",
    "provider": "provider-1",
    "promptTokens": 1200,
    "completionTokens": 34,
    "cost": 0.0125,
    "durationMs": 61000,
    "createdAt": LONG_AGO,
}
MESSAGE = {
    "sessionExternalId": "s",
    "externalId": "s-assistant-1",
    "role": "assistant",
    "textContent": "hello",
    "model": "model-1",
    "promptTokens": 10,
    "completionTokens": 5,
    "durationMs": 900,
    "source": "pi",
    "parts": [TEXT, CALL, RESULT],
    "createdAt": LONG_AGO + 1000,
}


def sent(opensync: Backend, path: str, payload: Any) -> dict[str, Any]:
    response = opensync.client.post(path, json=payload)
    answer: dict[str, Any] = response.json()
    assert (response.status_code, answer.get("ok")) == (200, True), answer
    return answer


def listed(opensync: Backend, **query: int) -> list[dict[str, Any]]:
    answer: dict[str, list[dict[str, Any]]] = opensync.client.get("/api/sessions", params=query).json()
    return answer["sessions"]


def read(opensync: Backend, external_id: str = "s") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    (row,) = (row for row in listed(opensync, limit=1000) if row["externalId"] == external_id)
    answer = opensync.client.get("/api/sessions/get", params={"id": row["id"]}).json()
    return answer["session"], answer["messages"]


def without_parts(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "parts"}


def test_health_needs_no_key(opensync: Backend) -> None:
    response = httpx.get(f"{opensync.base_url}/health", trust_env=False)
    assert (response.status_code, response.json()["status"]) == (200, "ok")


@pytest.mark.parametrize("path", ["/sync/session", "/sync/message", "/sync/batch"])
@pytest.mark.parametrize(
    "bearer", ["", "Bearer", "Bearer osk_", "Bearer osk_wrong", "Bearer other", "Basic x"]
)
def test_a_write_without_the_key_is_answered_401(opensync: Backend, path: str, bearer: str) -> None:
    response = opensync.client.post(path, json=SESSION, headers={"Authorization": bearer})
    assert response.status_code == 401
    assert isinstance(response.json()["error"], str)
    assert listed(opensync) == []


@pytest.mark.parametrize("path", ["/sync/sessions/list", "/api/sessions", "/api/sessions/get?id=x"])
def test_a_read_without_the_key_is_answered_401(opensync: Backend, path: str) -> None:
    assert opensync.client.get(path, headers={"Authorization": "Bearer osk_wrong"}).status_code == 401


@pytest.mark.parametrize("payload", [{}, {"externalId": ""}, {"title": "no id"}])
def test_a_session_without_an_id_is_answered_400(opensync: Backend, payload: Any) -> None:
    response = opensync.client.post("/sync/session", json=payload)
    assert response.status_code == 400
    assert isinstance(response.json()["error"], str)


def test_an_unknown_path_is_answered_404(opensync: Backend) -> None:
    assert opensync.client.get("/sync/nothing").status_code == 404


def test_a_session_reads_back_as_it_was_sent(opensync: Backend) -> None:
    session_id = sent(opensync, "/sync/session", SESSION)["sessionId"]
    session, messages = read(opensync)
    wanted = {name: value for name, value in SESSION.items() if name != "source"}
    assert {name: session[name] for name in wanted} == wanted
    assert (session["id"], session["totalTokens"], session["messageCount"]) == (session_id, 1234, 0)
    assert messages == []


def test_a_session_sent_twice_is_stored_once(opensync: Backend) -> None:
    first = sent(opensync, "/sync/session", SESSION)
    second = sent(opensync, "/sync/session", SESSION | {"title": "Another"})
    assert first == second
    assert [row["title"] for row in listed(opensync)] == ["Another"]


def test_a_session_keeps_its_first_date(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    sent(opensync, "/sync/session", SESSION | {"title": "Another", "createdAt": LONG_AGO + 5})
    assert read(opensync)[0]["createdAt"] == LONG_AGO


def test_fields_left_out_of_an_update_stay(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    sent(opensync, "/sync/session", {"externalId": "s", "title": "Another"})
    session, _ = read(opensync)
    assert session["title"] == "Another"
    kept = ("projectPath", "model", "provider", "cost", "durationMs", "promptTokens", "completionTokens")
    assert {name: session[name] for name in kept} == {name: SESSION[name] for name in kept}


def test_counts_of_0_do_not_lower_a_session(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    sent(opensync, "/sync/session", SESSION | {"title": "Another", "promptTokens": 0, "completionTokens": 0})
    session, _ = read(opensync)
    assert (session["promptTokens"], session["completionTokens"]) == (1200, 34)


def test_a_bare_session_has_counts_of_0_and_no_title(opensync: Backend) -> None:
    sent(opensync, "/sync/session", {"externalId": "s", "createdAt": LONG_AGO})
    session, _ = read(opensync)
    assert (session["promptTokens"], session["completionTokens"], session["cost"]) == (0, 0, 0)
    assert session.get("title") is None


def test_fields_that_a_session_does_not_have_are_ignored(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION | {"messageCount": 99, "totalTokens": 99, "unheardOf": {"$x": 1}})
    session, _ = read(opensync)
    assert (session["messageCount"], session["totalTokens"]) == (0, 1234)


def test_a_message_reads_back_as_it_was_sent(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    message_id = sent(opensync, "/sync/message", MESSAGE)["messageId"]
    session, (message,) = read(opensync)
    wanted = {name: value for name, value in MESSAGE.items() if name not in ("source", "sessionExternalId")}
    assert {name: message[name] for name in wanted} == wanted
    assert message["id"] == message_id
    assert session["messageCount"] == 1


def test_a_message_adds_no_tokens_to_its_session(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    sent(opensync, "/sync/message", MESSAGE)
    assert read(opensync)[0]["promptTokens"] == 1200


def test_a_message_sent_twice_is_stored_once_with_its_parts(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    assert sent(opensync, "/sync/message", MESSAGE) == sent(opensync, "/sync/message", MESSAGE)
    session, (message,) = read(opensync)
    assert message["parts"] == MESSAGE["parts"]
    assert session["messageCount"] == 1


def test_an_update_replaces_text_counts_and_parts_of_an_old_message(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    sent(opensync, "/sync/message", MESSAGE | {"parts": [TEXT]})
    new = {"textContent": "more", "promptTokens": 20, "durationMs": 950, "parts": [TEXT, CALL, RESULT]}
    sent(opensync, "/sync/message", MESSAGE | new)
    _, (message,) = read(opensync)
    assert {name: message[name] for name in new} == new


def test_an_update_keeps_role_and_date_of_a_message(opensync: Backend) -> None:
    sent(opensync, "/sync/message", MESSAGE)
    sent(opensync, "/sync/message", MESSAGE | {"role": "tool", "createdAt": LONG_AGO + 9})
    _, (message,) = read(opensync)
    assert (message["role"], message["createdAt"]) == ("assistant", MESSAGE["createdAt"])


def test_an_id_in_two_sessions_is_one_message(hosted: Backend) -> None:
    sent(hosted, "/sync/message", MESSAGE)
    sent(hosted, "/sync/message", MESSAGE | {"sessionExternalId": "other"})
    assert len(read(hosted)[1]) == 1
    assert read(hosted, "other")[1] == []


def test_messages_are_read_by_their_date(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    for name, date in (("late", 30), ("early", 10), ("tie", 20), ("tie after", 20)):
        sent(opensync, "/sync/message", MESSAGE | {"externalId": name, "createdAt": LONG_AGO + date})
    assert [row["externalId"] for row in read(opensync)[1]] == ["early", "tie", "tie after", "late"]


def test_a_message_without_its_session_makes_one_dated_now(opensync: Backend) -> None:
    before = time.time() * 1000 - 1
    sent(opensync, "/sync/message", MESSAGE)
    session, messages = read(opensync)
    assert before <= session["createdAt"] <= time.time() * 1000 + 1
    assert session["messageCount"] == len(messages) == 1


@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool", "unknown"])
def test_every_role_is_taken(opensync: Backend, role: str) -> None:
    sent(opensync, "/sync/message", MESSAGE | {"role": role})
    assert read(opensync)[1][0]["role"] == role


def test_text_comes_back_unchanged(opensync: Backend) -> None:
    odd = 'NUL \0, newline \n, \u2028, combining e\u0301, \U0001f389, \ufffd and a quote "'
    sent(opensync, "/sync/session", SESSION | {"title": odd})
    sent(
        opensync, "/sync/message", MESSAGE | {"textContent": odd, "parts": [{"type": "text", "content": odd}]}
    )
    session, (message,) = read(opensync)
    assert (session["title"], message["textContent"], message["parts"][0]["content"]) == (odd, odd, odd)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "bot"},
        {"role": None},
        {"externalId": None},
        {"sessionExternalId": 5},
        {"textContent": None},
        {"promptTokens": "7"},
        {"promptTokens": True},
        {"createdAt": "2026-01-01T00:00:00Z"},
        {"parts": None},
        {"parts": ["text"]},
        {"parts": [{"type": "text"}]},
        {"parts": [{"type": "text", "content": "x", "order": 0}]},
        {"parts": [{"type": "tool-call", "content": {"$ref": 1}}]},
        {"parts": [{"type": "tool-call", "content": {"größe": 1}}]},
    ],
    ids=str,
)
def test_a_wrong_message_is_answered_500_and_stores_nothing(hosted: Backend, wrong: Any) -> None:
    sent(hosted, "/sync/session", SESSION)
    response = hosted.client.post("/sync/message", json=MESSAGE | wrong)
    assert response.status_code == 500
    assert isinstance(response.json()["error"], str)
    assert read(hosted)[1] == []


@pytest.mark.parametrize("name", ["sessionExternalId", "externalId", "role"])
def test_a_message_needs_its_ids_and_role(hosted: Backend, name: str) -> None:
    payload = {key: value for key, value in MESSAGE.items() if key != name}
    assert hosted.client.post("/sync/message", json=payload).status_code == 500


@pytest.mark.parametrize(
    "wrong", [{"title": None}, {"cost": "1"}, {"createdAt": None}, {"externalId": 7}], ids=str
)
def test_a_wrong_session_is_answered_500_and_stores_nothing(hosted: Backend, wrong: Any) -> None:
    assert hosted.client.post("/sync/session", json=SESSION | wrong).status_code == 500
    assert listed(hosted) == []


@pytest.mark.parametrize("path", ["/sync/session", "/sync/message", "/sync/batch"])
def test_a_body_that_is_no_json_is_answered_500(hosted: Backend, path: str) -> None:
    response = hosted.client.post(path, content=b'{"externalId": "s"')
    assert (response.status_code, "error" in response.json()) == (500, True)


def test_a_batch_stores_sessions_and_messages(opensync: Backend) -> None:
    session = {name: value for name, value in SESSION.items() if name != "createdAt"}
    messages = [
        {name: value for name, value in MESSAGE.items() if name != "createdAt"} | {"externalId": name}
        for name in ("one", "two", "three")
    ]
    answer = sent(opensync, "/sync/batch", {"sessions": [session], "messages": messages})
    assert (answer["sessions"], answer["messages"], answer["errors"]) == (1, 3, [])
    stored, rows = read(opensync)
    assert (stored["title"], stored["cost"], stored["messageCount"]) == ("A title", 0.0125, 3)
    assert [row["externalId"] for row in rows] == ["one", "two", "three"]
    assert all(row["parts"] == MESSAGE["parts"] for row in rows)


@pytest.mark.parametrize(
    "payload", [{}, {"sessions": []}, {"messages": []}, {"sessions": [], "messages": []}]
)
def test_an_empty_batch_is_fine(opensync: Backend, payload: Any) -> None:
    assert sent(opensync, "/sync/batch", payload)["errors"] == []


def test_a_wrong_item_in_a_batch_is_told_in_its_errors(hosted: Backend) -> None:
    wrong = without_parts(MESSAGE) | {"role": "bot"}
    del wrong["createdAt"]
    answer = sent(hosted, "/sync/batch", {"sessions": [{"externalId": "s"}], "messages": [wrong]})
    assert len(answer["errors"]) == 1
    assert isinstance(answer["errors"][0], str)
    assert read(hosted)[1] == []


def test_all_session_ids_are_listed(opensync: Backend) -> None:
    names = [f"s{number}" for number in range(120)]
    for name in names:
        sent(opensync, "/sync/session", {"externalId": name})
    assert sorted(opensync.client.get("/sync/sessions/list").json()["sessionIds"]) == sorted(names)
    assert len(listed(opensync)) == 50
    assert len(listed(opensync, limit=120)) == 120


def test_sessions_are_listed_newest_update_first(opensync: Backend) -> None:
    for name in ("a", "b", "c"):
        sent(opensync, "/sync/session", {"externalId": name})
    for change in range(1000):
        # A few requests fit into one millisecond, the unit of updatedAt.
        sent(opensync, "/sync/session", {"externalId": "a", "title": f"change {change}"})
        if listed(opensync, limit=1)[0]["externalId"] == "a":
            break
    assert [row["externalId"] for row in listed(opensync)] == ["a", "c", "b"]


def test_a_session_is_read_by_its_id_only(opensync: Backend) -> None:
    sent(opensync, "/sync/session", SESSION)
    assert opensync.client.get("/api/sessions/get").status_code == 400
    assert opensync.client.get("/api/sessions/get", params={"id": "s"}).status_code in (404, 500)


def test_a_reply_is_json_and_dated(opensync: Backend) -> None:
    response = opensync.client.post("/sync/session", json=SESSION)
    assert response.headers["Content-Type"].startswith("application/json")
    assert "Date" in response.headers
