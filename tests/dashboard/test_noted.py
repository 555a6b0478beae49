"""Stars, tags, notes and what is hidden are kept, shown, and found again; they stay here."""

import html
from urllib.parse import urlencode

import pytest

from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import checked, rows


def keep(local: Local, session_id: str, *, status: int = 303, **form: str) -> None:
    answer = local.ask(
        "POST", f"/sessions/{session_id}/noted", content=urlencode(form), headers={"cookie": local.cookie}
    )
    assert answer.status_code == status, answer.text


@pytest.fixture
def three(local: Local) -> list[str]:
    return [local.session(name, title=name.upper(), createdAt=START, cost=1) for name in ("a", "b", "c")]


def test_what_is_kept_is_shown_and_found(local: Local, three: list[str]) -> None:
    keep(local, three[0], star="on", tags=" good,  really  good,good,", note="Remember <b>this</b>")
    page = checked(local.page(f"/sessions/{three[0]}"))
    assert html.escape("Remember <b>this</b>") in page
    assert 'value="good, really good"' in page
    assert rows(checked(local.page("/?has=star"))) == ["A"]
    assert rows(local.page("/?has=note")) == ["A"]
    assert rows(local.page("/?tag=really+good")) == ["A"]
    assert "★" in local.page("/")
    keep(local, three[0])
    assert rows(local.page("/?has=star")) == []
    assert "★" not in local.page("/")


def test_a_hidden_session_is_in_no_list_and_no_total_until_it_is_asked_for(
    local: Local, three: list[str]
) -> None:
    keep(local, three[1], hide="on")
    page = checked(local.page("/"))
    assert sorted(rows(page)) == ["A", "C"]
    assert "<b>2 sessions</b></span> <span><b>$2.00</b>" in page
    assert rows(local.page("/?has=hidden")) == ["B"]
    assert "B" in local.page(f"/sessions/{three[1]}")


def test_the_list_of_those_that_failed(local: Local, three: list[str]) -> None:
    call = {"type": "tool-call", "content": {"toolName": "bash", "args": {}}}
    local.message("b", "m", parts=[call, {"type": "tool-result", "content": "[error] no"}])
    local.message("c", "m", parts=[call, {"type": "tool-result", "content": "fine"}])
    assert rows(local.page("/?has=errors")) == ["B"]
    local.page("/?has=nothing", status=400)
    assert len(three) == 3


def test_nothing_is_kept_of_what_is_not_there(local: Local) -> None:
    keep(local, "42", star="on", status=404)
