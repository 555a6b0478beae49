"""Requests that the API's description allows, or does not, and whether the answers are as it says."""

from collections.abc import Callable
from typing import Any

import httpx
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

from pi_opensync.dashboard.web.openapi import DOCUMENT

# Every request carries the key.
SCHEMA = from_dict({**DOCUMENT, "security": []})
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]
DEPENDENT = ("GET /api/numbers",)  # its days are of this age, and in order, which a schema can not say


def requests(name: str, mode: str) -> st.SearchStrategy[Any]:
    """Cases of an operation, by `METHOD /path`, that are `positive` or `negative`."""
    method, path = name.split(" ")
    strategy: st.SearchStrategy[Any] = SCHEMA[path][method].as_strategy(generation_mode=GenerationMode(mode))
    return strategy


def check(case: Any, ask: Callable[..., httpx.Response], headers: dict[str, str]) -> None:
    request = case.as_transport_kwargs(base_url="http://127.0.0.1:8000", headers=headers)
    sent = {name: value for name, value in request.items() if name in ("headers", "params", "json")}
    if "data" in request:
        sent["content"] = request["data"]
    dependent = f"{case.operation.method.upper()} {case.operation.path}" in DEPENDENT
    excluded: list[Any] = [positive_data_acceptance] if dependent else []
    case.validate_response(
        ask(request["method"], request["url"], **sent), checks=CHECKS, excluded_checks=excluded
    )
