"""ARCHITECTURE.md walks where the code walks, and names what there is."""

import re
import sys
from pathlib import Path
from types import FrameType

import pytest

from tests.docs.pages import ROOT, inline
from tests.harness import START, World, header, said

PAGE = ROOT / "ARCHITECTURE.md"
PACKAGE = ROOT / "pi_opensync"
WALK = re.findall(r"^\| \d+ \| `(\S+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def entered_for_one_line(folder: Path) -> list[str]:
    """The files that are entered for one appended line until its answer is there, in order."""
    order: dict[str, None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        is_made = frame.f_code.co_name in ("__init__", "<genexpr>", "<listcomp>")
        if event == "call" and not is_made and path.is_relative_to(PACKAGE):
            order.setdefault(path.relative_to(PACKAGE).as_posix())

    with World(folder) as world:
        world.append("one.jsonl", header("one", START), said("user", "a question", START + 1))
        world.sync()
        world.append("one.jsonl", said("assistant", "its answer", START + 2))
        world.clock.move_to(START + 30)
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            world.hint("one.jsonl")
            world.read()
            world.deliver()
        finally:
            sys.setprofile(before)
    return list(order)


def test_a_line_enters_the_files_of_the_walk(tmp_path: Path) -> None:
    entered = entered_for_one_line(tmp_path)
    watching, *rest = WALK  # the harness stands in the place of the file system's events
    assert watching == "read/watching.py"
    assert set(rest) <= set(entered)
    assert len(WALK) <= 15
    asked_before = {"pi/tail.py", "store/outbox.py"}  # for a file's signature, and for how much waits
    in_order = [file for file in rest if file not in asked_before]
    assert sorted(in_order, key=entered.index) == in_order


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_and_folders_that_are_named_exist(page: str) -> None:
    for text in inline(ROOT / page):
        if re.fullmatch(r"[\w.-]+/[\w./-]*|\w+\.(py|md|toml|lock)", text):
            assert (PACKAGE / text).exists() or (ROOT / text).exists() or text == "site/", text


def test_every_package_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)[/.]", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"fold", "model"}
    assert packages == set(rows)
