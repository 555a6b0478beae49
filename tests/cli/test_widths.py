"""What commands say fits the terminal, down to 40 columns, and holds no control characters in a pipe."""

import codecs
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from pi_opensync.cli import doctor, terminal
from pi_opensync.cli import list as list_command
from pi_opensync.cli.app import app
from pi_opensync.cli.list import ListedSession
from pi_opensync.cli.screen import screen
from pi_opensync.doctor.check import fail, ok
from tests.harness import header, line, said, session_id, usage

Say = Callable[..., str]
WORDS = (
    "status",
    "list",
    "usage",
    "usage session --by model",
    "usage weekly --by project",
    "search question",
    "exclude list",
    "exclude test ~/a/project/of/a/name/that/is/long",
    "sync --dry-run",
)
WIDTHS = (40, 80, 120)


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """What a command prints, of a home with two sessions and nothing set up."""
    sessions = tmp_path / ".pi/agent/sessions/--src-shop--"
    sessions.mkdir(parents=True)
    begun = time.time() - 60
    for name in ("a", "b"):
        lines = (
            header(name, begun, cwd="/src/\u65e5\u672c/shop"),
            said(
                "user",
                "a question \U0001f98a \u65e5\u672c\u8a9e that is longer than a narrow terminal",
                begun,
            ),
            said("assistant", "an answer", begun + 1, usage=usage(), model="a-model-1", provider="p"),
        )
        (sessions / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "PI_CODING_AGENT_DIR", "PI_OPENSYNC_SESSIONS_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PI_OPENSYNC_STATE_DIR", str(tmp_path / "state"))

    def said_by(words: str, width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            app(words.split(), prog_name="pi-opensync")
        assert ended.value.code == 0
        return capsys.readouterr().out

    return said_by


@pytest.mark.parametrize("words", WORDS)
def test_no_line_is_wider_than_the_terminal_nor_colours_a_pipe(words: str, say: Say) -> None:
    for width in WIDTHS:
        lines = say(words, width).splitlines()
        assert lines
        assert [line for line in lines if cell_len(line) > width] == []
        assert "\033" not in "".join(lines)


def test_a_wide_terminal_shows_the_whole_title(say: Say) -> None:
    title = "a question \U0001f98a \u65e5\u672c\u8a9e that is longer than a narrow terminal"
    assert title in say("list", 120)
    assert title in say("usage session", 160)


def test_a_narrow_one_keeps_what_other_commands_take(say: Say) -> None:
    for words in ("list", "usage session"):
        assert session_id("a")[:8] in say(words, 40)


def test_a_narrow_one_keeps_what_is_wrong_with_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    title = "a session whose title is long enough to be cut"
    rows = [
        ListedSession("yours", name, "shop", title, 5, 0, parked, None)
        for name, parked in (("a", 2), ("b", 0))
    ]
    _heading, first, second = list_command._lines(rows, {row.id: row.id for row in rows}, ["yours"])
    assert first.endswith("2 set aside")
    assert max(cell_len(first), cell_len(second)) <= 40


def test_where_only_ascii_is_shown_each_sign_takes_the_same_room() -> None:
    text = "\u00fcn\u00efc\u00f8d\u00e9 \U0001f98a \u65e5\u672c and so on\u2026 \u2192"
    codecs.register_error("plain-test", terminal._plain)
    shown = text.replace("\u2192", "").encode("ascii", "plain-test").decode()
    assert cell_len(shown) == cell_len(text.replace("\u2192", ""))


def test_a_pause_is_told_with_its_end() -> None:
    until = time.mktime((2026, 3, 1, 14, 30, 0, 0, 0, -1))
    report = {"version": "1", "roots": [], "unknown_settings": {}, "places": [], "paused": {"until": until}}
    assert "paused    by you, until 2026-03-01 14:30" in screen(report, until - 5400, 80)


def test_status_names_the_home_shortly(say: Say) -> None:
    assert "reads     ~/.pi/agent/sessions\n" in say("status", 40)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_checks_of_doctor_fit(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    bad = fail("login", "there is no dashboard yet, OpenSync's or your own, " * 3, "pi-opensync setup")
    lines = doctor._lines({"server": [ok("network folder", "none"), bad]}, colours=False)
    assert [line for line in lines if len(line) > width] == []


def test_status_names_settings_that_do_not_exist_and_a_key_that_is_missing() -> None:
    place = {"name": "OpenSync", "url": "https://otter.test", "is_own": False, "has_key": False}
    report = {
        "version": "1",
        "roots": [],
        "unknown_settings": {"syncToolcalls": "syncToolCalls", "foo": None},
        "paused": None,
        "places": [place | dict.fromkeys(("running", "pulse", "dashboard", "state", "pause"))],
    }
    lines = screen(report, 0.0, 80)
    assert "setting   syncToolcalls does not exist; did you mean syncToolCalls?" in lines
    assert "setting   foo does not exist" in lines
    assert "key       none; `pi-opensync login` asks for it" in lines


def test_what_an_older_version_knew_is_not_told_as_nothing() -> None:
    place = {"name": "OpenSync", "url": "https://otter.test", "is_own": False, "is_of_before": True}
    place |= dict.fromkeys(("running", "pulse", "dashboard", "state", "pause"))
    report: dict[str, object] = {
        "version": "1",
        "roots": [],
        "unknown_settings": {},
        "paused": None,
        "places": [place],
    }
    assert any("an older version" in line for line in screen(report, 0.0))
