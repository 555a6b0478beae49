"""The pages of `--help`, and what is said of a command line that makes no sense."""

import sys
from collections.abc import Callable

import pytest

from pi_opensync.cli.app import app
from pi_opensync.errors import UsageError
from tests.cli.test_manual import EVERY

WIDTHS = (40, 60, 80, 120)
GROUPS = sorted({path[:1] for path, _command in EVERY if len(path) > 1})
PAGES = [(), *GROUPS, *(path for path, _command in EVERY)]
NOT_FOR_USERS = ("<", "{", "range", " root", "parked", "takes up", "mends", "signs", "...\n")

Page = Callable[..., str]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Page:
    def shown(*words: str, width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            app([*words, "--help"], prog_name="pi-opensync")
        assert ended.value.code == 0
        return capsys.readouterr().out

    return shown


@pytest.mark.parametrize("path", PAGES, ids=[" ".join(path) or "all" for path in PAGES])
def test_each_page_fits_the_terminal_and_says_it_in_plain_words(path: tuple[str, ...], page: Page) -> None:
    for width in WIDTHS:
        lines = page(*path, width=width).splitlines()
        assert [line for line in lines if len(line) > width] == []
    wide = page(*path, width=120)
    assert [word for word in NOT_FOR_USERS if word in wide.partition("\n")[2]] == []


@pytest.mark.parametrize("path", [(), *GROUPS], ids=" ".join)
def test_the_summary_of_each_command_stands_on_one_line_of_80(path: tuple[str, ...], page: Page) -> None:
    _before, _options, commands = page(*path, width=80).partition("\nOptions:")
    beneath = [line for line in commands.partition("\n\n")[2].splitlines() if line.startswith("   ")]
    assert beneath == []


def test_a_narrow_page_puts_what_a_long_name_means_below_it(page: Page) -> None:
    assert "  --since TIME\n              Sessions active" in page("sync", width=40)


def test_without_a_command_there_is_the_page_and_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["service"]):
        monkeypatch.setattr(sys, "argv", ["pi-opensync", *words])
        with pytest.raises(SystemExit) as ended:
            app(prog_name="pi-opensync")
        assert ended.value.code == 0
        assert "Usage: pi-opensync" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said", "page_named"),
    [
        ("statu", "no such command 'statu'", "pi-opensync --help"),
        ("sync --bogus", "no such option: --bogus", "pi-opensync sync --help"),
        ("sync --limit 0", "invalid value for '--limit': it must be greater", "pi-opensync sync --help"),
        ("usage yearly", "invalid value for 'PERIOD': 'yearly' is not one", "pi-opensync usage --help"),
        ("show", "missing argument 'ID|FILE'", "pi-opensync show --help"),
        ("service instal", "no such command 'instal'", "pi-opensync service --help"),
        ("login --url", "option '--url' requires an argument", "pi-opensync --help"),
    ],
)
def test_a_wrong_line_is_told_in_one_line_with_the_page_to_look_at(
    line: str, said: str, page_named: str
) -> None:
    with pytest.raises(UsageError) as error:
        app(line.split(), prog_name="pi-opensync")
    assert said in error.value.message
    assert page_named in (error.value.hint or "")
