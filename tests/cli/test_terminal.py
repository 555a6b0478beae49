"""Terminals and pipes that are not UTF-8: no command fails, and signs are replaced."""

import time
from collections.abc import Mapping

import pytest
from rich.cells import cell_len

from pi_opensync.cli.terminal import wrapped
from tests.conftest import Cli
from tests.harness import header, line, said, session_id

pytestmark = pytest.mark.slow

WAYS: Mapping[str, Mapping[str, str]] = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}
COMMANDS = (
    ("sync", "--dry-run"),
    ("list",),
    ("preview", session_id("a")),
    ("status",),
    ("doctor",),
    ("verify",),
    ("exclude", "list"),
    ("queue", "list"),
    ("redact", "rules"),
    ("--help",),
)


@pytest.mark.parametrize("way", WAYS)
def test_no_command_fails_for_a_sign(cli: Cli, way: str) -> None:
    begun = time.time() - 60
    lines = (
        header("a", begun, cwd="/src/\u65e5\u672c"),
        said("user", "\u00fcn\u00ef \U0001f98a \u65e5\u672c", begun + 1),
    )
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    for command in COMMANDS:
        done = cli(*command, **WAYS[way])
        assert done.code in (0, 1, 8), (command, done.err)
        assert (done.out + done.err).isascii()
    assert "uni ?? ????" in cli("preview", session_id("a"), **WAYS[way]).out


@pytest.mark.parametrize("words", ["", "status", "exclude list", "redact rules"])
def test_what_can_not_be_written_is_told_in_a_line(cli: Cli, words: str) -> None:
    cli.prefix = ("/bin/sh", "-c", '"$@" > /dev/full', "sh")
    done = cli(*words.split())
    assert done.code == 1
    assert "pi-opensync: can not write: No space left on device" in done.err.splitlines()


def test_without_stdout_nothing_fails(cli: Cli) -> None:
    cli.prefix = ("/bin/sh", "-c", '"$@" >&-', "sh")
    assert [cli(words).code for words in ("status", "list", "doctor")] == [0, 0, 0]


def test_a_reader_that_leaves_is_no_fault(cli: Cli) -> None:
    cli.prefix = ("/bin/sh", "-c", '"$@" | head -n 1', "sh")
    done = cli("redact", "rules")
    assert (done.out.count("\n"), done.err) == (1, "")


@pytest.mark.parametrize("text", ["\U0001f98a" * 30, "\u65e5\u672c " * 12, "plain words " * 9])
def test_a_line_is_broken_by_the_columns_that_it_takes(text: str) -> None:
    lines = wrapped(f"  {text}", 20, 4)
    assert [line for line in lines if cell_len(line) > 20] == []
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_terminal_that_knows_them_shows_them(cli: Cli) -> None:
    begun = time.time() - 60
    lines = (header("a", begun), said("user", "\u00fcn\u00ef \U0001f98a", begun + 1))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    assert "\u00fcn\u00ef \U0001f98a" in cli("preview", session_id("a")).out
