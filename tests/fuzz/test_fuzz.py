"""A short run of the fuzzer, every wrong value once, and lines made to take long."""

from collections.abc import Callable

import pytest

from pi_opensync.pi.entries import decode_line, flattened
from tests.fold.folding import EVERYTHING, encoded, header, said
from tests.fuzz.check import Report, bounded, check_session, run
from tests.fuzz.corpus import ONE_OF_EACH, lines
from tests.fuzz.mutations import every_wrong_value
from tests.lengths import length, shortened

pytestmark = pytest.mark.slow

LENGTH = 200_000
LINES = length(100_000, 5_000)
WHOLE = encoded(said("user", "hello", 1))


def held(report: Report) -> bool:
    for finding in report.findings:
        print(report.counts[finding.what], "x", finding.what, "first:", finding.line[:400])  # noqa: T201 - pytest shows it where it fails
    return not report.findings


@shortened
def test_mutated_lines_raise_nothing_and_make_only_acceptable_payloads() -> None:
    report = run(lines(), LINES, seed=3)
    assert held(report)
    assert report.lines == LINES
    assert min(report.messages, report.broken, report.unknown) > LINES // 40


def test_the_same_seed_draws_the_same_lines() -> None:
    assert run(lines(), 500, seed=4) == run(lines(), 500, seed=4)


def test_the_lines_as_pi_wrote_them_break_nothing() -> None:
    report = Report()
    check_session(report, lines(), EVERYTHING)
    assert held(report)
    assert report.broken == 0


@pytest.mark.parametrize(
    "item", ONE_OF_EACH, ids=lambda item: item.get("message", item).get("role", item["type"])
)
def test_every_wrong_type_of_every_field_raises_nothing(item: dict[str, object]) -> None:
    report = Report()
    head = [encoded(header())]
    for wrong in every_wrong_value(encoded(item)):
        check_session(report, [*head, wrong, encoded(item)], EVERYTHING)
    assert held(report)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":' * (LENGTH // 8),
        b'{"type":"a","timestamp":1,' * (LENGTH // 26),
        b'{"type":"a","timestamp":1}' * (LENGTH // 26),
        b'{"type":"a' * (LENGTH // 10),
        b'{"type":' + b"{" * LENGTH,
        b'{"type":' + b"[" * LENGTH + b"]" * LENGTH + b"}",
        b'{"type":"a","x":' + b"[" * LENGTH + b"]" * LENGTH + b"}",
        b'{"type":"a","x":' + b'{"a":' * (LENGTH // 5) + b"1" + b"}" * (LENGTH // 5) + b"}",
        b'{"type":"' + b"\\" * LENGTH,
        b'{"type":' + b'"' * LENGTH,
        b'"' * LENGTH,
        b"{ " * (LENGTH // 2),
        (b"{" + b" " * 1_000) * (LENGTH // 1_000),
        b"\0" * LENGTH,
        b"\xff" * LENGTH,
        b"1" * LENGTH,
        b'{"type":"a","x":' + b"9" * LENGTH + b"}",
        b'{"type":"a","x":0.' + b"9" * LENGTH + b"}",
        b'{"type":"a","timestamp":"' + b"2026-" * (LENGTH // 5) + b'"}',
        WHOLE[:-1] + WHOLE * (LENGTH // len(WHOLE)),
    ],
    ids=lambda line: line[:24].decode(errors="replace"),
)
@pytest.mark.parametrize("decode", [decode_line, flattened])
def test_no_line_takes_more_than_some_steps_for_each_of_its_bytes(
    decode: Callable[[bytes], object], line: bytes
) -> None:
    with bounded(len(line)):
        assert decode(line)
