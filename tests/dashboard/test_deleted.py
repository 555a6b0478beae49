"""A session that is deleted here is gone from every page and from the file, and does not come back."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import checked, rows
from tests.privacy.traces import written

WORD = "Quincunx"


def post(local: Local, url: str, *, status: int = 303, **form: str) -> None:
    answer = local.ask("POST", url, content=urlencode(form), headers={"cookie": local.cookie})
    assert answer.status_code == status, answer.text


def say(local: Local) -> str:
    local.session("gone", title=f"About {WORD}", source="pi", createdAt=START, cost=1.0)
    call = {"type": "tool-call", "content": {"toolName": "read", "args": {"path": f"{WORD}.py"}}}
    local.message("gone", "m", textContent=f"Words of {WORD}", parts=[call], createdAt=START, cost=1.0)
    return local.session("gone")


@pytest.fixture
def deleted(local: Local) -> str:
    local.session("stays", title="Stays", createdAt=START, cost=2.0)
    session_id = say(local)
    post(local, f"/sessions/{session_id}/noted", note=f"A note on {WORD}", tags=WORD)
    post(local, f"/sessions/{session_id}/delete")
    return session_id


def test_it_is_on_no_page(local: Local, deleted: str) -> None:
    assert rows(checked(local.page("/"))) == ["Stays"]
    assert WORD not in local.page("/")
    local.page(f"/sessions/{deleted}", status=404)
    page = checked(local.page(f"/search?q={WORD}"))
    assert (f"About {WORD}" in page, f"Words of {WORD}" in page) == (False, False)
    assert local.get(f"/api/search?q={WORD}")["results"] == []
    assert local.get("/api/numbers?days=all")["total"]["cost"] == 2.0
    assert [each["title"] for each in local.get("/api/sessions")["sessions"]] == ["Stays"]
    assert WORD not in local.page("/deleted")


@pytest.mark.usefixtures("deleted")
def test_it_does_not_come_back_and_nobody_who_sends_it_fails(local: Local) -> None:
    assert say(local) == "0"
    answer = local.post(
        "/sync/batch",
        {
            "sessions": [{"externalId": "gone", "title": WORD}],
            "messages": [
                {"sessionExternalId": "gone", "externalId": "n", "role": "user", "textContent": WORD}
            ],
        },
    )
    assert (answer["ok"], answer["errors"]) == (True, [])
    assert rows(local.page("/")) == ["Stays"]
    assert local.get("/api/sessions")["deleted"] == ["gone"]
    assert local.get("/sync/sessions/list")["sessionIds"] == ["stays"]


def test_one_that_is_taken_back_comes_again(local: Local, deleted: str) -> None:
    assert "gone" in checked(local.page("/deleted"))
    post(local, "/deleted", id="gone")
    assert "None was deleted here" in local.page("/deleted")
    assert "deleted" not in local.get("/api/sessions")
    say(local)
    assert sorted(rows(local.page("/"))) == [f"About {WORD}", "Stays"]
    assert deleted


def test_what_a_reader_still_sees_is_overwritten_when_he_is_done(local: Local) -> None:
    session_id = say(local)
    with local.store.read() as database:
        assert database.one("SELECT count(*) FROM messages") == 1
        post(local, f"/sessions/{session_id}/delete")
        assert f"About {WORD}".encode() in written(local.store.path)
    assert f"About {WORD}".encode() not in written(local.store.path)


def test_what_a_message_said_before_it_changed_is_overwritten(local: Local) -> None:
    said = f"Words of {WORD}"
    local.session("s", title="s")
    for text in (said, "hm"):
        for number in range(60):
            local.message("s", str(number), textContent=text, parts=[])
        local.store.empty_log()
        assert text.encode() in written(local.store.path)
    assert said.encode() not in written(local.store.path)


def test_nothing_of_it_is_left_in_the_file(local: Local, deleted: str) -> None:
    with local.store.read() as database:
        path = Path(database.rows("PRAGMA database_list")[0]["file"])
    data = written(path)
    assert f"About {WORD}".encode() not in data
    assert f"Words of {WORD}".encode() not in data
    assert f"A note on {WORD}".encode() not in data
    assert deleted


def test_its_address_leads_to_no_other_session(local: Local, deleted: str) -> None:
    assert local.session("new", title="New") != deleted
    local.page(f"/sessions/{deleted}", status=404)


def test_its_forks_stay_and_are_families_of_their_own(local: Local) -> None:
    for name, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", "a")):
        local.session(name, title=name.upper(), parentExternalId=parent, createdAt=START)
    post(local, f"/sessions/{local.session('a')}/delete")
    page = checked(local.page("/"))
    assert sorted(rows(page)) == ["B", "C", "D"]
    assert re.findall(r'class="row fork depth-(\d)', page) == ["1"]
    checked(local.page(f"/sessions/{local.session('c')}"))


def test_only_who_is_logged_in_deletes(local: Local) -> None:
    session_id = say(local)
    assert local.ask("POST", f"/sessions/{session_id}/delete").status_code in (303, 401, 403)
    local.page(f"/sessions/{session_id}")
    post(local, "/sessions/42/delete", status=404)
