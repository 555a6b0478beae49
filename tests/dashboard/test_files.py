"""A session lists the files that it read and wrote, and each leads to the sessions that touched it."""

import html
import re
from typing import Any

from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import checked


def touch(local: Local, session: str, *runs: tuple[str, str], at: int = START) -> str:
    parts: list[dict[str, Any]] = []
    for tool, path in runs:
        parts += [
            {"type": "tool-call", "content": {"toolName": tool, "args": {"path": path}}},
            {"type": "tool-result", "content": "done"},
        ]
    local.message(session, f"{session}-m", parts=parts, createdAt=at)
    return local.session(session, title=session.upper(), projectPath="/src/app", source="pi")


def test_a_session_lists_its_files_and_a_file_its_sessions(local: Local) -> None:
    one = touch(local, "one", ("read", "/src/app/a.py"), ("edit", "/src/app/a.py"), ("read", "/src/app/b.py"))
    touch(local, "two", ("write", "/src/app/a.py"))
    page = checked(local.page(f"/sessions/{one}"))
    menu = page.split('id="files"')[1].split("</div>")[0]
    assert re.findall(r">([^<]+)</a> <small>([^<]+)<", menu) == [
        ("/src/app/a.py", "read and written"),
        ("/src/app/b.py", "read"),
    ]
    page = checked(local.page("/files?path=/src/app/a.py"))
    assert set(re.findall(r">([A-Z]+)</a> <small>([a-z ]+) ", page)) == {
        ("TWO", "written"),
        ("ONE", "read and written"),
    }
    assert ">ONE</a>" in local.page("/files?path=b.py")
    assert "No session read or wrote it." in checked(local.page("/files?path=<b>c.py"))


def test_where_no_file_is_asked_for_those_of_late_are_listed(local: Local) -> None:
    assert "No session read or wrote a file yet." in checked(local.page("/files"))
    touch(local, "old", ("read", "/src/app/<b>.py"), ("read", "/src/app/both.py"))
    touch(local, "new", ("read", "/src/app/both.py"), ("write", "/src/app/a.py"), at=START + 1)
    page = checked(local.page("/files"))
    files = re.findall(r'<li><a href="(/files\?[^"]+)">([^<]+)</a></li>', page)
    assert [name for _link, name in files] == ["/src/app/a.py", "/src/app/both.py", "/src/app/&lt;b&gt;.py"]
    assert ">OLD</a>" in local.page(html.unescape(files[2][0]))


def test_a_session_that_touched_no_file_has_no_menu_of_them(local: Local) -> None:
    local.message("s", "m", textContent="said")
    assert 'id="files"' not in local.page(f"/sessions/{local.session('s')}")
