"""An open page learns of everything that changes, once, in order, whatever the amount."""

import re
from typing import Any

import pytest

from pi_opensync.dashboard.web.fields import PayloadError
from pi_opensync.dashboard.web.live import MOST, LiveCursor
from tests.dashboard.conftest import START, Local


class Viewer:
    """What a browser with an open session knows."""

    def __init__(self, local: Local, session_id: str) -> None:
        self.local = local
        self.url = f"/sessions/{session_id}/changes?after="
        cursor = re.search(r'data-cursor="([^"]+)"', local.page(f"/sessions/{session_id}"))
        assert cursor
        self.cursor = cursor[1]

    def ask(self) -> dict[str, Any] | None:
        answer = self.local.ask("GET", self.url + self.cursor, headers={"cookie": self.local.cookie})
        if answer.status_code == 204:
            return None
        assert answer.status_code == 200, answer.text
        growth: dict[str, Any] = answer.json()
        self.cursor = growth["cursor"]
        return growth


@pytest.fixture
def viewer(local: Local) -> Viewer:
    session_id = local.session("s1", title="T")
    local.message("s1", "m0", textContent="first")
    return Viewer(local, session_id)


def test_nothing_new_is_nothing(viewer: Viewer) -> None:
    assert viewer.ask() is None
    viewer.local.message("other", "m", textContent="elsewhere")
    assert viewer.ask() is None


def test_a_new_message_is_told_once(local: Local, viewer: Viewer) -> None:
    message_id = local.message("s1", "m1", textContent="**second**")
    growth = viewer.ask()
    assert growth is not None
    assert [message["id"] for message in growth["messages"]] == [message_id]
    assert "<strong>second</strong>" in growth["messages"][0]["html"]
    assert "<dd>2</dd>" in growth["header"]
    assert viewer.ask() is None


def test_a_message_that_gets_its_results_is_told_again(local: Local, viewer: Viewer) -> None:
    call = {"type": "tool-call", "content": {"toolName": "bash", "args": {}}}
    message_id = local.message("s1", "m1", parts=[call])
    viewer.ask()
    local.message("s1", "m1", parts=[call, {"type": "tool-result", "content": "all done"}])
    growth = viewer.ask()
    assert growth is not None
    assert [message["id"] for message in growth["messages"]] == [message_id]
    assert "all done" in growth["messages"][0]["html"]


def test_a_changed_header_is_told_without_messages(local: Local, viewer: Viewer) -> None:
    local.session("s1", title="A new title", cost=4.2)
    growth = viewer.ask()
    assert growth is not None
    assert growth["messages"] == []
    assert "A new title" in growth["header"]
    assert "$4.20" in growth["header"]


def test_what_a_turn_took_is_told_with_its_answers(local: Local, viewer: Viewer) -> None:
    prompt = local.message("s1", "u", role="user", textContent="do it", createdAt=START + 1)
    local.message("s1", "a1", textContent="one", cost=0.5, createdAt=START + 2)
    viewer.ask()
    local.message("s1", "a2", textContent="two", cost=0.75, createdAt=START + 3)
    growth = viewer.ask()
    assert growth is not None
    assert list(growth["turns"]) == [prompt]
    assert "2 answers · $1.25" in growth["turns"][prompt]


def test_many_messages_of_one_batch_are_told_piece_by_piece(local: Local, viewer: Viewer) -> None:
    messages = [
        {
            "sessionExternalId": "s1",
            "externalId": f"n{n}",
            "role": "user",
            "textContent": f"{n}",
            "createdAt": START + 1 + n,
        }
        for n in range(2 * MOST + 7)
    ]
    local.post("/sync/batch", {"messages": messages})
    told: list[str] = []
    while growth := viewer.ask():
        assert len(growth["messages"]) <= MOST
        told += [message["id"] for message in growth["messages"]]
    _, stored = local.stored(local.session("s1"))
    assert told == [message["id"] for message in stored[1:]]


def test_exactly_as_many_as_fit_are_told_once(local: Local, viewer: Viewer) -> None:
    messages = [{"sessionExternalId": "s1", "externalId": f"n{n}", "role": "user"} for n in range(MOST)]
    local.post("/sync/batch", {"messages": messages})
    first = viewer.ask()
    assert first is not None
    assert len(first["messages"]) == MOST
    rest = viewer.ask()
    assert rest is None or rest["messages"] == []
    assert viewer.ask() is None


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "-1", "1.", "9" * 30, "\u0661", "1e3", "1;2"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(PayloadError):
        LiveCursor.parse(text)


@pytest.mark.parametrize("cursor", [LiveCursor(0), LiveCursor(12), LiveCursor(12, 345)])
def test_a_cursor_is_read_as_it_was_written(cursor: LiveCursor) -> None:
    assert LiveCursor.parse(str(cursor)) == cursor
