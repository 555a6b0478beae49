"""The API holds what its description says: what it allows is taken, what it does not is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from pi_opensync.dashboard.web import received
from pi_opensync.dashboard.web.openapi import DOCUMENT
from tests.dashboard.conftest import Local

EXAMPLES = 15  # of each operation and kind: bounded, so that the suite stays quick
_FOR_PROGRAMS = ("/sync/", "/api/", "/health")


# Every request carries the key.
SCHEMA = from_dict({**DOCUMENT, "security": []})
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method]
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
}


CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]

DEPENDENT = ("GET /api/numbers",)  # its days are of this age, and in order, which a schema can not say


def takes_something(name: str) -> bool:
    operation = OPERATIONS[name]
    return bool(operation.query or operation.body)


@pytest.fixture
def served(local: Local) -> Local:
    local.session("s1", title="Fix the login", model="m1")
    local.message("s1", "m1", role="user", textContent="the cookie was dropped")
    return local


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, GenerationMode.POSITIVE) for name in OPERATIONS]
    + [(name, GenerationMode.NEGATIVE) for name in OPERATIONS if takes_something(name)],
)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_the_api_is_as_it_is_described(
    served: Local, name: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = data.draw(OPERATIONS[name].as_strategy(generation_mode=mode))
    request = case.as_transport_kwargs(base_url="http://127.0.0.1:8000", headers=served.bearer)
    sent = {name: value for name, value in request.items() if name in ("headers", "params", "json")}
    if "data" in request:
        sent["content"] = request["data"]
    excluded: list[Any] = [positive_data_acceptance] if name in DEPENDENT else []
    case.validate_response(
        served.ask(request["method"], request["url"], **sent),
        checks=CHECKS,
        excluded_checks=excluded,
    )


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
