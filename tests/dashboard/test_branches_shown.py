"""A session with branches is drawn as the one that was last active; the others are one click away."""

import base64
import re

import pytest

from tests.dashboard.conftest import START, Local
from tests.dashboard.test_pages import checked

pytestmark = pytest.mark.slow


def branched(local: Local) -> str:
    """One, then two or three after it, four after three; the last was said last."""
    for number, (name, parent) in enumerate(
        [("one", None), ("two", "one"), ("twobelow", "two"), ("three", "one"), ("four", "three")]
    ):
        local.message(
            "s1",
            name,
            textContent=f"said-{name}.",
            createdAt=START + number,
            entryId=name,
            parentEntryId=parent,
            cost=0.5,
        )
    return local.session("s1", title="Tree")


def said(page: str) -> list[str]:
    return re.findall(r"said-(\w+)\.", page)


def test_the_branch_last_active_is_drawn_and_the_other_is_named_where_it_leaves(local: Local) -> None:
    session_id = branched(local)
    page = checked(local.page(f"/sessions/{session_id}"))
    assert said(page) == ["one", "three", "four"]
    assert page.index("said-one") < page.index("Another branch leaves here: 2 messages · $1.00")
    link = re.search(r'<a href="(\?branch=\d+)&amp;at=', page)
    assert link
    other = checked(local.page(f"/sessions/{session_id}{link[1]}"))
    assert said(other) == ["one", "two", "twobelow"]
    assert "The branch last active leaves here" in other


def test_a_link_to_a_message_opens_the_branch_that_holds_it(local: Local) -> None:
    session_id = branched(local)
    ids = {message["externalId"]: message["id"] for message in local.stored(session_id)[1]}
    assert said(local.page(f"/sessions/{session_id}?at={ids['twobelow']}")) == ["one", "two", "twobelow"]


def test_a_session_as_one_file_needs_nothing_else(local: Local) -> None:
    parts = [
        {"type": "text", "content": "**Hello** <script>alert(1)</script>"},
        {"type": "tool-call", "content": {"toolName": "bash", "args": {"command": "secret-command"}}},
        {"type": "tool-result", "content": "long line\n" * 5000},
    ]
    local.message("s1", "a", parts=parts)
    session_id = local.session("s1", title="Work")
    page = local.page(f"/sessions/{session_id}/export/html")
    assert "<strong>Hello</strong>" in page
    assert "secret-command" in page
    assert "This is only the beginning." in page
    assert not re.search(r'(?:src|href)="(?!\?at=)|<script|<link|url\(', page)
    without = local.page(f"/sessions/{session_id}/export/html?tools=no")
    assert "<strong>Hello</strong>" in without
    assert "secret-command" not in without


def test_the_file_holds_its_images_and_none_that_is_no_image(local: Local) -> None:
    pixels = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 90).decode()
    parts = [
        {"type": "text", "content": "See"},
        {"type": "image", "content": {"data": pixels, "mimeType": "text/html"}},
        {"type": "image", "content": {"data": base64.b64encode(b"<svg onload=alert(1)>").decode()}},
    ]
    local.message("s1", "a", parts=parts)
    page = local.page(f"/sessions/{local.session('s1')}/export/html")
    assert page.count("<img") == 1
    assert f'src="data:image/png;base64,{pixels}"' in page
