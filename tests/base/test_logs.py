"""Log lines: for people, for programs, for the journal; to the stderr of the moment."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from pi_opensync import logbook


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """A file that systemd says is its journal."""
    with (tmp_path / "journal").open("w+", encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        yield file


def written(file: io.TextIOWrapper) -> list[str]:
    file.flush()
    file.seek(0)
    return file.read().splitlines()


def test_the_journal_gets_priorities_and_neither_times_nor_colors(journal: io.TextIOWrapper) -> None:
    logbook.configure("auto", debug=True, stream=journal)
    log = logbook.get()
    log.debug("a")
    log.info("delivered", session="5f0c2a3e", messages=2)
    log.warning("b")
    log.error("c")
    lines = written(journal)
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>"]
    assert lines[1] == "<6>delivered messages=2 session=5f0c2a3e"


def test_every_line_of_a_traceback_has_its_priority(journal: io.TextIOWrapper) -> None:
    logbook.configure("text", stream=journal)
    try:
        int("broken")
    except ValueError:
        logbook.get().exception("failed")
    lines = written(journal)
    assert len(lines) > 3
    assert {line[:3] for line in lines} == {"<3>"}


def test_json_stays_json_in_the_journal(journal: io.TextIOWrapper) -> None:
    logbook.configure("json", stream=journal)
    logbook.get().info("delivered", messages=2)
    (line,) = written(journal)
    assert json.loads(line)["event"] == "delivered"


def test_another_file_is_not_the_journal(journal: io.TextIOWrapper, tmp_path: Path) -> None:
    assert logbook.is_journal(os.environ, journal)
    with (tmp_path / "other").open("w") as other:
        assert not logbook.is_journal(os.environ, other)
    assert not logbook.is_journal(os.environ, io.StringIO())
    assert not logbook.is_journal({}, journal)


def test_a_file_for_people_has_the_day_in_it() -> None:
    out = io.StringIO()
    logbook.configure("text", stream=out)
    logbook.get().info("following", files=3)
    assert out.getvalue()[:5].rstrip("-").isdigit()
    assert "\x1b" not in out.getvalue()


def test_a_line_goes_to_what_stands_before_stderr_at_that_moment() -> None:
    logbook.configure("json")
    bar = io.StringIO()
    with redirect_stderr(bar):
        logbook.get().info("delivered")
    assert "delivered" in bar.getvalue()
    assert sys.stderr is not bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "has_colours"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_a_terminal_has_colours_unless_it_has_none_or_nobody_wants_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], has_colours: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    logbook.configure("auto", stream=terminal)
    logbook.get().info("delivered", messages=2)
    assert ("\033[" in terminal.getvalue()) is has_colours
