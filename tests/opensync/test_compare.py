"""What the server already holds of a session that somebody else sent."""

import json
from typing import Any

import pytest

from pi_opensync.opensync.compare import OnServer, holds_session, on_server
from pi_opensync.store.outbox import Waiting

AT = 1_795_168_800_000  # ms
SESSION = "01a1f87e-3b5e-7387-8bf1-0df43b4b852e"


def ours(role: str = "user", at: int = AT, text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {
        "externalId": f"{SESSION}-{role}-{at}",
        "role": role,
        "textContent": text,
        "parts": [{"type": "text", "content": text}],
        "createdAt": at,
    } | fields


def wanted(payload: dict[str, Any], number: int = 1) -> Waiting:
    return Waiting(
        id=number,
        external_id=payload["externalId"],
        position=number,
        created_at=payload["createdAt"],
        wanted=json.dumps(payload).encode(),
        wanted_digest=b"x",
        acked_digest=None,
        acked_at=None,
        attempted_digest=None,
        failures=0,
        next_try=0.0,
        checked=False,
    )


def foreign(name: str, role: str = "user", at: float = AT) -> dict[str, Any]:
    return {"externalId": name, "role": role, "createdAt": at, "textContent": "theirs"}


def compared(
    stored: list[Any], *payloads: dict[str, Any], server_dates: bool = False
) -> tuple[OnServer[Waiting], list[Waiting]]:
    messages = [wanted(payload, number) for number, payload in enumerate(payloads, 1)]
    return on_server(stored, messages, server_dates=server_dates), messages


def test_a_message_that_the_server_holds_as_wanted_is_the_same() -> None:
    there, (message,) = compared([ours()], ours())
    assert (there.same, there.different, there.by_others) == ([message], [], [])


@pytest.mark.parametrize(
    "change",
    [
        {"textContent": "else"},
        {"parts": []},
        {"parts": None},
        {"model": "m"},
        {"promptTokens": 5},
        {"completionTokens": 5},
        {"durationMs": 5},
        {"createdAt": AT + 1},
    ],
)
def test_a_message_that_lost_its_parts_or_differs_is_different(change: dict[str, Any]) -> None:
    there, (message,) = compared([ours() | change], ours())
    assert (there.same, there.different) == ([], [message])


def test_with_dates_of_the_server_the_date_does_not_matter() -> None:
    there, (message,) = compared([ours() | {"createdAt": AT + 99_999}], ours(), server_dates=True)
    assert there.same == [message]


def test_numbers_of_the_server_are_doubles() -> None:
    there, (message,) = compared([ours(promptTokens=5.0, createdAt=float(AT))], ours(promptTokens=5))
    assert there.same == [message]


def test_what_the_server_adds_does_not_matter() -> None:
    there, (message,) = compared([ours() | {"_id": "k1", "sessionId": "k2"}], ours())
    assert there.same == [message]


def test_a_message_that_the_server_does_not_hold_is_in_no_list() -> None:
    there, _messages = compared([ours(at=AT + 60_000)], ours())
    assert there == OnServer()


def test_a_message_of_another_sender_counts_by_role_and_moment() -> None:
    there, (message,) = compared([foreign("plugin-msg-1", at=AT + 1_500)], ours())
    assert there.by_others == [(message, "plugin-msg-1")]


@pytest.mark.parametrize(
    "stored", [foreign("plugin-msg-1", role="assistant"), foreign("plugin-msg-1", at=AT + 2_001)]
)
def test_another_role_or_moment_is_another_message(stored: dict[str, Any]) -> None:
    there, _messages = compared([stored], ours())
    assert there.by_others == []


def test_each_message_of_another_sender_counts_once_the_nearest_first() -> None:
    stored = [foreign("late", at=AT + 900), foreign("near", at=AT + 100)]
    there, (first, second) = compared(stored, ours(), ours(at=AT + 800))
    assert there.by_others == [(first, "near"), (second, "late")]
    there, (_first, second) = compared(stored[:1], ours(), ours(at=AT + 1))
    assert there.by_others == [(second, "late")]


def test_a_message_of_our_own_is_never_that_of_another_sender() -> None:
    there, _messages = compared([ours(at=AT + 1)], ours())
    assert there.by_others == []
    there, _messages = compared([ours(at=AT + 1, externalId=f"{SESSION}-user-{AT + 1}-0badcafe")], ours())
    assert there.by_others == []


@pytest.mark.parametrize(
    "junk",
    [
        None,
        7,
        "x",
        [],
        {},
        {"externalId": 5, "createdAt": 1},
        {"externalId": "x"},
        {"externalId": "x", "createdAt": "1"},
        {"externalId": "x", "createdAt": AT, "role": None},
        {"externalId": "x", "createdAt": AT, "role": []},
    ],
)
def test_what_is_no_message_is_passed_over(junk: Any) -> None:
    there, (message,) = compared([junk, ours()], ours())
    assert there.same == [message]


def test_a_session_is_held_if_it_shows_what_is_wanted() -> None:
    payload = {"externalId": "s", "title": "a", "cost": 1, "createdAt": 5, "source": "pi"}
    data = json.dumps(payload).encode()
    assert holds_session(payload | {"createdAt": 9, "source": "other", "messageCount": 3}, data)
    assert not holds_session(payload | {"title": "b"}, data)
    assert not holds_session({"externalId": "s"}, data)
    assert not holds_session(None, data)
