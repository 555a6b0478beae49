"""What stands in the lines, and what does not belong there: one bad record never holds back another."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.harness import World, header, line, said, session_id
from tests.read.settled import THEN, put, settled, talk, turn, turns

A = "a.jsonl"
TEXTS = ["one one one", "two two two", "three three", "four four four"]
LINES = talk("a", *TEXTS)
Broken = tuple[list[bytes], int]


def texts(world: World) -> list[str]:
    return world.texts(session_id("a"))


def test_a_torn_line_at_the_end_holds_back_nothing_before_it(world: World, elsewhere: Path) -> None:
    """The process died while it wrote; found by a sweep, long after."""
    put(world, A, *LINES, turn("five", 4)[:50])
    world.sync()
    assert world.opensync.sessions
    assert texts(world) == TEXTS
    settled(world, elsewhere)


@pytest.mark.parametrize("live", [False, True], ids=["a sweep", "an event"])
def test_a_torn_line_is_read_once_it_is_whole(world: World, elsewhere: Path, live: bool) -> None:
    whole = turn("five", 4)
    put(world, A, *LINES)
    for start in range(0, len(whole), 40):
        world.append(A, whole[start : start + 40])
        if live:
            world.hint(A)
            world.read()
            world.deliver()
        else:
            world.sync()
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "five"]
    assert world.tally().broken_lines == 0


def test_a_line_torn_within_a_character(world: World, elsewhere: Path) -> None:
    whole = turn("é" * 50, 4)
    middle = whole.index("é".encode()) + 21
    put(world, A, *LINES, whole[:middle])
    world.sync()
    world.append(A, whole[middle:])
    settled(world, elsewhere)
    assert texts(world)[-1] == "é" * 50


def test_a_last_line_without_its_newline_that_a_resume_glues_to_the_next(
    world: World, elsewhere: Path
) -> None:
    put(world, A, *LINES[:-1], LINES[-1].rstrip(b"\n"))
    world.sync()
    world.append(A, *turns("five", "six", first=4))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "five", "six"]
    assert world.tally().broken_lines == 0


WHOLE = turn("five", 4)
BROKEN: dict[str, Broken] = {
    "half an object glued to a whole one": ([LINES[-1][:60] + WHOLE], 1),
    "half an object glued to two whole ones": ([LINES[-1][:60] + WHOLE.rstrip() + turn("six", 5)], 1),
    "a whole object glued to half a one": ([WHOLE.rstrip() + LINES[-1][:60] + b"\n"], 1),
    "half an object that ends in a string with a brace": ([b'{"type":"message","id":"{\\"' + WHOLE], 1),
    "a run of NULs on a line of its own": ([b"\0" * 5000 + b"\n", WHOLE], 1),
    "a run of NULs before an object": ([b"\0" * 5000 + WHOLE], 0),
    "a run of NULs within a line": ([WHOLE[:50] + b"\0" * 4096 + b"\n", WHOLE], 1),
    "a byte order mark in the middle": ([b"\xef\xbb\xbf" + WHOLE], 0),
    "CRLF": ([WHOLE.replace(b"\n", b"\r\n")], 0),
    "blank lines": ([b"\n\n \n\t\r\n", WHOLE], 0),
    "no JSON": ([b"Segmentation fault\n", b"<html>\n", WHOLE], 2),
    "JSON that is no entry": ([b"[1,2]\n", b'"text"\n', b"null\n", b"{}\n", b'{"type":7}\n', WHOLE], 5),
    "numbers that are none": ([b'{"type":"message","id":"x","n":NaN,"m":-}\n', WHOLE], 1),
    "thousands of opening brackets": ([b'{"type":"message","x":' + b"[" * 100_000 + b"\n", WHOLE], 1),
    "thousands of opening quotes": ([b'"' * 100_001 + b"\n", WHOLE], 1),
    "thousands of beginnings": ([b'{"type":"message",' * 20_000 + b"\n", WHOLE], 1),
}


@pytest.mark.parametrize(("wrong", "count"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_in_the_middle_costs_only_itself(
    world: World, elsewhere: Path, wrong: list[bytes], count: int
) -> None:
    put(world, A, *LINES, *wrong, turn("last", 6))
    settled(world, elsewhere)
    shown = texts(world)
    assert [text for text in shown if text != "six"] == [*TEXTS, "five", "last"]
    tally = world.tally()
    assert tally.broken_lines <= count
    assert (tally.broken_lines > 0) == (count > 0), "what is not understood is counted"


@pytest.mark.parametrize(
    "first",
    [b"\xef\xbb\xbf", b"\0" * 100, b"\n\n", b"\r\n", b"no JSON\n"],
    ids=["BOM", "NUL", "LF", "CRLF", "x"],
)
def test_what_stands_before_the_header(world: World, elsewhere: Path, first: bytes) -> None:
    put(world, A, first, *LINES)
    settled(world, elsewhere)
    assert texts(world) == TEXTS


def test_a_file_of_crlf_lines(world: World, elsewhere: Path) -> None:
    put(world, A, *(item.replace(b"\n", b"\r\n") for item in LINES))
    world.sync()
    world.append(A, WHOLE.replace(b"\n", b"\r\n"))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "five"]


TEXT_CASES = {
    "U+2028 and U+2029": ("a\u2028b\u2029c", "a\u2028b\u2029c"),
    "other line ends": ("a\x0bb\x0cc\x85d\x1ce", "a\x0bb\x0cc\x85d\x1ce"),
    "NUL": ("a\0b", "a\0b"),
    "a lone surrogate": ("a\ud83db", "a\ufffdb"),
    "a pair the wrong way round": ("a\ude00\ud83db", "a\ufffd\ufffdb"),
    "an emoji": ("a😀b", "a😀b"),
}


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "as it is"])
@pytest.mark.parametrize(("text", "shown"), TEXT_CASES.values(), ids=TEXT_CASES)
def test_a_text_with_strange_characters(
    world: World, elsewhere: Path, text: str, shown: str, escaped: bool
) -> None:
    entry = said("user", text, THEN + 90, "aaaa0001")
    data = json.dumps(entry, ensure_ascii=escaped).encode("utf-8", "surrogatepass") + b"\n"
    put(world, A, *LINES, data, turn("last", 10))
    settled(world, elsewhere)
    got = texts(world)
    assert got[:-2] == TEXTS
    assert got[-1] == "last"
    lone_bytes = not escaped and "\ufffd" in shown
    assert got[-2].replace("\ufffd" * 3, "\ufffd") == shown if lone_bytes else got[-2] == shown


def test_invalid_utf_8(world: World, elsewhere: Path) -> None:
    entry = line(said("user", "before MARK after", THEN + 90, "aaaa0001")).replace(b"MARK", b"\xff\xc3\x28")
    put(world, A, *LINES, entry, turn("last", 10))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "before \ufffd\ufffd( after", "last"]


def a_call(arguments: str) -> bytes:
    """An assistant's message with a call whose arguments are this JSON."""
    entry = said("assistant", "calling", THEN + 90, "aaaa0001", calls=[("c1", "MARK")])
    return line(entry).replace(b'{"command":"MARK"}', arguments.encode())


@pytest.mark.parametrize("depth", [60, 100, 150, 2_000, 20_000])
def test_deep_nesting(tmp_path: Path, depth: int) -> None:
    with World(tmp_path / "world", tool_calls=True) as world:
        put(world, A, *LINES, a_call('{"a":' + "[" * depth + "]" * depth + "}"), turn("last", 10))
        settled(world, tmp_path / "fresh")
        assert texts(world) == [*TEXTS, "calling", "last"]
        assert world.tally().broken_lines == 0


@pytest.mark.parametrize("depth", [60, 2_000, 20_000])
def test_deep_nesting_in_entries_of_other_types(world: World, elsewhere: Path, depth: int) -> None:
    deep = '{"type":"custom","id":"aaaa0002","timestamp":"2026-11-20T00:00:00Z","data":'
    put(world, A, *LINES, f"{deep}{'[' * depth}{']' * depth}}}\n".encode(), turn("last", 10))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "last"]


@pytest.mark.parametrize("digits", [16, 20, 300, 5_000])
def test_integers_of_many_digits(tmp_path: Path, digits: int) -> None:
    number = "7" * digits
    with World(tmp_path / "world", tool_calls=True) as world:
        put(
            world,
            A,
            *LINES,
            a_call(f'{{"n":{number},"m":-{number},"l":[{number}]}}'),
            turn("last", 10),
        )
        settled(world, tmp_path / "fresh")
        assert texts(world) == [*TEXTS, "calling", "last"]
        call = world.snapshot()["sessions"][session_id("a")]["messages"][-2]["parts"][1]["content"]
        shown = call["args"]["n"]
        assert digits < 17 or str(shown) == number or float(shown) == float(number)


def test_integers_of_many_digits_where_numbers_are_expected(world: World, elsewhere: Path) -> None:
    huge = "9" * 300
    entry = said(
        "assistant",
        "costly",
        THEN + 90,
        "aaaa0001",
        model="fake-1",
        provider="fake",
        usage={"input": 111, "output": 222, "cacheRead": 0, "cacheWrite": 0, "cost": {"total": 333}},
    )
    data = line(entry)
    for small in (b"111", b"222", b"333", str(round((THEN + 90) * 1000)).encode()):
        data = data.replace(small, huge.encode())
    put(world, A, *LINES, data, turn("last", 10))
    settled(world, elsewhere)
    assert sorted(texts(world)) == sorted([*TEXTS, "costly", "last"])


@pytest.mark.parametrize(
    "name", [b"caf\xe9_a.jsonl", b"\xff\xfe\xfd.jsonl", b"line\nbreak.jsonl", b"--q?u#o%t'e\"--/a b.jsonl"]
)
def test_a_file_name_that_is_not_utf_8(world: World, elsewhere: Path, name: bytes) -> None:
    put(world, os.fsdecode(name), *LINES)
    world.sync()
    world.append(os.fsdecode(name), WHOLE)
    world.hint(os.fsdecode(name))
    world.restart()
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "five"]


def test_a_fork_of_a_file_whose_name_is_not_utf_8(world: World, elsewhere: Path) -> None:
    put(world, os.fsdecode(b"2026_caf\xe9.jsonl"), *LINES)
    fork = header("fork", THEN + 60, parentSession=f"/gone/2026_caf{chr(0xDCE9)}.jsonl")
    data = json.dumps(fork).encode() + b"\n"
    put(world, "fork.jsonl", data, turn("five", 9))
    settled(world, elsewhere)
    assert world.titles()[session_id("fork")].startswith("[Fork::")


def test_two_processes_appending(world: World, elsewhere: Path) -> None:
    """Each writes whole lines, the second with its own copy of the tree in memory: the moments collide."""
    put(world, A, *LINES)
    for number in range(4, 12):
        moment = THEN + 10 * number
        first: dict[str, Any] = said("user", f"first {number}", moment, f"aaaa{number:04}")
        second: dict[str, Any] = said("user", f"second {number}", moment, f"bbbb{number:04}")
        world.append(A, first)
        if number % 2:
            world.sync()
        world.append(A, second)
        world.hint(A)
        world.read()
        if number % 3 == 0:
            world.restart()
    settled(world, elsewhere)
    assert len(texts(world)) == 4 + 16


def test_two_processes_that_cut_into_each_others_lines(world: World, elsewhere: Path) -> None:
    """A network folder whose appends are not atomic."""
    mine, theirs = turn("mine, torn apart", 4), turn("theirs", 5)
    put(world, A, *LINES, mine[:70])
    world.sync()
    world.append(A, theirs)
    world.sync()
    world.append(A, mine[70:], turn("last", 6))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "theirs", "last"]
    assert world.tally().broken_lines > 0


def test_a_header_that_is_repeated(world: World, elsewhere: Path) -> None:
    put(world, A, *LINES, LINES[0], *LINES[1:], turn("five", 4))
    settled(world, elsewhere)
    assert texts(world) == [*TEXTS, "five"]
    assert world.snapshot()["sessions"][session_id("a")]["promptTokens"] == 200
