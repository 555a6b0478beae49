"""The API holds what its description says: what it allows is taken, what it does not is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from pi_opensync.dashboard.web import received
from pi_opensync.dashboard.web.openapi import DOCUMENT
from tests.dashboard.conftest import Local

EXAMPLES = 15  # of each operation and kind: bounded, so that the suite stays quick
_FOR_PROGRAMS = ("/sync/", "/api/", "/health")


OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def takes_something(operation: dict[str, Any]) -> bool:
    return bool(operation.get("parameters") or operation.get("requestBody"))


@pytest.fixture
def served(local: Local) -> Local:
    local.session("s1", title="Fix the login", model="m1")
    local.message("s1", "m1", role="user", textContent="the cookie was dropped")
    return local


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, "positive") for name in OPERATIONS]
    + [(name, "negative") for name, operation in OPERATIONS.items() if takes_something(operation)],
)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_the_api_is_as_it_is_described(served: Local, name: str, mode: str, data: st.DataObject) -> None:
    from tests.dashboard import described  # noqa: PLC0415 - it takes a second to import, for this test alone

    request = data.draw(described.requests(name, mode))
    described.check(request, served.ask, served.bearer)


def test_every_route_for_programs_is_described(local: Local) -> None:
    routes = {
        (route.path, method.lower())
        for route in local.app.routes
        if isinstance(route, Route) and route.path.startswith(_FOR_PROGRAMS)
        for method in route.methods or ()
        if method != "HEAD"
    }
    told = {(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert told == routes - {("/api/openapi.json", "get")}


def test_the_description_needs_no_key(local: Local) -> None:
    answer = local.ask("GET", "/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT


def test_every_field_that_is_stored_is_described() -> None:
    described = DOCUMENT["components"]["schemas"]
    assert set(described["MessageIn"]["properties"]) == received.MESSAGE_FIELDS
    only_told = {"sessionId", "totalTokens", "messageCount"}  # another name, and what follows from the rest
    assert received.SESSION_FIELDS - only_told == set(described["SessionIn"]["properties"])
