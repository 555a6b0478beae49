"""What the stand-in takes as a value: the limits of hosted Convex."""

from typing import Any

import pytest

from tests.standin.bench import Bench, message, text

SIXTEEN_MIB = 16 << 20


def nested(levels: int) -> Any:
    value: Any = "leaf"
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("$ref", "starts with a '$'"),
        ("_meta", "starts with a '_'"),
        ("größe", "has invalid character 'ö'"),
        ("a\tb", "has invalid character"),
        ("\x7f", "has invalid character"),
        ("", "cannot be empty"),
        ("k" * 1025, "exceeds maximum field name length"),
    ],
)
def test_a_key_that_convex_refuses_fails_its_message(bench: Bench, key: str, complaint: str) -> None:
    part = {"type": "tool-call", "content": {"toolName": "x", "args": {"deep": [{key: 1}]}}}
    status, answer = bench.message(parts=[part])
    assert status == 500
    assert answer["error"].startswith("Error: Field name")
    assert complaint in answer["error"]
    assert complaint in bench.batch(messages=[message(parts=[part])])[0]


def test_the_longest_key_and_its_odd_characters_pass(bench: Bench) -> None:
    args = {"k" * 1024: 1, " ": 2, "a$_b": 3, ".$ref": 4, "~": 5}
    assert bench.message(parts=[{"type": "tool-call", "content": {"args": args}}])[0] == 200


@pytest.mark.parametrize(
    ("fine", "refused", "complaint"),
    [
        (dict.fromkeys(map(str, range(1024))), dict.fromkeys(map(str, range(1025))), "too many fields"),
        ([0] * 8192, [0] * 8193, "Array length is too long"),
        (nested(60), nested(61), "too nested"),
        ("x" * 1_048_000, "x" * 1_048_576, "Value is too large"),
        ("é" * 524_000, "é" * 524_288, "Value is too large"),
    ],
    ids=["fields", "items", "nesting", "size", "size in bytes"],
)
def test_a_part_has_limits(bench: Bench, fine: Any, refused: Any, complaint: str) -> None:
    assert bench.message("fine", parts=[{"type": "text", "content": fine}])[0] == 200
    status, answer = bench.message("refused", parts=[{"type": "text", "content": refused}])
    assert (status, complaint in answer["error"]) == (500, True)
    assert list(bench.opensync.messages) == ["fine"]


def test_the_parts_of_a_message_do_not_count_toward_its_own_size(bench: Bench) -> None:
    big = "x" * 900_000
    assert bench.message(textContent=big, parts=[text(big), text(big)])[0] == 200


def test_a_message_too_large_fails_alone_in_a_batch_and_is_half_stored(bench: Bench) -> None:
    errors = bench.batch(messages=[message("big", parts=[text("x" * 2_000_000), text("y")]), message("fine")])
    assert [error.split(":")[0] for error in errors] == ["big"]
    assert bench.opensync.messages["big"].parts == [text("y")]
    assert bench.opensync.sessions["s"].message_count == 1
    assert "fine" in bench.opensync.messages


def test_a_title_counts_twice_toward_the_size_of_its_session(bench: Bench) -> None:
    status, answer = bench.session(title="x" * 600_000)
    assert (status, "too large" in answer["error"]) == (500, True)


def test_a_request_of_16_mib_is_too_large(bench: Bench) -> None:
    status, answer = bench.post("/sync/batch", b" " * SIXTEEN_MIB)
    assert (status, "too large" in answer["error"]) == (500, True)
    assert bench.counters.bodies_too_large == 1


def test_a_lone_surrogate_fails_its_message(bench: Bench) -> None:
    assert bench.message(textContent="half \ud83d")[0] == 500
    assert bench.message(parts=[text("half \udc00")])[0] == 500
    assert bench.message(textContent="whole \U0001f389")[0] == 200
    assert len(bench.opensync.messages) == 1
