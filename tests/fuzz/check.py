"""What must hold after any line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType

import msgspec

from pi_opensync.model import Broken, Message, Options, Session
from pi_opensync.opensync.payloads import message_payload
from pi_opensync.pi.entries import decode_line
from tests.acceptance import accepted
from tests.fold.folding import PARENT_ID, Folding, encoded, header, payload
from tests.fuzz.mutations import mutated

LINES_A_SESSION = 100
STEPS = 20_000  # function calls that any line may take
STEPS_A_BYTE = 60  # and those for each byte of it


class TooManySteps(BaseException):
    """Not an Exception: the code under test may not catch it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong, and the first line (of session `number`) that it went wrong with."""

    what: str
    number: int
    line: bytes


@dataclass(slots=True)
class Report:
    lines: int = 0
    entries: int = 0
    messages: int = 0
    broken: int = 0
    unknown: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def found(self, what: str, number: int, line: bytes) -> None:
        if what not in self.counts:
            self.findings.append(Finding(what, number, line))
        self.counts[what] = self.counts.get(what, 0) + 1


def run(corpus: list[bytes], count: int, seed: int, *, first: int = 0) -> Report:
    """Fold `count` mutated lines, some of them a session; session n of a seed is always the same."""
    report = Report()
    number = first
    while report.lines < count:
        random = Random(f"{seed} {number}")  # noqa: S311 - repeatable is what it must be
        lines = (mutated(random, random.choice(corpus), corpus) for _ in range(LINES_A_SESSION))
        options = Options(sync_tool_calls=random.random() < 0.8, sync_thinking=random.random() < 0.8)
        check_session(report, [encoded(header()), *lines][: count - report.lines], options, number)
        number += 1
    return report


def check_session(report: Report, lines: list[bytes], options: Options, number: int = 0) -> None:
    folding = Folding(options, parent_id=lambda _path: PARENT_ID)
    positions: dict[str, int] = {}
    longest = 0  # a short line can complete a message that a long one began
    for line in lines:
        report.lines += 1
        longest = max(longest, len(line))
        try:
            with bounded(longest):
                check_line(folding, line, positions, report)
        except TooManySteps:
            report.found("TooManySteps", number, line)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            report.found(f"{type(error).__name__}: {kind_of(error)}", number, line)
    report.broken += folding.broken
    report.unknown += len(folding.unknown)


def kind_of(error: Exception) -> str:
    """What went wrong without the values of this case, and where."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_qualname}" if trace is not None else ""
    return (str(error).partition("\n")[0] if isinstance(error, AssertionError) else "") + where


def check_line(folding: Folding, line: bytes, positions: dict[str, int], report: Report) -> None:
    broken = folding.broken
    results = folding.take(line)
    if folding.broken > broken:
        check_ranges(line)
    for state, message in results:
        report.entries += 1
        check_state(state)
        if message is not None:
            report.messages += 1
            check_message(message, state)
            if positions.setdefault(message.external_id, message.position) != message.position:
                raise AssertionError("two messages share an id")


def check_ranges(line: bytes) -> None:
    for item in decode_line(line):
        if isinstance(item, Broken) and not 0 <= item.start < item.end <= len(line):
            raise AssertionError("a broken range lies outside its line")


def check_state(state: Session) -> None:
    accepted(payload(state))
    if msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Session) != state:
        raise AssertionError("a state is not what was kept of it")


def check_message(message: Message, state: Session) -> None:
    if not accepted(message_payload(message, state.external_id))["parts"]:
        raise AssertionError("a message has no part")
    msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message)


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """Raises TooManySteps where what is within calls more functions than `size` bytes may take."""
    left = STEPS + STEPS_A_BYTE * size

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal left
        if event in ("call", "c_call"):
            left -= 1
            if left < 0:
                raise TooManySteps

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
