"""Commands that run without typer take the same words, and nothing that typer would not."""

import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from pi_opensync.cli import direct
from pi_opensync.cli.app import app

ROOT: Any = typer.main.get_command(app)


def parsed(name: str, words: list[str]) -> dict[str, Any]:
    """What typer makes of the words, under the keywords of the command's `run`."""
    command = ROOT.commands[name]
    params = command.make_context(name, list(words)).params
    keyword = {param.name: _keyword(name, param) for param in command.params}
    return {
        keyword[key]: value for key, value in params.items() if value not in {None, False} and key in keyword
    }


def _keyword(name: str, param: Any) -> str:
    options = direct.COMMANDS[name]
    return next(options[each][0] for each in [*param.opts, "PERIOD"] if each in options)


@pytest.mark.parametrize("name", direct.COMMANDS)
def test_every_option_of_a_command_is_known_here(name: str) -> None:
    options = set(direct.COMMANDS[name])
    params = [param for param in ROOT.commands[name].params if param.name != "help"]
    named = {opt for param in params for opt in (*param.opts, *param.secondary_opts) if opt.startswith("--")}
    arguments = {param.metavar for param in params if param.param_type_name == "argument"}
    assert options == named | arguments
    assert {keyword for keyword, _value in direct.COMMANDS[name].values()} <= set(
        inspect.signature(import_module(f"pi_opensync.cli.{name}").run).parameters
    )


WORDS = [
    ["status"],
    ["status", "--json"],
    ["list", "--unsynced", "--excluded"],
    ["list", "--set-aside", "--json"],
    ["list", "--parked"],
    ["usage", "weekly", "--by", "model", "--since", "30d", "--json"],
    ["usage", "--project", "app", "--model", "opus", "--until", "2026-01-01", "monthly", "--audit"],
    ["watch", "--local", "--no-link", "--port", "4781"],
    ["watch", "--backfill", "--once", "--debug", "--log-format", "json"],
    ["watch", "--demo", "--open", "--link"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_plain_words_mean_what_typer_makes_of_them(words: list[str]) -> None:
    plain = direct.understood(words)
    by_typer = parsed(words[0], words[1:])
    for keyword, value in plain.items():
        assert by_typer.pop(keyword, False) == value
    defaults = inspect.signature(import_module(f"pi_opensync.cli.{words[0]}").run).parameters
    assert by_typer == {keyword: defaults[keyword].default for keyword in by_typer}


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--help"],
        ["status", "-h"],
        ["status", "more"],
        ["status", "--json=1"],
        ["list", "--nope"],
        ["usage", "dayly"],
        ["usage", "daily", "weekly"],
        ["usage", "--since"],
        ["usage", "--since", "--json"],
        ["usage", "--by", "day"],
        ["usage", "PERIOD"],
        ["watch", "--port", "70000"],
        ["watch", "--port", "-1"],
        ["watch", "--log-format", "xml"],
    ],
    ids=" ".join,
)
def test_other_words_are_left_to_typer(words: list[str]) -> None:
    with pytest.raises(direct.NotPlainError):
        direct.understood(words)
    assert not direct.run(words)


def test_what_is_no_such_command_is_left_to_typer() -> None:
    assert not any(direct.run(words) for words in ([], ["--help"], ["sync"], ["nope"]))


LOADED = """
import json, os, sys
from pi_opensync.__main__ import main
os._exit = sys.exit  # a command that only reads ends by it
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["status"], ["list"], ["usage"], ["watch", "--once"]], ids=" ".join)
def test_such_a_command_loads_neither_typer_nor_pydantic(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "sessions").mkdir()
    settings = {"STATE_DIR": tmp_path / "state", "SESSIONS_DIR": tmp_path / "sessions"}
    server = {"CONVEX_URL": "http://127.0.0.1:9", "API_KEY": "osk_" + "0" * 32} if "watch" in words else {}
    environment = {f"PI_OPENSYNC_{name}": str(value) for name, value in {**settings, **server}.items()}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert not loaded & {"typer", "pydantic", "pydantic_settings", "rich", "starlette", "uvicorn"}
    assert "watch" in words or not loaded & {"asyncio", "httpx", "structlog", "re2"}
