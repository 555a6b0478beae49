"""Forks stand under their parents, whichever came first, and nothing that a title says makes a circle."""

import re

import pytest

from pi_opensync.dashboard.db.forks import bare_title, fork_prefix
from tests.dashboard.conftest import START, Local


def families(local: Local, url: str = "/") -> list[tuple[str, int]]:
    """Read the titles in the list, each with its depth."""
    rows = re.findall(
        r'<tr id="s\d+" data-revision="\d+" class="row( fork depth-(\d))?.*?<a class="title"[^>]*>(.*?)</a>',
        local.page(url),
        re.DOTALL,
    )
    return [(re.sub(r"<.*?>", "", title), int(depth or 0)) for _, depth, title in rows]


@pytest.mark.parametrize(
    ("title", "prefix", "bare"),
    [
        ("[Fork::1a2b3c4d] Fix it", "1a2b3c4d", "Fix it"),
        ("[Fork::b] [Fork::a] Twice", "b", "Twice"),
        ("Fix [Fork::1a2b3c4d]", None, "Fix [Fork::1a2b3c4d]"),
        ("[Fork::]", None, "[Fork::]"),
        (None, None, ""),
    ],
)
def test_a_title_tells_of_the_parent(title: str | None, prefix: str | None, bare: str) -> None:
    assert (fork_prefix(title), bare_title(title)) == (prefix, bare)


@pytest.mark.parametrize("order", ["parent first", "fork first"])
def test_a_fork_stands_under_its_parent(local: Local, order: str) -> None:
    sessions = [("aaaa1111-x", "Work", 0), ("bbbb2222-x", "[Fork::aaaa1111] Work again", 10)]
    if order == "fork first":
        sessions.reverse()
    for external_id, title, at in sessions:
        local.session(external_id, title=title, createdAt=START + at)
    local.session("other", title="Other", createdAt=START + 5)
    assert families(local) == [("Work", 0), ("Work again", 1), ("Other", 0)]


def test_a_fork_of_a_fork_stands_deeper(local: Local) -> None:
    local.session("cccc3333-x", title="[Fork::bbbb2222] C", createdAt=START + 2)
    local.session("bbbb2222-x", title="[Fork::aaaa1111] B", createdAt=START + 1)
    local.session("aaaa1111-x", title="A", createdAt=START)
    assert families(local) == [("A", 0), ("B", 1), ("C", 2)]


def test_of_parents_begun_in_the_same_minute_the_fitting_one_is_taken(local: Local) -> None:
    shared = {"projectPath": "/p", "createdAt": START}
    local.session("01a1f87e-1", title="Lint", **shared)
    right = local.session("01a1f87e-2", title="Work", **shared)
    local.session("01a1f87e-3", title="Work", projectPath="/other", createdAt=START)
    fork = local.session("01a1f87e-4", title="[Fork::01a1f87e] Work", projectPath="/p", createdAt=START + 9)
    assert local.stored(fork)[0]["parentId"] == right


def test_a_parent_that_is_named_in_full_is_taken(local: Local) -> None:
    local.session("01a1f87e-2", title="Work")
    parent = local.session("01a1f87e-1", title="Else")
    fork = local.session("01a1f87e-4", title="[Fork::01a1f87e] Work", parentExternalId="01a1f87e-1")
    assert local.stored(fork)[0]["parentId"] == parent


def test_a_session_is_no_fork_of_itself_nor_of_its_forks(local: Local) -> None:
    local.session("aaaa1111-x", title="[Fork::bbbb2222] A")
    local.session("bbbb2222-x", title="[Fork::aaaa1111] B")
    local.session("cccc3333-x", title="[Fork::cccc3333] C")
    assert sorted(title for title, _ in families(local)) == ["A", "B", "C"]


def test_a_family_is_listed_by_its_newest_member(local: Local) -> None:
    local.session("aaaa1111-x", title="Old", createdAt=START - 9000)
    local.session("bbbb2222-x", title="[Fork::aaaa1111] New", createdAt=START)
    local.session("cccc3333-x", title="Between", createdAt=START - 500)
    assert [title for title, _ in families(local)] == ["Old", "New", "Between"]


def test_a_filter_that_finds_a_fork_shows_its_family(local: Local) -> None:
    local.session("aaaa1111-x", title="Parent", model="m1")
    local.session("bbbb2222-x", title="[Fork::aaaa1111] Child", model="m2")
    local.session("cccc3333-x", title="Other", model="m1")
    assert families(local, "/?model=m2") == [("Parent", 0), ("Child", 1)]
    assert 'class="row beside"' in local.page("/?model=m2")


def test_the_page_links_both_ways(local: Local) -> None:
    parent = local.session("aaaa1111-x", title="Parent")
    child = local.session("bbbb2222-x", title="[Fork::aaaa1111] Child")
    orphan = local.session("dddd-x", title="[Fork::99999999] Lost")
    assert f'<a href="/sessions/{child}">Child</a>' in local.page(f"/sessions/{parent}")
    assert f'Fork of <a href="/sessions/{parent}">Parent</a>' in local.page(f"/sessions/{child}")
    assert "99999999" in local.page(f"/sessions/{orphan}")
