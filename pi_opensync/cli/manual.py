"""The pages of all commands, settings and rules of redaction, from what runs.

`python -m pi_opensync.cli.manual docs` writes them.
"""

import html
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from pi_opensync.setting import Described

INTRODUCTION = """# Commands

Every command takes `--help`. Data goes to stdout, logs and errors to stderr. Exit codes:
0 done, 1 failed, 2 usage, 3 not running, 4 network, 5 key refused, 6 configuration, 7 another instance runs,
8 partly done; [what each means](troubleshooting.md#exit-codes). [What commands print](output.md).

This page is made from the commands themselves: `python -m pi_opensync.cli.manual docs`.
"""
SETTINGS = """# Settings

Every setting has a name in the file and one in the environment. A flag beats the environment, the environment
beats the file.

The file is `~/.config/pi-opensync/config.json`, a JSON object that only you may read (mode 0600);
`PI_OPENSYNC_CONFIG` names another. Where it does not exist, that of pi-opensync-plugin,
`~/.config/pi-opensync-plugin/config.json`, is read as it is. A running daemon reads a changed file by
itself. In the environment, lists are separated by `:`; in the file they are JSON arrays.

This page is made from the settings themselves: `python -m pi_opensync.cli.manual docs`.

| file | environment | default | what it does |
|---|---|---|---|
"""

RULES_BEGIN = "<!-- the table of rules: made by python -m pi_opensync.cli.manual docs -->\n"


def page(app: typer.Typer, name: str = "pi-opensync") -> str:
    """The page of commands as Markdown."""
    command = typer.main.get_command(app)
    described = list(_described(command, name))
    heads = [line.removeprefix("## ") for line in described if line.startswith("## ")]
    contents = [f"- [{head}](#{head.strip('`').replace(' ', '-')})" for head in heads]
    return "\n".join([INTRODUCTION, *contents, "", *described]).rstrip() + "\n"


def settings_page() -> str:
    """The page of settings as Markdown."""
    from pi_opensync.settings import DESCRIBED

    return SETTINGS + "".join(f"{_setting(about)}\n" for about in DESCRIBED.values())


def redaction_page(written: str) -> str:
    """The page of redaction with its table made anew from the rules; what is written above it stays."""
    from pi_opensync.privacy.redact.table import rows

    head = written.partition(RULES_BEGIN)[0] + RULES_BEGIN
    table = "\n| rule | kind | example | source |\n|---|---|---|---|\n"
    lines = (
        f"| `{row.name}` | {row.kind} | <code>{_literally(row.example)}</code> | {_cell(row.source)} |\n"
        for row in sorted(rows())
    )
    return head + table + "".join(lines)


def _literally(text: str) -> str:
    return html.escape(text).replace("|", "&#124;")


_FOUND = {"stateDir": "your system's folder for state", "machine": "the host's name"}


def _setting(about: Described) -> str:
    return f"| `{about.key}` | `{about.variable}` | {_default(about)} | {_cell(about.what)} |"


def _default(about: Described) -> str:
    if about.key in _FOUND:
        return _FOUND[about.key]
    return "" if about.default in {None, ()} else f"`{str(about.default).lower()}`"


def _described(command: Any, path: str) -> Iterator[str]:
    yield f"## `{path}`"
    yield ""
    if command.help:
        yield command.help
        yield ""
    rows = [_row(param) for param in command.params if not getattr(param, "hidden", False)]
    if rows:
        yield "| option | |"
        yield "|---|---|"
        yield from rows
        yield ""
    if command.epilog:
        yield f"Example: `{command.epilog.removeprefix('Example: ')}`"
        yield ""
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _described(inner, f"{path} {name}")


def _row(param: Any) -> str:
    words = _cell(getattr(param, "help", None) or "")
    if param.param_type_name == "argument":
        return f"| `{_cell(param.metavar or param.name.upper())}` | {words} |"
    names = " / ".join(", ".join(group) for group in (param.opts, param.secondary_opts) if group)
    if not param.is_flag:
        names += f" {param.metavar or param.opts[0].lstrip('-').upper().replace('-', '_')}"
    return f"| `{_cell(names)}` | {words} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    from pi_opensync.cli.app import app

    folder = Path(sys.argv[1])
    (folder / "commands.md").write_text(page(app), encoding="utf-8")
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")
    redaction = folder / "redaction.md"
    redaction.write_text(redaction_page(redaction.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
