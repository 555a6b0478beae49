"""Sessions of several machines: the list, its filter, search and a session's page name the machine."""

from tests.dashboard.conftest import Local
from tests.dashboard.test_pages import checked


def two_machines(local: Local) -> None:
    local.session("s1", title="On the desk", source="pi", machine="desk")
    local.session("s2", title="On the road", source="pi", machine="laptop")


def test_the_list_names_the_machine_and_is_filtered_by_it(local: Local) -> None:
    two_machines(local)
    page = checked(local.page("/"))
    assert '<span class="machine">desk</span>' in page
    page = checked(local.page("/?machine=laptop"))
    assert ("On the road" in page, "On the desk" in page) == (True, False)
    assert '<option value="laptop" selected>' in page


def test_where_there_is_one_machine_its_name_takes_no_room(local: Local) -> None:
    local.session("s1", title="A", source="pi", machine="desk")
    page = local.page("/")
    assert "All machines" not in page
    assert 'class="machine"' not in page
    assert "on desk" in local.page(f"/sessions/{local.session('s1')}")


def test_a_search_is_narrowed_to_a_machine(local: Local) -> None:
    two_machines(local)
    for name in ("s1", "s2"):
        local.message(name, f"{name}-m", textContent="the same words")
    page = checked(local.page("/search?q=words machine:desk"))
    assert ("On the desk" in page, "On the road" in page) == (True, False)


def test_a_session_that_is_sent_without_its_machine_keeps_it(local: Local) -> None:
    two_machines(local)
    local.session("s1", title="Renamed")
    assert "on desk" in local.page(f"/sessions/{local.session('s1')}")


def test_the_numbers_are_counted_by_machine_and_for_one(local: Local) -> None:
    two_machines(local)
    local.session("s3", title="A plugin's", source="opencode")
    for name, cost in (("s1", 1.0), ("s2", 2.0), ("s3", 4.0)):
        local.message(name, f"{name}-m", cost=cost, createdAt=local.clock())
    told = local.get("/api/numbers")
    assert [(each["name"], each["cost"]) for each in told["machines"]] == [
        ("not told", 4.0),
        ("laptop", 2.0),
        ("desk", 1.0),
    ]
    assert local.get("/api/numbers?machine=desk")["total"]["cost"] == 1.0
    page = checked(local.page("/numbers"))
    assert ("<h2>Machines</h2>" in page, "machine=laptop" in page, "not told" in page) == (True, True, True)
    assert "$2.00" in checked(local.page("/numbers?machine=laptop"))
