"""Worktrees are projects of their own, and count with their repository where that is asked for."""

from tests.dashboard.conftest import Local
from tests.dashboard.test_pages import checked, rows


def three(local: Local) -> None:
    for name, path, repository, cost in (
        ("main", "/src/app", None, 1.0),
        ("one", "/wt/one", "/src/app", 2.0),
        ("two", "/wt/two", "/src/app", 4.0),
        ("other", "/src/other", None, 8.0),
    ):
        more = {} if repository is None else {"repositoryPath": repository}
        local.session(name, title=name, source="pi", projectPath=path, **more)
        local.message(name, f"{name}-m", cost=cost, createdAt=local.clock())


def projects(local: Local, asked: str) -> dict[str, float]:
    return {each["name"]: each["cost"] for each in local.get(f"/api/numbers?{asked}")["projects"]}


def test_they_count_by_themselves_or_with_their_repository(local: Local) -> None:
    three(local)
    assert projects(local, "") == {"other": 8.0, "two": 4.0, "one": 2.0, "app": 1.0}
    assert projects(local, "worktrees=together") == {"other": 8.0, "app": 7.0}
    page = checked(local.page("/numbers?worktrees=together"))
    assert 'name="worktrees" value="together" checked' in page
    assert "worktrees=together&amp;days=7" in page


def test_a_repository_is_asked_for_with_its_worktrees_and_a_worktree_alone(local: Local) -> None:
    three(local)
    assert sorted(rows(checked(local.page("/?project=/src/app")))) == ["main", "one", "two"]
    assert rows(local.page("/?project=/wt/one")) == ["one"]
    assert local.get("/api/numbers?project=/src/app")["total"]["cost"] == 7.0
    assert local.get("/api/numbers?project=/wt/one")["total"]["cost"] == 2.0


def test_where_there_is_no_worktree_nothing_is_asked(local: Local) -> None:
    local.session("main", projectPath="/src/app")
    local.message("main", "m", cost=1.0, createdAt=local.clock())
    assert 'name="worktrees"' not in local.page("/numbers")
