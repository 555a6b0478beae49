"""Terminals and pipes that are not UTF-8: no command fails, and signs are replaced."""

import time
from collections.abc import Mapping

import pytest

from tests.conftest import Cli
from tests.harness import header, line, said, session_id

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
    assert "uni ? ??" in cli("preview", session_id("a"), **WAYS[way]).out


def test_a_terminal_that_knows_them_shows_them(cli: Cli) -> None:
    begun = time.time() - 60
    lines = (header("a", begun), said("user", "\u00fcn\u00ef \U0001f98a", begun + 1))
    (cli.home / "sessions" / "a.jsonl").write_bytes(b"".join(map(line, lines)))
    assert "\u00fcn\u00ef \U0001f98a" in cli("preview", session_id("a")).out
