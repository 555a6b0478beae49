"""The page of commands, `--help`, and completion in the shells that are here."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from pi_opensync.cli import manual
from pi_opensync.cli.app import app
from tests.conftest import Cli

DOCS = Path(__file__).parents[2] / "docs"


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [found for name, it in inner.items() for found in commands(it, (*path, name))]


EVERY = commands(typer.main.get_command(app))


def test_the_pages_are_what_the_commands_and_settings_say() -> None:
    pages = {"commands.md": manual.page(app), "settings.md": manual.settings_page()}
    pages["redaction.md"] = manual.redaction_page((DOCS / "redaction.md").read_text(encoding="utf-8"))
    written = {name: (DOCS / name).read_text(encoding="utf-8") for name in pages}
    assert written == pages, "python -m pi_opensync.cli.manual docs"


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _command in EVERY])
def test_each_command_has_an_example_of_itself(path: tuple[str, ...], command: Any) -> None:
    assert (command.epilog or "").startswith(f"Example: pi-opensync {' '.join(path)}")
    assert command.help


def test_options_and_pipes_stand_in_the_page_as_a_table_takes_them() -> None:
    page = manual.page(app)
    assert "## `pi-opensync service install`" in page
    assert "`--write-settings`" in page
    assert all(line.count("|") - line.count("\\|") == 3 for line in page.splitlines() if line.startswith("|"))


def completed(cli: Cli, shell: str, line: str) -> str:
    words = {"_PI_OPENSYNC_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    if shell == "bash":
        words |= {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    if shell == "fish":
        words |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return cli(**words).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_their_options(fresh_cli: Cli, shell: str) -> None:
    assert "status" in completed(fresh_cli, shell, "pi-opensync stat")
    assert "uninstall" in completed(fresh_cli, shell, "pi-opensync service uninst")
    assert "--backfill" in completed(fresh_cli, shell, "pi-opensync watch --back")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_one_that_it_takes(fresh_cli: Cli, tmp_path: Path, shell: str) -> None:
    script = fresh_cli(_PI_OPENSYNC_COMPLETE=f"source_{shell}").out
    assert "_PI_OPENSYNC_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    path = tmp_path / "completion"
    path.write_text(script)
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
def test_bash_completes_with_the_script(fresh_cli: Cli, tmp_path: Path) -> None:
    command = tmp_path / "pi-opensync"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pi_opensync "$@"\n')
    command.chmod(0o755)
    script = tmp_path / "completion"
    script.write_text(fresh_cli(_PI_OPENSYNC_COMPLETE="source_bash").out)
    ask = (
        f'. "{script}"; COMP_WORDS=(pi-opensync serv); COMP_CWORD=1; '
        '_pi_opensync_completion pi-opensync; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", ask],
        env=fresh_cli.environment() | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert sorted(done.stdout.split()) == ["serve", "service"], done.stderr


def test_the_version_is_told(fresh_cli: Cli) -> None:
    assert re.fullmatch(r"pi-opensync \d+\.\d+\.\d+\n", fresh_cli("--version").out)
